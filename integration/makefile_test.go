package integration

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// `make test-vm` starts a second machine after one whose tests failed, but not after one that was interrupted.
func TestMakeTestVM(t *testing.T) {
	if _, err := exec.LookPath("make"); err != nil {
		t.Skip("there is no make")
	}
	for _, tt := range []struct {
		name, code string
		machines   int
	}{{"passed", "0", 2}, {"failed", "1", 2}, {"interrupted", "130", 1}} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			makefile, err := filepath.Abs("../Makefile")
			must(t, err)
			must(t, os.Mkdir(filepath.Join(dir, "bin"), 0o755))
			script(t, filepath.Join(dir, "bin/vm"), "echo started\nexit "+tt.code)
			script(t, filepath.Join(dir, "bin/testcount"), "cat")
			out, err := exec.Command("make", "-C", dir, "-f", makefile, "GO=true", "test-vm").Output()
			var exit *exec.ExitError
			if failed := errors.As(err, &exit); err != nil && !failed || failed != (tt.code != "0") {
				t.Errorf("make: %v", err)
			}
			if n := strings.Count("\n"+string(out), "\nstarted"); n != tt.machines {
				t.Errorf("%d machines were started, want %d:\n%s", n, tt.machines, out)
			}
		})
	}
}

func script(t *testing.T, path, text string) {
	t.Helper()
	must(t, os.WriteFile(path, []byte("#!/bin/sh\n"+text+"\n"), 0o755))
}
