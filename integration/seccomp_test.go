package integration

import (
	"fmt"
	"strings"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

func filter(def specs.LinuxSeccompAction, rules ...specs.LinuxSyscall) Edit {
	return Linux(func(l *specs.Linux) {
		l.Seccomp = &specs.LinuxSeccomp{DefaultAction: def, Architectures: []specs.Arch{specs.ArchX86_64}, Syscalls: rules}
	})
}

func rule(action specs.LinuxSeccompAction, name string, args ...specs.LinuxSeccompArg) specs.LinuxSyscall {
	return specs.LinuxSyscall{Names: []string{name}, Action: action, Args: args}
}

// errnoOf runs one system call in a container and returns the errno it gave.
func errnoOf(r *cli, edit Edit, nr int, args ...int) string {
	r.t.Helper()
	words := strings.Fields(strings.Trim(fmt.Sprint(append([]int{nr}, args...)), "[]"))
	b := newBundle(r.t, probe(append([]string{"syscall"}, words...)...), edit)
	return strings.TrimSpace(r.Run(b).Exited(0).Stdout)
}

func expectErrno(r *cli, edit Edit, want unix.Errno, nr int, args ...int) {
	r.t.Helper()
	if got := errnoOf(r, edit, nr, args...); got != itoa(int(want)) {
		r.t.Errorf("system call %d%v gave errno %s, want %d (%v)", nr, args, got, int(want), want)
	}
}

func TestSeccompErrno(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	expectErrno(r, filter(specs.ActAllow, rule(specs.ActErrno, "getpriority")), unix.EPERM, unix.SYS_GETPRIORITY)
	busy := uint(unix.EBUSY)
	custom := rule(specs.ActErrno, "getpriority")
	custom.ErrnoRet = &busy
	expectErrno(r, filter(specs.ActAllow, custom), unix.EBUSY, unix.SYS_GETPRIORITY)
	expectErrno(r, filter(specs.ActAllow, custom), 0, unix.SYS_GETSID)
}

func TestSeccompKill(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	for _, action := range []specs.LinuxSeccompAction{specs.ActKillProcess, specs.ActKill} {
		b := newBundle(t, Shell("renice -n 1 $$; echo $?"), filter(specs.ActAllow, rule(action, "setpriority")))
		r.Run(b).Exited(0).Printed(itoa(128 + int(unix.SIGSYS)))
	}
	b := newBundle(t, probe("syscall", itoa(unix.SYS_GETPRIORITY)), filter(specs.ActAllow, rule(specs.ActKillProcess, "getpriority")))
	r.Run(b).Exited(128 + int(unix.SIGSYS))
}

func TestSeccompTrap(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	b := newBundle(t, probe("syscall", itoa(unix.SYS_GETPRIORITY)), filter(specs.ActAllow, rule(specs.ActTrap, "getpriority")))
	if res := r.Run(b); res.Code == 0 || !strings.Contains(res.Stderr, "SIGSYS") {
		t.Errorf("exit %d, stderr %q: Go reports the SIGSYS it gets", res.Code, clip(res.Stderr))
	}
}

func TestSeccompArguments(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	for _, c := range []struct {
		op    specs.LinuxSeccompOperator
		value uint64
		two   uint64
		hits  []int // first arguments that the rule catches
		lets  []int
	}{
		{specs.OpEqualTo, 7, 0, []int{7}, []int{6, 8}},
		{specs.OpNotEqual, 7, 0, []int{6, 8}, []int{7}},
		{specs.OpLessThan, 7, 0, []int{6}, []int{7, 8}},
		{specs.OpLessEqual, 7, 0, []int{6, 7}, []int{8}},
		{specs.OpGreaterThan, 7, 0, []int{8}, []int{6, 7}},
		{specs.OpGreaterEqual, 7, 0, []int{7, 8}, []int{6}},
		{specs.OpMaskedEqual, 0x6, 0x4, []int{4, 5, 12}, []int{2, 6}},
	} {
		arg := specs.LinuxSeccompArg{Index: 0, Value: c.value, ValueTwo: c.two, Op: c.op}
		edit := filter(specs.ActAllow, rule(specs.ActErrno, "dup", arg)) // dup of what is not open: EBADF
		for _, n := range c.hits {
			expectErrno(r, edit, unix.EPERM, unix.SYS_DUP, n)
		}
		for _, n := range c.lets {
			if got := errnoOf(r, edit, unix.SYS_DUP, n); got == itoa(int(unix.EPERM)) {
				t.Errorf("%s %d: caught %d", c.op, c.value, n)
			}
		}
	}
}

// An argument is 64 bits wide: the rule must look at both halves.
func TestSeccompWideArguments(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	wide := specs.LinuxSeccompArg{Index: 1, Value: 1<<40 + 1, Op: specs.OpEqualTo}
	edit := filter(specs.ActAllow, rule(specs.ActErrno, "munmap", wide))
	expectErrno(r, edit, unix.EPERM, unix.SYS_MUNMAP, 0, 1<<40+1)
	expectErrno(r, edit, unix.EINVAL, unix.SYS_MUNMAP, 1, 1)
	expectErrno(r, edit, unix.EINVAL, unix.SYS_MUNMAP, 1, 1<<40)
}

func TestSeccompDefaultErrno(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	errno := uint(unix.EXDEV)
	edit := both(DockerSeccomp, Linux(func(l *specs.Linux) { l.Seccomp.DefaultErrnoRet = &errno }))
	expectErrno(r, edit, unix.EXDEV, unix.SYS_KEXEC_LOAD)
}

// A program that probes for a new system call must see ENOSYS, not EPERM, else its fall-back never runs.
func TestSeccompUnknownSyscall(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	for _, nr := range []int{600, 1000} {
		expectErrno(r, DockerSeccomp, unix.ENOSYS, nr)
	}
}

func TestSeccompDockerProfile(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	f := r.Run(newBundle(t, probe("dump"), DockerSeccomp)).Facts()
	if f.Status["Seccomp"] != "2" {
		t.Errorf("seccomp mode %s, want 2", f.Status["Seccomp"])
	}
	expectErrno(r, DockerSeccomp, unix.EPERM, unix.SYS_UNSHARE, unix.CLONE_NEWUSER)
	expectErrno(r, DockerSeccomp, unix.EPERM, unix.SYS_KEYCTL)
	expectErrno(r, DockerSeccomp, unix.EPERM, unix.SYS_BPF)
	expectErrno(r, DockerSeccomp, 0, unix.SYS_GETSID)
}

func TestSeccompWithoutNoNewPrivileges(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	edit := both(filter(specs.ActAllow, rule(specs.ActErrno, "getpriority")), User(1000, 1000),
		Process(func(p *specs.Process) { p.NoNewPrivileges = false }))
	expectErrno(r, edit, unix.EPERM, unix.SYS_GETPRIORITY)
}

func TestSeccompHoldsForExec(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	id := r.Started(newBundle(t, Args("sleep", "1000"), withProbe, filter(specs.ActAllow, rule(specs.ActErrno, "getpriority"))))
	r.Do("exec", id, "/probe", "syscall", itoa(unix.SYS_GETPRIORITY)).Exited(0).Printed(itoa(int(unix.EPERM)))
}

// The 32-bit entry of the same kernel must not be a way around the filter.
func TestSeccompForeignArchitecture(t *testing.T) {
	onlyDhow(t, "the filter kills one thread of the probe, and 1.1 then waits for ever for the others")
	t.Parallel()
	r := newCLI(t)
	const x32 = 0x40000000
	edit := filter(specs.ActAllow, rule(specs.ActErrno, "getpriority"))
	b := newBundle(t, probe("syscall", itoa(x32+unix.SYS_GETPRIORITY)), edit)
	if res := r.Run(b); res.Code == 0 && strings.TrimSpace(res.Stdout) == "0" {
		t.Error("an x32 system call went past the filter")
	}
}
