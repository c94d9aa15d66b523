package libseccomp

import (
	"bytes"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/runtime/seccomp/internal/bpfvm"
	"github.com/dhow-containers/dhow/runtime/seccomp/internal/compiled"
)

func TestNewerCalls(t *testing.T) {
	const far = 100000
	tests := []struct {
		name   string
		def    specs.LinuxSeccompAction
		errno  *uint
		newer  uint32 // answer to a number far above
		within uint32 // answer to one below that no rule names
	}{
		{"errno", specs.ActErrno, nil, nosys, eperm},
		{"errno EACCES", specs.ActErrno, ptr(13), nosys, unix.SECCOMP_RET_ERRNO | 13},
		{"errno ENOSYS", specs.ActErrno, ptr(38), nosys, nosys},
		{"kill", specs.ActKillProcess, nil, nosys, unix.SECCOMP_RET_KILL_PROCESS},
		{"trap", specs.ActTrap, nil, nosys, unix.SECCOMP_RET_TRAP},
		{"notify", specs.ActNotify, nil, nosys, unix.SECCOMP_RET_USER_NOTIF},
		{"trace", specs.ActTrace, nil, unix.SECCOMP_RET_TRACE | 1, unix.SECCOMP_RET_TRACE | 1},
		{"log", specs.ActLog, nil, unix.SECCOMP_RET_LOG, unix.SECCOMP_RET_LOG},
		{"allow", specs.ActAllow, nil, allow, allow},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			rule := specs.LinuxSyscall{Names: []string{"read", "openat2", "mount"}, Action: specs.ActErrno, ErrnoRet: ptr(7)}
			p := &specs.LinuxSeccomp{DefaultAction: test.def, DefaultErrnoRet: test.errno,
				Architectures: []specs.Arch{specs.ArchX86, specs.ArchX32}, Syscalls: []specs.LinuxSyscall{rule}}
			prog := mustCompile(t, p)
			for _, a := range []specs.Arch{specs.ArchX86_64, specs.ArchX86, specs.ArchX32} {
				bit := uint32(0)
				if a == specs.ArchX32 {
					bit = x32Bit
				}
				checkRet(t, string(a)+" openat2", decide(t, prog, a, "openat2"), unix.SECCOMP_RET_ERRNO|7)
				checkRet(t, string(a)+" next", decideNr(prog, a, bit|438), test.newer)
				checkRet(t, string(a)+" far", decideNr(prog, a, bit|far), test.newer)
				checkRet(t, string(a)+" chroot", decide(t, prog, a, "chroot"), test.within)
			}
		})
	}
}

func TestForeignNumbers(t *testing.T) {
	p := &specs.LinuxSeccomp{DefaultAction: specs.ActErrno, Syscalls: []specs.LinuxSyscall{call(specs.ActAllow, "read")}}
	prog := mustCompile(t, p)
	checkRet(t, "x32", decideNr(prog, specs.ArchX86_64, x32Bit|far32), unix.SECCOMP_RET_KILL_PROCESS)
	checkRet(t, "x86", decideNr(prog, specs.ArchX86, 3), unix.SECCOMP_RET_KILL_PROCESS)
	checkRet(t, "arm64", decideNr(prog, specs.ArchAARCH64, 63), unix.SECCOMP_RET_KILL_PROCESS)
	checkRet(t, "-1", decideNr(prog, specs.ArchX86_64, ^uint32(0)), eperm)
}

const far32 = 5000

