package integration

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"
)

// Whatever criu is to do about control groups, what it restores is in those of the container.
func TestCheckpointCgroupsMode(t *testing.T) {
	onlyDhow(t, "1.1 does not know them all")
	t.Parallel()
	for _, mode := range []string{"soft", "full", "ignore", "strict"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			s := newSaved(t, []string{"count"})
			s.checkpoint("--manage-cgroups-mode", mode).Exited(0)
			if mode == "strict" { // wants to make them itself; runc 1.5 fails, too
				s.restore("--manage-cgroups-mode", mode).Failed("existing cgroups")
				s.gone()
				return
			}
			s.restore("--manage-cgroups-mode", mode).Exited(0)
			for _, line := range lines(readFile(t, "/proc/"+itoa(s.State(s.id).Pid)+"/cgroup")) {
				if _, group, _ := strings.Cut(line, ":"); !strings.Contains(line, s.id) && !strings.HasPrefix(group, ":") && !strings.HasPrefix(group, "misc:") {
					t.Errorf("the restored process is in %s", line)
				}
			}
			s.goesOn()
		})
	}
}

// Pages that have been restored are freed in the image files.
func TestCheckpointAutoDedup(t *testing.T) {
	t.Parallel()
	s := newSaved(t, []string{"count"})
	s.checkpoint("--auto-dedup").Exited(0)
	blocks := func() int64 {
		var st unix.Stat_t
		must(t, unix.Stat(filepath.Join(s.images, "pages-1.img"), &st))
		return st.Blocks
	}
	before := blocks()
	s.restore("--auto-dedup").Exited(0)
	if after := blocks(); before == 0 || after >= before {
		t.Errorf("%d blocks of pages, and %d after the restore", before, after)
	}
	s.goesOn()
}

func TestCheckpointDefaultImagePath(t *testing.T) {
	t.Parallel()
	s := newSaved(t, []string{"count"})
	cmd := s.Command("checkpoint", s.id)
	cmd.Dir = s.out
	s.DoCommand(cmd).Exited(0)
	s.images = filepath.Join(s.out, "checkpoint")
	s.restore().Exited(0)
	s.goesOn()
}

// before has the container's shell do something before the program starts.
func before(script string) Edit {
	return func(b *Bundle) {
		b.Spec.Process.Args = append([]string{"/bin/sh", "-c", script + `; exec "$@"`, "sh"}, b.Spec.Process.Args...)
	}
}

// An open file that has lost its name, but not its last one, gets one for the time being.
func TestCheckpointLinkRemap(t *testing.T) {
	onlyDhow(t, "1.1 has no --link-remap")
	t.Parallel()
	s := newSaved(t, []string{"count"}, before("echo kept > /out/a; exec 8</out/a; ln /out/a /out/b; rm /out/a"))
	s.Do("checkpoint", "--image-path", s.images, s.id).Failed("link-remap").Exited(1)
	s.awaitNumbers(3)
	s.checkpoint("--link-remap").Exited(0)
	s.restore().Exited(0)
	s.Must("exec", s.id, "/bin/cat", "/proc/1/fd/8").Printed("kept")
	if names, err := filepath.Glob(filepath.Join(s.out, "link_remap*")); err != nil || names != nil {
		t.Errorf("left over: %v, %v", names, err)
	}
	s.goesOn()
}

// A connection that nobody has accepted yet is left out.
func TestCheckpointTCPInFlight(t *testing.T) {
	onlyDhow(t, "1.1 has no --tcp-skip-in-flight")
	t.Parallel()
	s := newSaved(t, []string{"talk"})
	pid := s.State(s.id).Pid
	fd := dialIn(t, pid, listening(t, pid))
	defer unix.Close(fd)
	s.Do("checkpoint", "--image-path", s.images, "--tcp-established", s.id).Failed("n-flight").Exited(1)
	s.awaitNumbers(3)
	s.checkpoint("--tcp-established", "--tcp-skip-in-flight").Exited(0)
	s.restore("--tcp-established").Exited(0)
	s.goesOn()
}

