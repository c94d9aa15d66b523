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

// Whoever shares the tree puts links where something has just been made: what they lead to stays as it is.
func TestMakeTargetBesideAnAttacker(t *testing.T) {
	dir := t.TempDir()
	victim, tree := filepath.Join(dir, "victim"), filepath.Join(dir, "tree")
	if err := os.WriteFile(victim, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(tree, 0o755); err != nil {
		t.Fatal(err)
	}
	root, err := unix.Open(tree, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(root)
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			default:
			}
			_ = os.Symlink(victim, filepath.Join(tree, "link"))
			if unix.Renameat2(root, "link", root, "made", unix.RENAME_EXCHANGE) == nil {
				_ = os.RemoveAll(filepath.Join(tree, "link"))
			}
		}
	}()
	for i := range 300 {
		_ = (&target{root: root}).makeOne("", "made", i%2 == 0)
		_ = unix.Unlinkat(root, "made", unix.AT_REMOVEDIR)
		_ = unix.Unlinkat(root, "made", 0)
	}
	close(stop)
	<-stopped
	if st, err := os.Stat(victim); err != nil || st.Mode() != 0o600 {
		t.Errorf("the file outside has mode %v, %v", st.Mode(), err)
	}
}
