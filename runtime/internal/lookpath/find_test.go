package lookpath

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

func TestFind(t *testing.T) {
	dir, empty := t.TempDir(), t.TempDir()
	program := filepath.Join(dir, "program")
	if err := os.WriteFile(program, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(empty, "program"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	find := func(path, want string, wantErr error) {
		t.Helper()
		t.Setenv("PATH", path)
		if got, err := Find("program"); got != want || err != wantErr {
			t.Errorf("PATH=%s: %q, %v, want %q, %v", path, got, err, want, wantErr)
		}
	}
	find(dir, "", unix.EACCES) // not executable
	find(empty, "", unix.EACCES)
	find(program+":/none", "", unix.ENOENT)
	if err := os.Chmod(program, 0o755); err != nil {
		t.Fatal(err)
	}
	find(empty+":"+dir, program, nil)
	find(":.:", "", unix.ENOENT) // the working directory
	find("", "", unix.ENOENT)
}
