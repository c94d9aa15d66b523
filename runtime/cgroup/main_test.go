package cgroup_test

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// The test binary is also the program that runs inside the groups under test
// (helperEnv) and the one that runs the host tests where /sys/fs/cgroup is a
// pure cgroup2 mount (unifiedEnv), in a mount namespace of its own.
const (
	helperEnv  = "DHOW_CGROUP_TEST_HELPER"
	unifiedEnv = "DHOW_CGROUP_TEST_UNIFIED"
)

func TestMain(m *testing.M) {
	if mode := os.Getenv(helperEnv); mode != "" {
		os.Exit(helper(mode))
	}
	if os.Getenv(unifiedEnv) != "" {
		if err := mountUnified(); err != nil {
			fmt.Fprintln(os.Stderr, "cannot mount cgroup2:", err)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}

// mountUnified puts a cgroup2 mount over what this mount namespace has at
// /sys/fs/cgroup. The namespace is private: the host keeps its mounts.
func mountUnified() error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return err
	}
	if err := unix.Unmount("/sys/fs/cgroup", unix.MNT_DETACH); err != nil {
		return err
	}
	return unix.Mount("none", "/sys/fs/cgroup", "cgroup2", 0, "")
}

// TestUnifiedHost runs the TestHost tests again on a unified host.
func TestUnifiedHost(t *testing.T) {
	needRoot(t)
	if detect(t).V2Root == "/sys/fs/cgroup" {
		t.Skip("this host is unified already")
	}
	args := []string{"-test.run=^TestHost", "-test.v"}
	if dir := os.Getenv("GOCOVERDIR"); dir != "" {
		args = append(args, "-test.gocoverdir="+dir)
	}
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append(os.Environ(), unifiedEnv+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: unix.CLONE_NEWNS}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("on a unified host: %v\n%s", err, out)
	}
	for line := range strings.SplitSeq(string(out), "\n") {
		if strings.Contains(line, "--- ") {
			t.Log(strings.TrimSpace(line))
		}
	}
}

// helper is the program inside the group. It reports with one line on its
// output, then lives until its input ends.
func helper(mode string) int {
	in := bufio.NewReader(os.Stdin)
	if mode == "gated" { // allocate when told to
		_, _ = in.ReadString('\n')
		mode = "alloc"
	}
	switch verb, arg, _ := strings.Cut(mode, " "); verb {
	case "fork":
		fmt.Println(forkUntilRefused())
	case "open":
		fmt.Println(openErrno(arg))
	case "alloc":
		_ = bytes.Count(bytes.Repeat([]byte{1}, 256<<20), []byte{1})
		fmt.Println("survived")
	case "echo":
		fmt.Println("ready")
		for {
			line, err := in.ReadString('\n')
			if err != nil {
				return 0
			}
			fmt.Print(line)
		}
	}
	_, _ = in.ReadString(0)
	return 0
}

// forkUntilRefused starts processes that block; the error that stops it, or ok.
func forkUntilRefused() string {
	for range 64 {
		r, _, err := os.Pipe()
		if err != nil {
			return err.Error()
		}
		if _, err := os.StartProcess("/bin/cat", []string{"cat"}, &os.ProcAttr{Files: []*os.File{r}}); err != nil {
			return err.Error()
		}
	}
	return "ok"
}

func openErrno(file string) string {
	fd, err := unix.Open(file, unix.O_RDWR|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return err.Error()
	}
	unix.Close(fd)
	return "ok"
}