// listening finds the port that something listens at in the network of a process.
func listening(t *testing.T, pid int) int {
	t.Helper()
	for _, line := range lines(readFile(t, "/proc/"+itoa(pid)+"/net/tcp")) {
		if f := strings.Fields(line); len(f) > 3 && f[3] == "0A" {
			_, port, _ := strings.Cut(f[1], ":")
			n, err := strconv.ParseUint(port, 16, 16)
			must(t, err)
			return int(n)
		}
	}
	t.Fatal("nobody listens")
	return 0
}

// dialIn connects to a port of the loopback device in the network of a process.
func dialIn(t *testing.T, pid, port int) int {
	t.Helper()
	fd := -1
	var err error
	onThread(func() {
		var ns *os.File
		if ns, err = os.Open(fmt.Sprintf("/proc/%d/ns/net", pid)); err == nil {
			err = unix.Setns(int(ns.Fd()), unix.CLONE_NEWNET)
			ns.Close()
		}
		if err == nil {
			fd, err = unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
		}
		if err == nil {
			err = unix.Connect(fd, &unix.SockaddrInet4{Port: port, Addr: [4]byte{127, 0, 0, 1}})
		}
	})
	must(t, err)
	return fd
}

// A terminal that is not the container's own is that of the caller of restore.
func TestCheckpointShellJob(t *testing.T) {
	onlyDhow(t, "fails to restore it")
	t.Parallel()
	s := newSaved(t, []string{"count"})
	s.Must("delete", "--force", s.id)
	must(t, os.Remove(filepath.Join(s.out, "log")))
	onTerminal := func(args ...string) (*result, string) {
		master, slave, err := pty.Open()
		must(t, err)
		t.Cleanup(func() { master.Close() })
		defer slave.Close()
		cmd := s.Command(args...)
		cmd.Stdin, cmd.Stdout, cmd.Stderr = slave, slave, slave
		var rdev unix.Stat_t
		must(t, unix.Fstat(int(slave.Fd()), &rdev))
		return s.DoCommand(cmd), strconv.FormatUint(rdev.Rdev, 10)
	}
	res, _ := onTerminal("run", "-d", "--bundle", s.b.Dir, s.id)
	res.Exited(0)
	s.Do("checkpoint", "--image-path", s.images, s.id).Failed("terminal", "--shell-job").Exited(1)
	s.awaitNumbers(3)
	s.checkpoint("--shell-job").Exited(0)
	res, want := onTerminal("restore", "-d", "--shell-job", "--image-path", s.images, "--bundle", s.b.Dir, s.id)
	s.explain(res, "restore.log")
	res.Exited(0)
	for fd := range 3 {
		var st unix.Stat_t
		must(t, unix.Stat(fmt.Sprintf("/proc/%d/fd/%d", s.State(s.id).Pid, fd), &st))
		if got := strconv.FormatUint(st.Rdev, 10); got != want {
			t.Errorf("descriptor %d is device %s, the caller's is %s", fd, got, want)
		}
	}
	s.goesOn()
}

// Pipes can be restored with --shell-job, too.
func TestCheckpointShellJobWithPipes(t *testing.T) {
	onlyDhow(t, "has no standard input for criu then")
	t.Parallel()
	s := newSaved(t, []string{"count"})
	s.checkpoint("--shell-job").Exited(0)
	s.restore("--shell-job").Exited(0)
	s.goesOn()
}

func TestRestoreLSMAndTheRest(t *testing.T) {
	t.Parallel()
	s := newSaved(t, []string{"count"})
	s.checkpoint().Exited(0)
	if _, err := os.Stat("/sys/module/apparmor"); errors.Is(err, os.ErrNotExist) {
		s.restore("--lsm-profile", "apparmor:unconfined").Failed().Exited(1)
		s.gone()
	}
	s.restore("--no-pivot", "--no-subreaper", "--lsm-mount-context", "system_u:object_r:container_file_t:s0").Exited(0)
	s.goesOn()
}