func TestForeignArchitectures(t *testing.T) {
	arches := []specs.Arch{specs.ArchX86, specs.ArchX32, specs.ArchARM, specs.ArchAARCH64, specs.ArchMIPSEL, specs.ArchMIPSEL64,
		specs.ArchMIPSEL64N32, specs.ArchPPC64LE, specs.ArchRISCV64}
	p := &specs.LinuxSeccomp{DefaultAction: specs.ActErrno, Architectures: arches,
		Syscalls: []specs.LinuxSyscall{call(specs.ActAllow, "read", "clone3", "cacheflush")}}
	prog := mustCompile(t, p)
	for _, a := range append(arches, specs.ArchX86_64) {
		checkRet(t, string(a)+" read", decide(t, prog, a, "read"), allow)
		checkRet(t, string(a)+" clone3", decide(t, prog, a, "clone3"), allow)
		checkRet(t, string(a)+" openat2", decide(t, prog, a, "openat2"), nosys)
		checkRet(t, string(a)+" chroot", decide(t, prog, a, "chroot"), eperm)
	}
	checkRet(t, "arm cacheflush", decide(t, prog, specs.ArchARM, "cacheflush"), allow)
	checkRet(t, "arm breakpoint", decide(t, prog, specs.ArchARM, "breakpoint"), eperm)
}

func TestNoCallKnownOnOneArchitecture(t *testing.T) {
	p := &specs.LinuxSeccomp{DefaultAction: specs.ActErrno, Architectures: []specs.Arch{specs.ArchX86},
		Syscalls: []specs.LinuxSyscall{call(specs.ActAllow, "waitpid")}}
	prog := mustCompile(t, p)
	checkRet(t, "x86", decideNr(prog, specs.ArchX86, 8), nosys)
	checkRet(t, "x86_64", decideNr(prog, specs.ArchX86_64, far32), eperm)
}

// TestLongPrelude has more sections than a conditional jump reaches over.
func TestLongPrelude(t *testing.T) {
	list := []newest{{audit: unix.AUDIT_ARCH_X86_64, last: 10, x32: x32Bit | 20}, {audit: unix.AUDIT_ARCH_ARM, last: 30, x32: -1},
		{audit: unix.AUDIT_ARCH_S390X, last: 40, x32: -1}, {audit: 1, last: -1, x32: -1}, {audit: 2, last: -1, x32: x32Bit | 50}}
	for i := range uint32(100) {
		list = append(list, newest{audit: 1000 + i, last: int64(i), x32: -1})
	}
	end := encode(nil, opRet, 0, 0, allow)
	prog := append(prelude(list), end...)
	if err := bpfvm.Check(prog); err != nil {
		t.Fatal(err)
	}
	if n := len(prog) / compiled.InsnSize; n < 400 {
		t.Fatalf("%d instructions: not long", n)
	}
	for _, test := range []struct {
		arch, nr uint32
		want     uint32
	}{
		{unix.AUDIT_ARCH_X86_64, 10, allow}, {unix.AUDIT_ARCH_X86_64, 11, nosys},
		{unix.AUDIT_ARCH_X86_64, x32Bit | 20, allow}, {unix.AUDIT_ARCH_X86_64, x32Bit | 21, nosys},
		{unix.AUDIT_ARCH_ARM, 30, allow}, {unix.AUDIT_ARCH_ARM, 31, nosys},
		{unix.AUDIT_ARCH_ARM, armPrivate - 1, nosys}, {unix.AUDIT_ARCH_ARM, armPrivate + 2, allow},
		{unix.AUDIT_ARCH_S390X, 0, nosys}, {unix.AUDIT_ARCH_S390X, 1, allow},
		{unix.AUDIT_ARCH_S390X, 40, allow}, {unix.AUDIT_ARCH_S390X, 41, nosys},
		{1, 5000, allow}, {2, 5000, allow}, {2, x32Bit | 50, allow}, {2, x32Bit | 51, nosys},
		{1000, 0, allow}, {1000, 1, nosys}, {1050, 50, allow}, {1050, 51, nosys},
		{1099, 99, allow}, {1099, 100, nosys}, {9999, 5000, allow},
	} {
		ret, _ := bpfvm.Run(prog, &bpfvm.Data{Arch: test.arch, Nr: test.nr})
		if ret != test.want {
			t.Errorf("arch %#x number %#x: %#x, want %#x", test.arch, test.nr, ret, test.want)
		}
	}
	if prelude(nil) != nil || !bytes.Equal(append(prelude(list[3:4]), end...), end) {
		t.Error("a prelude without a section")
	}
}
