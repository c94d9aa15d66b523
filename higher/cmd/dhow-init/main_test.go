package main

import (
	"bufio"
	"os"
	"os/exec"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// The test's own program is dhow-init when it is called so.
func TestMain(m *testing.M) {
	if os.Getenv("DHOW_TEST_INIT") != "" {
		os.Unsetenv("DHOW_TEST_INIT")
		os.Exit(run(os.Args[1:]))
	}
	os.Exit(m.Run())
}

func initCommand(args ...string) *exec.Cmd {
	c := exec.Command("/proc/self/exe", args...)
	c.Env = append(os.Environ(), "DHOW_TEST_INIT=1")
	return c
}

func TestExitStatus(t *testing.T) {
	for name, tt := range map[string]struct {
		args []string
		want int
	}{
		"success":        {[]string{"--", "true"}, 0},
		"failure":        {[]string{"--", "sh", "-c", "exit 7"}, 7},
		"signal":         {[]string{"--", "sh", "-c", "kill -KILL $$"}, 137},
		"no program":     {[]string{"--", "/nosuch"}, 127},
		"not in $PATH":   {[]string{"nosuchprogram"}, 127},
		"not executable": {[]string{"--", "/etc/passwd"}, 126},
		"nothing":        {nil, 1},
	} {
		t.Run(name, func(t *testing.T) {
			c := initCommand(tt.args...)
			_ = c.Run()
			if got := c.ProcessState.ExitCode(); got != tt.want {
				t.Errorf("exit status %d, want %d", got, tt.want)
			}
		})
	}
}

func TestSignalsAreHandedOn(t *testing.T) {
	c := initCommand("--", "sh", "-c", `trap "exit 9" USR1; echo ready; while :; do read line; done`)
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); strings.TrimSpace(line) != "ready" {
		t.Fatalf("%q, %v", line, err)
	}
	if err := c.Process.Signal(unix.SIGUSR1); err != nil {
		t.Fatal(err)
	}
	in.Close()
	_ = c.Wait()
	if got := c.ProcessState.ExitCode(); got != 9 {
		t.Errorf("exit status %d, want 9", got)
	}
}

// In a pid namespace of its own, where orphans come to it, none stays a zombie.
func TestOrphansAreReaped(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root, for a pid namespace")
	}
	// The shell in the middle ends at once, and so leaves its child to process 1; a zombie still takes signals.
	c := initCommand("--", "sh", "-c", `orphan=$(sh -c 'true > /dev/null & echo $!'); i=0
		while kill -0 $orphan 2> /dev/null; do i=$((i+1)); [ $i -lt 1000000 ] || exit 1; done`)
	c.SysProcAttr = &unix.SysProcAttr{Cloneflags: unix.CLONE_NEWPID}
	if out, err := c.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}
