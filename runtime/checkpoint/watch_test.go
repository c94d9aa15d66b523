package checkpoint

import (
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// task starts a process in the place of one that criu restores.
func task(t *testing.T) *exec.Cmd {
	t.Helper()
	cmd := exec.Command("cat")
	in, err := cmd.StdinPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		cmd.Wait()
	})
	t.Setenv("FAKE_TASK", strconv.Itoa(cmd.Process.Pid))
	return cmd
}

// end kills a task and leaves the zombie.
func end(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	for unix.Waitid(unix.P_PID, cmd.Process.Pid, nil, unix.WEXITED|unix.WNOWAIT, nil) == unix.EINTR {
	}
}

func TestRestoredProcessEnds(t *testing.T) {
	cmd := task(t)
	scripts := ""
	err := start(t, "task").Restore(&Job{Work: -1}, func(n Notification) error {
		scripts += n.Script
		end(t, cmd)
		return nil
	})
	const want = "the restored process was killed by signal 9 (killed) while criu restored it"
	if err == nil || err.Error() != want || scripts != "setup-namespaces" {
		t.Errorf("%v, after %s", err, scripts)
	}

	task(t)
	c := start(t, "stuck")
	c.grace = 0
	err = c.Restore(&Job{Work: -1}, func(Notification) error { return nil })
	if err == nil || err.Error() != strings.Replace(want, "9 (killed)", "15 (terminated)", 1) {
		t.Errorf("criu does not notice: %v", err)
	}
}

// What runs may end while criu takes its leave.
func TestRestoredProcessEndsLater(t *testing.T) {
	cmd := task(t)
	err := start(t, "resumed").Restore(&Job{Work: -1}, func(n Notification) error {
		if n.Script == "post-resume" {
			end(t, cmd)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// The end of criu is seen also when a process that it has made still holds its socket.
func TestSocketOutlivesCriu(t *testing.T) {
	fd := -1
	err := start(t, "held").Restore(&Job{Work: -1}, func(n Notification) error { fd = n.FD; return nil })
	closeFD(fd)
	if err == nil || err.Error() != "criu cannot restore: it ended with status 7 and without an answer" || fd < 0 {
		t.Errorf("%v, descriptor %d", err, fd)
	}
}

func TestEndOf(t *testing.T) {
	for stat, want := range map[string]string{
		"": "ended", "7 (a) Z x": "ended", "7 (a) Z 0 9": "was killed by signal 9 (killed)", "7 (a) Z 0 139\n": "was killed by signal 11 (segmentation fault)",
		"7 (a) Z 0 256": "ended with status 1",
	} {
		if got := endOf([]byte(stat)); got != want {
			t.Errorf("%q: %q, want %q", stat, got, want)
		}
	}
}

func TestKilled(t *testing.T) {
	for line, want := range map[string]string{
		"3351 killed by signal 9: Killed": "was killed by signal 9 (killed)", "3351 killed by signal x: ": "", "a killed by signal 9: Killed": "",
		"3351 exited, status=1": "", "": "",
	} {
		if got := killed(line); got != want {
			t.Errorf("%q: %q, want %q", line, got, want)
		}
	}
}
