package main

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestInherit has this test run again with descriptors 3, 4 and 6 open.
func TestInherit(t *testing.T) {
	const env = "DHOW_TEST_INHERIT"
	if os.Getenv(env) != "" {
		n, err := inherit()
		fmt.Println("inherited", n, err)
		for _, fd := range []uintptr{3, 4, 6} {
			flags, err := unix.FcntlInt(fd, unix.F_GETFD, 0)
			fmt.Println("close-on-exec", flags == unix.FD_CLOEXEC, err)
		}
		return
	}
	null, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	cmd := exec.Command("/proc/self/exe", "-test.run=^TestInherit$")
	cmd.Env = append(os.Environ(), env+"=1")
	cmd.ExtraFiles = []*os.File{null, null, nil, null}
	out, err := cmd.CombinedOutput()
	want := "inherited 2 <nil>\n" + strings.Repeat("close-on-exec true <nil>\n", 3)
	if err != nil || !strings.HasPrefix(string(out), want) {
		t.Errorf("%v, %s", err, out)
	}
}

func TestPreserveTooMany(t *testing.T) {
	b := newBundle(t, "b")
	const want = "cannot preserve file descriptor 7 (--preserve-fds 5): it is not open"
	refuse(t, "create --preserve-fds 5 "+b, 1, want)
	refuse(t, "run --preserve-fds 5 "+b, 1, want)
	refuse(t, "exec --preserve-fds 5 web true", 255, want)
}
