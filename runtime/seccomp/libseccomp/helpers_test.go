package libseccomp

import (
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	lib "github.com/seccomp/libseccomp-golang"
	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/runtime/seccomp/internal/bpfvm"
)

// Return values of filters.
const (
	allow = uint32(unix.SECCOMP_RET_ALLOW)
	eperm = unix.SECCOMP_RET_ERRNO | uint32(unix.EPERM)
	nosys = unix.SECCOMP_RET_ERRNO | uint32(unix.ENOSYS)
	kill  = uint32(unix.SECCOMP_RET_KILL_THREAD)
)

func ptr(n uint) *uint { return &n }

// mustCompile compiles a profile to a filter that the kernel would take.
func mustCompile(t testing.TB, p *specs.LinuxSeccomp) []byte {
	t.Helper()
	prog, err := Compile(p)
	if err != nil {
		t.Fatal(err)
	}
	if err := bpfvm.Check(prog.Insns); err != nil {
		t.Fatal("the kernel would refuse the filter:", err)
	}
	return prog.Insns
}

// decide runs a filter for a system call, by name, on an architecture.
func decide(t testing.TB, prog []byte, arch specs.Arch, name string, args ...uint64) uint32 {
	t.Helper()
	nr, err := lib.GetSyscallFromNameByArch(name, knownArch[arch].lib)
	if err != nil || nr < 0 {
		t.Fatalf("%s is no system call of %s (%d, %v)", name, arch, nr, err)
	}
	return decideNr(prog, arch, uint32(nr), args...)
}

func decideNr(prog []byte, arch specs.Arch, nr uint32, args ...uint64) uint32 {
	d := bpfvm.Data{Arch: knownArch[arch].audit, Nr: nr}
	copy(d.Args[:], args)
	ret, _ := bpfvm.Run(prog, &d)
	return ret
}

func call(action specs.LinuxSeccompAction, names ...string) specs.LinuxSyscall {
	return specs.LinuxSyscall{Names: names, Action: action}
}
