package libseccomp

import (
	"fmt"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/runtime/seccomp/internal/compiled"
)

func TestErrors(t *testing.T) {
	const rule = `{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[{"names":["read"],"action":"SCMP_ACT_ALLOW"},%s]}`
	in := func(s string) string { return fmt.Sprintf(rule, s) }
	tests := []struct{ name, json, want string }{
		{"no JSON", `{`, "/linux/seccomp: cannot decode the profile: "},
		{"null", `null`, "/linux/seccomp: cannot compile null"},
		{"type", `{"defaultAction":1}`, "/linux/seccomp: cannot decode the profile: "},
		{"default action", `{"defaultAction":"X"}`, `/linux/seccomp/defaultAction: unknown action "X"`},
		{"no default action", `{}`, `/linux/seccomp/defaultAction: unknown action ""`},
		{"default errno", `{"defaultAction":"SCMP_ACT_ALLOW","defaultErrnoRet":1}`,
			`/linux/seccomp/defaultErrnoRet: action "SCMP_ACT_ALLOW" takes no errno`},
		{"architecture", `{"defaultAction":"SCMP_ACT_ALLOW","architectures":["SCMP_ARCH_X86","VAX"]}`,
			`/linux/seccomp/architectures/1: unknown architecture "VAX"`},
		{"flag", `{"defaultAction":"SCMP_ACT_ALLOW","flags":["SECCOMP_FILTER_FLAG_LOG","F"]}`, `/linux/seccomp/flags/1: unknown flag "F"`},
		{"listener flag", `{"defaultAction":"SCMP_ACT_ALLOW","flags":["SECCOMP_FILTER_FLAG_NEW_LISTENER"]}`, `/linux/seccomp/flags/0: unknown flag`},
		{"wait flag", `{"defaultAction":"SCMP_ACT_ALLOW","flags":["SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"]}`,
			`/linux/seccomp/flags/0: "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV" needs a rule with "SCMP_ACT_NOTIFY"`},
		{"action", in(`{"names":["a"],"action":"SCMP_ACT_X"}`), `/linux/seccomp/syscalls/1/action: unknown action "SCMP_ACT_X"`},
		{"errno for allow", in(`{"names":["a"],"action":"SCMP_ACT_ALLOW","errnoRet":1}`),
			`/linux/seccomp/syscalls/1/errnoRet: action "SCMP_ACT_ALLOW" takes no errno`},
		{"errno", in(`{"names":["a"],"action":"SCMP_ACT_ERRNO","errnoRet":4095}`), `/linux/seccomp/syscalls/1/errnoRet: 4095 is larger than 4094`},
		{"trace", in(`{"names":["a"],"action":"SCMP_ACT_TRACE","errnoRet":65536}`), `/linux/seccomp/syscalls/1/errnoRet: 65536 is larger`},
		{"names", in(`{"names":[],"action":"SCMP_ACT_ALLOW"}`), `/linux/seccomp/syscalls/1/names: no system call is named`},
		{"operator", in(`{"names":["a"],"action":"SCMP_ACT_ALLOW","args":[{"index":0,"value":1,"op":"SCMP_CMP_X"}]}`),
			`/linux/seccomp/syscalls/1/args/0/op: unknown operator "SCMP_CMP_X"`},
		{"index", in(`{"names":["a"],"action":"SCMP_ACT_ALLOW","args":[{"index":6,"value":1,"op":"SCMP_CMP_EQ"}]}`),
			`/linux/seccomp/syscalls/1/args/0/index: 6 is larger than 5`},
		{"conflict", in(argRule("SCMP_ACT_LOG") + "," + argRule("SCMP_ACT_TRAP")),
			`/linux/seccomp/syscalls/2/names/0: cannot add a rule for system call "ioctl": an earlier rule has another action`},
		{"too many", in(manyRules(200, 100)), `/linux/seccomp/syscalls/1/names/163: the profile has more than 16384 rules`},
		{"too long", in(manyRules(1, 5000)), `/linux/seccomp: the filter has `},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := CompileJSON([]byte(test.json))
			if err == nil || !strings.HasPrefix(err.Error(), test.want) {
				t.Errorf("error %v\nwant  %s", err, test.want)
			}
		})
	}
}

func argRule(action string) string {
	return `{"names":["ioctl"],"action":"` + action + `","args":[{"index":0,"value":1,"op":"SCMP_CMP_EQ"}]}`
}

// manyRules returns a rule of n names and as many alternatives as asked for.
func manyRules(names, alternatives int) string {
	args := make([]string, alternatives)
	for i := range args {
		args[i] = fmt.Sprintf(`{"index":0,"value":%d,"op":"SCMP_CMP_EQ"}`, i)
	}
	return fmt.Sprintf(`{"names":["ioctl"%s],"action":"SCMP_ACT_ALLOW","args":[%s]}`,
		strings.Repeat(`,"ioctl"`, names-1), strings.Join(args, ","))
}

func TestFlags(t *testing.T) {
	tests := []struct {
		name, flags string
		want        uint
	}{
		{"absent", ``, unix.SECCOMP_FILTER_FLAG_SPEC_ALLOW},
		{"empty", `,"flags":[]`, 0},
		{"tsync", `,"flags":["SECCOMP_FILTER_FLAG_TSYNC"]`, 0},
		{"log", `,"flags":["SECCOMP_FILTER_FLAG_LOG"]`, unix.SECCOMP_FILTER_FLAG_LOG},
		{"spec", `,"flags":["SECCOMP_FILTER_FLAG_SPEC_ALLOW"]`, unix.SECCOMP_FILTER_FLAG_SPEC_ALLOW},
		{"wait", `,"flags":["SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV","SECCOMP_FILTER_FLAG_LOG"]`,
			unix.SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV | unix.SECCOMP_FILTER_FLAG_LOG},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			profile := `{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["mount"],"action":"SCMP_ACT_NOTIFY"}]` + test.flags + `}`
			blob, err := CompileJSON([]byte(profile))
			if err != nil {
				t.Fatal(err)
			}
			checkBlob(t, blob, test.want)
		})
	}
}

func checkBlob(t *testing.T, blob []byte, flags uint) {
	t.Helper()
	filter, err := compiled.Decode(blob)
	if err != nil {
		t.Fatal(err)
	}
	if filter.Flags != flags || !filter.Notify {
		t.Errorf("flags %#x, want %#x; Notify %v, want true", filter.Flags, flags, filter.Notify)
	}
}
