package spec

import (
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

func TestTablesAreSorted(t *testing.T) {
	checkTable(t, "capabilities", capabilities[:])
	checkTable(t, "rlimits", rlimits[:])
	checkTable(t, "namespaceFlags", namespaceFlags[:])
	checkTable(t, "schedPolicies", schedPolicies[:])
	checkTable(t, "schedFlags", schedFlags[:])
	checkTable(t, "ioClasses", ioClasses[:])
	checkTable(t, "memoryModes", memoryModes[:])
	checkTable(t, "memoryFlags", memoryFlags[:])
	checkTable(t, "personalities", personalities[:])
	checkTable(t, "mountOptions", mountOptions[:])
	checkTable(t, "fsWords", fsWords[:])
	checkTable(t, "lookalikes", lookalikes[:])
	checkTable(t, "kernelSysctls", kernelSysctls[:])
	checkTable(t, "seccompActions", seccompActions[:])
	checkTable(t, "seccompArches", seccompArches[:])
	checkTable(t, "seccompFlags", seccompFlags[:])
	checkTable(t, "seccompOperators", seccompOperators[:])
}

func checkTable[T any](t *testing.T, name string, table []entry[T]) {
	t.Helper()
	for i := range table {
		if i > 0 && table[i-1].name >= table[i].name {
			t.Errorf("%s: %q before %q", name, table[i-1].name, table[i].name)
		}
		if _, ok := find(table, table[i].name); !ok {
			t.Errorf("%s: cannot find %q", name, table[i].name)
		}
	}
	if _, ok := find(table, "no such word"); ok {
		t.Errorf("%s: found a word that it does not have", name)
	}
}

// TestSpecificationWords checks that every word the specification's text lists is in a table.
func TestSpecificationWords(t *testing.T) {
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/opencontainers/runtime-spec").Output()
	if err != nil {
		t.Skip("the source of the runtime-spec module is not at hand:", err)
	}
	var text string
	for _, file := range []string{"/config.md", "/config-linux.md"} {
		data, err := os.ReadFile(strings.TrimSpace(string(dir)) + file)
		if err != nil {
			t.Skip("the runtime-spec module has no text:", err)
		}
		text += string(data)
	}
	has := map[string]func(string) bool{
		"option":              func(s string) bool { _, ok := MountOption(s); return ok },
		"SCHED_":              func(s string) bool { _, ok := SchedPolicy(specs.LinuxSchedulerPolicy(s)); return ok },
		"SCHED_FLAG":          func(s string) bool { _, ok := SchedFlag(specs.LinuxSchedulerFlag(s)); return ok },
		"IOPRIO_":             func(s string) bool { _, ok := IOPriorityClass(specs.IOPriorityClass(s)); return ok },
		"MPOL_":               func(s string) bool { _, ok := MemoryPolicyMode(specs.MemoryPolicyModeType(s)); return ok },
		"MPOL_F":              func(s string) bool { _, ok := MemoryPolicyFlag(specs.MemoryPolicyFlagType(s)); return ok },
		"SCMP_ACT":            func(s string) bool { _, ok := SeccompAction(specs.LinuxSeccompAction(s)); return ok },
		"SCMP_ARCH":           func(s string) bool { _, ok := SeccompArch(specs.Arch(s)); return ok },
		"SCMP_CMP":            func(s string) bool { _, ok := find(seccompOperators[:], s); return ok },
		"SECCOMP_FILTER_FLAG": func(s string) bool { _, ok := SeccompFlag(specs.LinuxSeccompFlag(s)); return ok },
		"CAP_":                func(s string) bool { _, ok := Capability(s); return ok },
		"RLIMIT_":             func(s string) bool { _, ok := Rlimit(s); return ok },
	}
	count := map[string]int{}
	for _, m := range regexp.MustCompile("(?m)^ `([a-z]+) *` +\\| (?:MUST|SHOULD|MAY)").FindAllStringSubmatch(text, -1) {
		count["option"]++
		if !has["option"](m[1]) {
			t.Errorf("unknown mount option %s", m[1])
		}
	}
	for _, m := range regexp.MustCompile("[`\"]((SCHED_FLAG|SCHED_|IOPRIO_|MPOL_F|MPOL_|SCMP_ACT|SCMP_ARCH|SCMP_CMP|SECCOMP_FILTER_FLAG|CAP_|RLIMIT_)[A-Z0-9_]+)[`\"]").FindAllStringSubmatch(text, -1) {
		count[m[2]]++
		if !has[m[2]](m[1]) {
			t.Errorf("unknown word %s", m[1])
		}
	}
	for kind := range has {
		if count[kind] == 0 {
			t.Errorf("the text has no words of kind %s: does the test still read it right?", kind)
		}
	}
	if count["option"] < 60 {
		t.Errorf("only %d mount options found", count["option"])
	}
}

func TestCapability(t *testing.T) {
	for bit := range uint(unix.CAP_LAST_CAP + 1) {
		name := CapabilityName(bit)
		if got, ok := Capability(name); !ok || got != bit {
			t.Errorf("bit %d is %q, which is bit %d", bit, name, got)
		}
	}
	if bit, _ := Capability("CAP_CHECKPOINT_RESTORE"); bit != 40 || len(capabilities) != 41 {
		t.Error("CAP_CHECKPOINT_RESTORE is bit", bit, "of", len(capabilities))
	}
	if CapabilityName(63) != "" {
		t.Error("bit 63 has a name")
	}
}

func TestSysctlFile(t *testing.T) {
	for name, want := range map[string]string{
		"net.ipv4.ip_forward":                "net/ipv4/ip_forward",
		"net/ipv4/ip_forward":                "net/ipv4/ip_forward",
		"net.ipv4.conf.eth0/1.forwarding":    "net/ipv4/conf/eth0.1/forwarding",
		"net/ipv4/conf/eth0.1/forwarding":    "net/ipv4/conf/eth0.1/forwarding",
		"net.ipv4.conf.a//b.forwarding":      "net/ipv4/conf/a..b/forwarding",
		"net/ipv4/../../kernel/core_pattern": "",
		"net.//.//.kernel.core_pattern":      "",
		"net..a":                             "",
		"/etc/passwd":                        "",
		".a":                                 "",
		"a/":                                 "",
		"a/./b":                              "",
		"":                                   "",
	} {
		got, err := SysctlFile(name)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q: got %q, %v; want %q", name, got, err, want)
		}
	}
}

