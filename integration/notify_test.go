package integration

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// notify has the agent asked about system calls.
func notify(a *seccompAgent, noNewPrivileges bool, names ...string) Edit {
	return func(b *Bundle) {
		b.Spec.Process.NoNewPrivileges = noNewPrivileges
		b.Spec.Linux.Seccomp = &specs.LinuxSeccomp{
			DefaultAction: specs.ActAllow, Architectures: []specs.Arch{specs.ArchX86_64},
			ListenerPath: a.Path, ListenerMetadata: `some "metadata"`,
			Syscalls: []specs.LinuxSyscall{{Names: names, Action: specs.ActNotify}},
		}
	}
}

// The filter is loaded at another place with no_new_privs than without.
var bothPrivileges = map[string]bool{"no_new_privs": true, "new privileges": false}

func TestNotify(t *testing.T) {
	t.Parallel()
	for name, nnp := range bothPrivileges {
		t.Run(name, func(t *testing.T) {
			r := newCLI(t)
			a := newAgent(t, unix.SYS_GETPRIORITY, unix.ENOMEDIUM)
			b := newBundle(t, probe("syscall", itoa(unix.SYS_GETPRIORITY)), notify(a, nnp, "getpriority"), User(1000, 1000))
			id := r.ID()
			r.Do("run", "--bundle", b.Dir, id).Exited(0).Printed(itoa(int(unix.ENOMEDIUM)))
			s := a.State()
			if s.Version == "" || len(s.Fds) != 1 || s.Fds[0] != "seccompFd" || s.Pid <= 0 || s.Metadata != `some "metadata"` ||
				s.State.ID != id || s.State.Pid != s.Pid || s.State.Bundle != b.Dir || s.State.Version == "" {
				t.Errorf("the agent got the state %+v", s)
			}
		})
	}
}

func TestNotifyAcrossCreateAndStart(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	a := newAgent(t, unix.SYS_GETPRIORITY, unix.ENOMEDIUM)
	id := r.Create(newBundle(t, Args("sleep", "1000"), notify(a, true, "getpriority")))
	r.Must("start", id)
	if s := a.State(); s.Pid != r.State(id).Pid || s.State.ID != id {
		t.Errorf("the agent got the state %+v", s)
	}
}

// Each exec has a listener of its own.
func TestNotifyExec(t *testing.T) {
	t.Parallel()
	for name, nnp := range bothPrivileges {
		t.Run(name, func(t *testing.T) {
			r := newCLI(t)
			a := newAgent(t, unix.SYS_GETPRIORITY, unix.ENOMEDIUM)
			id := r.Started(newBundle(t, Args("sleep", "1000"), withProbe, notify(a, nnp, "getpriority")))
			pid := a.State().Pid
			r.Do("exec", id, "/probe", "syscall", itoa(unix.SYS_GETPRIORITY)).Exited(0).Printed(itoa(int(unix.ENOMEDIUM)))
			if s := a.State(); s.Pid == pid || s.Pid <= 0 || s.State.Pid != pid || s.State.Status != specs.StateRunning {
				t.Errorf("the agent got the state %+v; the init is %d", s, pid)
			}
		})
	}
}

// A startContainer hook is under the filter, and the agent is asked about what it does.
func TestNotifyOfAHook(t *testing.T) {
	t.Parallel()
	for name, nnp := range bothPrivileges {
		t.Run(name, func(t *testing.T) {
			r := newCLI(t)
			a := newAgent(t, unix.SYS_GETPRIORITY, unix.ENOMEDIUM)
			b := newBundle(t, Args("sleep", "1000"), withProbe, notify(a, nnp, "getpriority"), func(b *Bundle) {
				b.Spec.Linux.Seccomp.Syscalls = append(b.Spec.Linux.Seccomp.Syscalls,
					rule(specs.ActErrno, "mkdir"), rule(specs.ActErrno, "mkdirat"))
				call := "mkdir /tmp/made; /probe syscall " + itoa(unix.SYS_GETPRIORITY) + " > /tmp/answer"
				b.Spec.Hooks = &specs.Hooks{StartContainer: []specs.Hook{{Path: "/bin/sh", Args: []string{"sh", "-c", call}}}}
			})
			for _, verb := range []string{"run", "create"} {
				id := r.ID()
				if verb == "run" {
					r.Detached("run", "--detach", "--bundle", b.Dir, id).Exited(0)
				} else {
					r.Detached("create", "--bundle", b.Dir, id).Exited(0)
					r.Must("start", id)
				}
				answer := filepath.Join(b.Rootfs(), "tmp/answer")
				await(t, "the hook", func() bool { return exists(answer) && readFile(t, answer) != "" }) // runc's start does not
				if got := strings.TrimSpace(readFile(t, answer)); got != itoa(int(unix.ENOMEDIUM)) {
					t.Errorf("the hook got errno %s", got)
				}
				must(t, os.Remove(answer))
				if exists(filepath.Join(b.Rootfs(), "tmp/made")) {
					t.Error("the hook made a directory that the profile forbids")
				}
				r.Must("delete", "--force", id)
			}
		})
	}
}

