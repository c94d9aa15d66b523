package container

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

func TestMakeTarget(t *testing.T) {
	for _, tt := range []struct {
		name        string
		links       map[string]string
		path        string
		directory   bool
		made        string
		errorIsLoop bool
	}{
		{"trailing link", map[string]string{"hosts": "/tmp/hosts"}, "/hosts", false, "tmp/hosts", false},
		{"directory", map[string]string{"dir": "tmp/d"}, "/dir", true, "tmp/d", false},
		{"link on the way", map[string]string{"jump": "/tmp/foo/bar", "etc": "jump/baz"}, "etc/hosts", false, "tmp/foo/bar/baz/hosts", false},
		{"out of the root", map[string]string{"up": "../../../../../x/../y"}, "/up/f", false, "y/f", false},
		{"loop", map[string]string{"a": "b", "b": "a"}, "/a/f", false, "", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "root")
			if err := os.MkdirAll(dir, 0o755); err != nil {
				t.Fatal(err)
			}
			for link, to := range tt.links {
				if err := os.Symlink(to, filepath.Join(dir, link)); err != nil {
					t.Fatal(err)
				}
			}
			root, err := unix.Open(dir, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
			if err != nil {
				t.Fatal(err)
			}
			defer unix.Close(root)
			err = (&target{root: root}).make(tt.path, tt.directory)
			if (err != nil) != tt.errorIsLoop {
				t.Fatal(err)
			}
			if st, err := os.Lstat(filepath.Join(dir, tt.made)); err != nil || st.IsDir() != tt.directory && !tt.errorIsLoop {
				t.Errorf("%v, %v", st, err)
			}
		})
	}
}