func TestParseIDList(t *testing.T) {
	var got [][2]uint
	if err := ParseIDList("0-3,7, 9-10", func(a, b uint) { got = append(got, [2]uint{a, b}) }); err != nil {
		t.Fatal(err)
	}
	if want := [][2]uint{{0, 3}, {7, 7}, {9, 10}}; !slices.Equal(got, want) {
		t.Errorf("got %v", got)
	}
}

func TestSimilar(t *testing.T) {
	for word, want := range map[string]string{
		"nosiud": "nosuid", "no_exec": "noexec", "nodevs": "nodev", "relatme": "relatime", "r0": "ro", "redonly": "",
		"readonly": "", "rpivate": "private", "": "", "xyz": "", "tmpcopup": "tmpcopyup", strings.Repeat("a", 1000): "",
	} {
		if got := similar(word); got != want {
			t.Errorf("%q: got %q, want %q", word, got, want)
		}
	}
}

func TestNewNamespace(t *testing.T) {
	s := &specs.Spec{Linux: &specs.Linux{Namespaces: []specs.LinuxNamespace{{Type: specs.PIDNamespace}, {Type: specs.NetworkNamespace, Path: "/ns"}}}}
	if !NewNamespace(s, specs.PIDNamespace) || NewNamespace(s, specs.NetworkNamespace) || NewNamespace(s, specs.UserNamespace) {
		t.Error("wrong")
	}
	if NewNamespace(&specs.Spec{}, specs.PIDNamespace) {
		t.Error("a config without linux has one")
	}
}

func TestHostID(t *testing.T) {
	mappings := []specs.LinuxIDMapping{{ContainerID: 0, HostID: 100000, Size: 1000}, {ContainerID: 4294967290, HostID: 7, Size: 5}}
	for id, want := range map[uint32]uint32{0: 100000, 999: 100999, 4294967290: 7, 4294967294: 11} {
		if got, ok := HostID(mappings, id); got != want || !ok {
			t.Errorf("%d is %d, %t, want %d", id, got, ok, want)
		}
	}
	for _, id := range []uint32{1000, 4294967289, 4294967295} {
		if got, ok := HostID(mappings, id); ok {
			t.Errorf("%d is %d, want none", id, got)
		}
	}
}