// Calls that the runtime makes itself once the filter is in force are the agent's to answer, but for the
// one that hands the listener over.
func TestNotifyOfTheRuntimesCalls(t *testing.T) {
	t.Parallel()
	for name, nnp := range bothPrivileges {
		t.Run(name, func(t *testing.T) {
			r := newCLI(t)
			names := []string{"execve", "openat", "open", "read", "close", "fcntl"}
			if underTest.kind == Dhow {
				names = append(names, "sendmsg", "prctl", "capset", "setgroups", "setresuid", "exit_group")
			}
			a := newAgent(t, -1, 0)
			r.Run(newBundle(t, Args("true"), notify(a, nnp, names...))).Exited(0)
			if !a.Saw(unix.SYS_EXECVE) {
				t.Error("execve went past the filter")
			}
		})
	}
}

// The listener gets out under a filter that denies the call for that, and only the listener does.
func TestNotifyUnderADeniedSendmsg(t *testing.T) {
	onlyDhow(t, "it sends the number of the descriptor with write(2)")
	t.Parallel()
	for name, nnp := range bothPrivileges {
		t.Run(name, func(t *testing.T) {
			r := newCLI(t)
			a := newAgent(t, unix.SYS_GETPRIORITY, unix.ENOMEDIUM)
			deny := Linux(func(l *specs.Linux) {
				l.Seccomp.Syscalls = append(l.Seccomp.Syscalls, rule(specs.ActErrno, "sendmsg"), rule(specs.ActKillProcess, "setpriority"))
			})
			edit := both(notify(a, nnp, "getpriority"), deny)
			expectErrno(r, edit, unix.ENOMEDIUM, unix.SYS_GETPRIORITY)
			expectErrno(r, edit, unix.EPERM, unix.SYS_SENDMSG, 1, 0, 0, 0, 0)
			expectErrno(r, edit, unix.EPERM, unix.SYS_SENDMSG, 1, 0, 0, 1, 2)
		})
	}
}

// When the agent has gone the calls fail with ENOSYS; they do not hang.
func TestNotifyAgentGone(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	a := newAgent(t, unix.SYS_GETPRIORITY, unix.ENOMEDIUM)
	id := r.Started(newBundle(t, Shell("trap '/probe syscall 140 > /out; exit' USR1; while :; do sleep 0.05; done"), withProbe,
		notify(a, true, "getpriority")))
	a.State()
	a.stop()
	r.Must("kill", id, "USR1")
	r.AwaitStatus(id, "stopped")
}

func TestNotifyWithoutAnAgent(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	a := newAgent(t, 0, 0)
	a.stop()
	b := newBundle(t, Args("true"), notify(a, true, "getpriority"))
	r.Run(b).Failed("failed to connect with seccomp agent")
	b = newBundle(t, Args("true"), notify(&seccompAgent{Path: "@dhow-no-such-agent"}, true, "getpriority"))
	r.Run(b).Failed("failed to connect with seccomp agent")
}

// A container whose agent is not there at `start` goes on waiting.
func TestNotifyAgentComesLater(t *testing.T) {
	onlyDhow(t, "it connects at create")
	t.Parallel()
	r := newCLI(t)
	a := newAgent(t, 0, 0)
	agentless := newBundle(t, Args("true"), notify(&seccompAgent{Path: a.Path + "2"}, true, "getpriority"))
	id := r.Create(agentless)
	r.Do("start", id).Failed("linux.seccomp.listenerPath", "failed to connect with seccomp agent")
	if s := r.State(id); s.Status != "created" {
		t.Errorf("status %s after a start without an agent", s.Status)
	}
}

func TestNotifyMistakes(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	a := newAgent(t, 0, 0)
	profile := func(f func(*specs.LinuxSeccomp)) *Bundle {
		return newBundle(t, Args("true"), notify(a, true, "getpriority"), Linux(func(l *specs.Linux) { f(l.Seccomp) }))
	}
	r.Run(profile(func(s *specs.LinuxSeccomp) { s.ListenerPath, s.ListenerMetadata = "", "" })).Failed("listenerPath")
	r.Run(profile(func(s *specs.LinuxSeccomp) { s.DefaultAction = specs.ActNotify })).Failed("SCMP_ACT_NOTIFY cannot be used as default action")
	r.Run(profile(func(s *specs.LinuxSeccomp) { s.Syscalls[0].Names = []string{"write"} })).
		Failed("SCMP_ACT_NOTIFY cannot be used for the write syscall")
	// A listener that no rule needs is left alone.
	r.Run(profile(func(s *specs.LinuxSeccomp) { s.Syscalls, s.ListenerPath = nil, "/no/such/agent" })).Exited(0)
}

func TestNotifyWaitKillable(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	a := newAgent(t, unix.SYS_GETPRIORITY, unix.ENOMEDIUM)
	edit := both(notify(a, true, "getpriority"), Linux(func(l *specs.Linux) {
		l.Seccomp.Flags = []specs.LinuxSeccompFlag{specs.LinuxSeccompFlagWaitKillableRecv, "SECCOMP_FILTER_FLAG_TSYNC"}
	}))
	b := newBundle(t, probe("syscall", itoa(unix.SYS_GETPRIORITY)), edit)
	if res := r.Run(b); res.Code == 0 || !strings.Contains(res.Stderr, "SetWaitKill") { // libseccomp too old for the peer
		res.Exited(0).Printed(itoa(int(unix.ENOMEDIUM)))
	}
}
