package integration

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// DESIGN rule 2: sysctls and labels never go through what the container shows at /proc.

func withSysctl(b *Bundle) {
	b.Spec.Linux.Sysctl = map[string]string{"net.ipv4.ip_forward": "1", "kernel.shm_rmid_forced": "1"}
}

// The image's own /proc directory holds files where the sysctls would be.
func TestAttackSysctlIntoAFakeProc(t *testing.T) {
	knownHole(t, "CVE-2025-52881")
	t.Parallel()
	r := newCLI(t)
	host, check := untouched(t)
	b := newBundle(t, withSysctl, NoMount("/proc"), File("proc/sys/kernel/shm_rmid_forced", "old", 0o644),
		Symlink(host+"/file", "proc/sys/net/ipv4/ip_forward"))
	r.Run(b)
	check()
	if got := readFile(t, filepath.Join(b.Rootfs(), "proc/sys/kernel/shm_rmid_forced")); got != "old" {
		t.Errorf("the sysctl went into the image's file: %q", got)
	}
}

// CVE-2025-52881: a bind over /proc/sys redirects the write to a file of the attacker's choice.
func TestAttackSysctlThroughABind(t *testing.T) {
	knownHole(t, "CVE-2025-52881")
	t.Parallel()
	r := newCLI(t)
	dir := t.TempDir()
	for _, name := range []string{"net/ipv4/ip_forward", "kernel/shm_rmid_forced"} {
		path := filepath.Join(dir, "sys", name)
		must(t, os.MkdirAll(filepath.Dir(path), 0o755))
		must(t, os.WriteFile(path, []byte("old"), 0o644))
	}
	for _, edit := range []Edit{
		both(NoMount("/proc"), Bind(dir, "/proc")),
		Bind(dir+"/sys", "/proc/sys"),
		both(NoMount("/proc"), Symlink("/fake", "proc"), Dir("fake"), Bind(dir, "/fake")),
	} {
		r.Run(newBundle(t, withSysctl, edit))
		if got := readFile(t, filepath.Join(dir, "sys/net/ipv4/ip_forward")); got != "old" {
			t.Errorf("the sysctl went into the bound file: %q", clip(got))
		}
	}
}

// CVE-2019-16884, CVE-2023-27561: a /proc that is not procfs must not get the process's labels and
// attributes either. Without a real one the runtime may refuse; the file must stay as it is.
func TestAttackProcIsATmpfsOrALink(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	host, check := untouched(t)
	r.Run(newBundle(t, NoMount("/proc"), Mount("tmpfs", "tmpfs", "/proc"), withSysctl))
	r.Run(newBundle(t, Symlink(host, "proc"), withSysctl))
	check()
	r.Run(newBundle(t, Symlink(host, "sys")))
	check()
}

// DESIGN rule 5, CVE-2024-21626: a working directory that is a leaked descriptor of the host.
func TestAttackCwdThroughADescriptor(t *testing.T) {
	t.Parallel()
	r, b := newCLI(t), newBundle(t, probe("cwd"))
	for fd := 3; fd < 24; fd++ {
		for _, self := range []string{"self", "1", "thread-self"} {
			if fd > 10 && self != "self" {
				continue
			}
			Cwd("/proc/" + self + "/fd/" + itoa(fd))(b)
			must(t, b.Save())
			if res := r.Run(b); res.Code == 0 && strings.TrimSpace(res.Stdout) != "inside" {
				t.Errorf("cwd %s: %s", b.Spec.Process.Cwd, res.Stdout)
			}
		}
	}
}

// The same through a link of the image's, and for exec.
func TestAttackCwdThroughALink(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	for fd := 3; fd < 12; fd++ {
		b := newBundle(t, probe("cwd"), Symlink("/proc/self/fd/"+itoa(fd), "work"), Cwd("/work"))
		if res := r.Run(b); res.Code == 0 && strings.TrimSpace(res.Stdout) != "inside" {
			t.Errorf("link to descriptor %d: %s", fd, res.Stdout)
		}
	}
}

func TestAttackExecCwdThroughADescriptor(t *testing.T) {
	t.Parallel()
	r, id := sleeper(t)
	for fd := 3; fd < 16; fd++ {
		res := r.Do("exec", "--cwd", "/proc/self/fd/"+itoa(fd), id, "/probe", "cwd")
		if res.Code == 0 && strings.TrimSpace(res.Stdout) != "inside" {
			t.Errorf("descriptor %d: %s", fd, res.Stdout)
		}
	}
}

// A directory handed on on purpose is still no way out as a working directory.
func TestAttackCwdThroughAPreservedDescriptor(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	dir, err := os.Open("/")
	must(t, err)
	defer dir.Close()
	cmd := r.Command("run", "--preserve-fds", "1", "--bundle", newBundle(t, probe("cwd"), Cwd("/proc/self/fd/3")).Dir, r.ID())
	cmd.ExtraFiles = []*os.File{dir}
	if res := r.DoCommand(cmd); res.Code == 0 && strings.TrimSpace(res.Stdout) != "inside" {
		t.Errorf("escaped: %s", res.Stdout)
	}
}

// DESIGN rule 4: exec leaks no more than run.
func TestAttackNoDescriptorsInExec(t *testing.T) {
	t.Parallel()
	r, id := sleeper(t)
	cmd := r.Command("exec", id, "/probe", "dump")
	cmd.ExtraFiles = someFiles(t, 4)
	for fd, target := range r.DoCommand(cmd).Facts().FDs {
		if fd > 2 {
			t.Errorf("exec leaks descriptor %d: %s", fd, target)
		}
	}
}

// A hook gets its stdin, stdout and stderr, and nothing that the runtime or the runtime's caller has open.
func TestAttackNoDescriptorsInHooks(t *testing.T) {
	onlyDhow(t, "1.1 leaks its own pipes into createContainer hooks")
	t.Parallel()
	r, log := newCLI(t), newHookLog(t)
	id := r.ID()
	cmd := r.Command("run", "--bundle", newBundle(t, log.all()).Dir, id)
	cmd.ExtraFiles = someFiles(t, 4)
	r.DoCommand(cmd).Exited(0)
	if got := len(log.Entries()); got != 7 {
		t.Errorf("%d hooks ran, want 7", got)
	}
	for _, h := range log.Entries() {
		for fd, target := range h.Facts.FDs {
			if fd > 2 {
				t.Errorf("hook %s has descriptor %d: %s", h.Facts.Args[0], fd, target)
			}
		}
	}
}

// DESIGN rule 7: before execve nothing in the container may read or trace the init process.
func TestAttackInitIsNotDumpable(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	b := newBundle(t, MappedUser, Args("sleep", "1000"))
	id := r.Create(b)
	pid := r.State(id).Pid
	// The files of a process that is not dumpable belong to root of the host (proc(5)).
	if owner := ownerOf(t, "/proc/"+itoa(pid)+"/environ"); owner != 0 {
		t.Errorf("init can be dumped by uid %d before start", owner)
	}
	r.Must("start", id)
	await(t, "sleep to run", func() bool { return ownerOf(t, "/proc/"+itoa(pid)+"/environ") == 100000 })
}
