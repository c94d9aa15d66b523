package container

import (
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// fakeKernel makes uname(2) answer with a release until the test ends.
func fakeKernel(t *testing.T, release string, err error) {
	t.Helper()
	old := uname
	t.Cleanup(func() { uname = old })
	uname = func(u *unix.Utsname) error {
		copy(u.Release[:], release)
		return err
	}
}

func TestCheckKernel(t *testing.T) {
	for release, want := range map[string]bool{
		"5.13.19": false, "5.13": false, "5.9.16": false, "5.4.0-150-generic": false, "4.19.0-26-amd64": false, "3.10.0": false, "0.99": false, "5": false, "5.": false,
		"5.14.0-rc1": true, "5.14": true, "5.14+": true, "5.15.167.4-microsoft-standard-WSL2": true, "5.140.0": true, "6.18.44-x": true, "6.0": true, "6": true,
		"10.0": true, "10.2.1": true, "": false, "garbage": false, ".14": false, "v6.1": false, "-6.1": false, "5-14": false, "5.x": false,
		strings.Repeat("6", 64): true, "6" + strings.Repeat(" ", 64): false, // too long: the field has no end
	} {
		fakeKernel(t, release, nil)
		err := CheckKernel()
		if (err == nil) != want || err != nil && (!isInvalid(err) || !strings.Contains(err.Error(), "at least 5.14 is needed")) {
			t.Errorf("Linux %q: %v", release, err)
		}
		if err != nil && len(release) < 64 && !strings.Contains(err.Error(), "on Linux "+release+": ") {
			t.Errorf("the error for %q does not say so: %v", release, err)
		}
	}
}

// TestCheckKernelUnknown: without an answer the system calls themselves will tell.
func TestCheckKernelUnknown(t *testing.T) {
	fakeKernel(t, "3.10.0", unix.EFAULT)
	if err := CheckKernel(); err != nil {
		t.Error(err)
	}
}

// TestOldKernelRefused: before anything is looked at or made.
func TestOldKernelRefused(t *testing.T) {
	fakeKernel(t, "5.13.19", nil)
	s := &Store{Root: t.TempDir() + "/state"}
	if err := s.Create("c1", CreateOptions{Bundle: "/nonexistent"}); !isInvalid(err) || !strings.HasPrefix(err.Error(), "cannot run containers ") {
		t.Errorf("the error is %v", err)
	}
}
