package libseccomp

import (
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

func TestActions(t *testing.T) {
	tests := []struct {
		name   string
		action specs.LinuxSeccompAction
		errno  *uint
		want   uint32
	}{
		{"kill", specs.ActKill, nil, unix.SECCOMP_RET_KILL_THREAD},
		{"kill thread", specs.ActKillThread, nil, unix.SECCOMP_RET_KILL_THREAD},
		{"kill process", specs.ActKillProcess, nil, unix.SECCOMP_RET_KILL_PROCESS},
		{"trap", specs.ActTrap, nil, unix.SECCOMP_RET_TRAP},
		{"errno", specs.ActErrno, nil, eperm},
		{"errno 0", specs.ActErrno, ptr(0), unix.SECCOMP_RET_ERRNO},
		{"errno EACCES", specs.ActErrno, ptr(13), unix.SECCOMP_RET_ERRNO | 13},
		{"errno largest", specs.ActErrno, ptr(4094), unix.SECCOMP_RET_ERRNO | 4094},
		{"trace", specs.ActTrace, nil, unix.SECCOMP_RET_TRACE | 1},
		{"trace largest", specs.ActTrace, ptr(0xffff), unix.SECCOMP_RET_TRACE | 0xffff},
		{"allow", specs.ActAllow, nil, allow},
		{"log", specs.ActLog, nil, unix.SECCOMP_RET_LOG},
		{"notify", specs.ActNotify, nil, unix.SECCOMP_RET_USER_NOTIF},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			other, otherRet := specs.ActAllow, allow
			if test.action == specs.ActAllow {
				other, otherRet = specs.ActErrno, eperm
			}
			rule := specs.LinuxSyscall{Names: []string{"mount"}, Action: test.action, ErrnoRet: test.errno}
			p := &specs.LinuxSeccomp{DefaultAction: other, Syscalls: []specs.LinuxSyscall{rule}}
			prog := mustCompile(t, p)
			checkRet(t, "rule", decide(t, prog, specs.ArchX86_64, "mount"), test.want)
			checkRet(t, "default", decide(t, prog, specs.ArchX86_64, "chroot"), otherRet)

			p = &specs.LinuxSeccomp{DefaultAction: test.action, DefaultErrnoRet: test.errno,
				Syscalls: []specs.LinuxSyscall{call(other, "mount")}}
			prog = mustCompile(t, p)
			checkRet(t, "swapped rule", decide(t, prog, specs.ArchX86_64, "mount"), otherRet)
			checkRet(t, "swapped default", decide(t, prog, specs.ArchX86_64, "chroot"), test.want)
		})
	}
}

func checkRet(t *testing.T, what string, got, want uint32) {
	t.Helper()
	if got != want {
		t.Errorf("%s: filter returns %#x, want %#x", what, got, want)
	}
}

func TestNotify(t *testing.T) {
	for _, test := range []struct {
		def, rule specs.LinuxSeccompAction
		want      bool
	}{
		{specs.ActAllow, specs.ActNotify, true},
		{specs.ActNotify, specs.ActAllow, true},
		{specs.ActAllow, specs.ActErrno, false},
	} {
		p := &specs.LinuxSeccomp{DefaultAction: test.def, Syscalls: []specs.LinuxSyscall{call(test.rule, "mount")}}
		prog, err := Compile(p)
		if err != nil {
			t.Fatal(err)
		}
		if prog.Notify != test.want {
			t.Errorf("default %s, rule %s: Notify is %v", test.def, test.rule, prog.Notify)
		}
	}
}

func TestDefaultActionIsSkipped(t *testing.T) {
	p := &specs.LinuxSeccomp{DefaultAction: specs.ActErrno, DefaultErrnoRet: ptr(38), Syscalls: []specs.LinuxSyscall{
		{Names: []string{"mount"}, Action: specs.ActErrno, ErrnoRet: ptr(38)},
		call(specs.ActErrno, "chroot"),
		call(specs.ActAllow, "read"),
	}}
	prog := mustCompile(t, p)
	checkRet(t, "mount", decide(t, prog, specs.ArchX86_64, "mount"), nosys)
	checkRet(t, "chroot", decide(t, prog, specs.ArchX86_64, "chroot"), eperm)
	checkRet(t, "read", decide(t, prog, specs.ArchX86_64, "read"), allow)
}

func TestUnknownNames(t *testing.T) {
	p := &specs.LinuxSeccomp{DefaultAction: specs.ActErrno, Syscalls: []specs.LinuxSyscall{
		call(specs.ActAllow, "read", "frobnicate", "", "write\x00", "close"),
	}}
	prog, err := Compile(p)
	if err != nil {
		t.Fatal(err)
	}
	if len(prog.Unknown) != 3 || prog.Unknown[0] != "frobnicate" {
		t.Errorf("unknown names: %q", prog.Unknown)
	}
	checkRet(t, "close", decide(t, prog.Insns, specs.ArchX86_64, "close"), allow)
	checkRet(t, "write", decide(t, prog.Insns, specs.ArchX86_64, "write"), eperm)
}
