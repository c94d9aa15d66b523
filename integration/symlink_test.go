package integration

import (
	"os"
	"path/filepath"
	"testing"
)

// crun's copy-symlink makes a link to what the source links to, and not a mount of that.
func TestCopySymlink(t *testing.T) {
	if underTest.kind == Runc {
		onlyDhow(t, "it has no copy-symlink")
	}
	t.Parallel()
	r := newCLI(t)
	dir, at := t.TempDir(), itoa(len(DefaultSpec().Mounts))
	link, file := filepath.Join(dir, "link"), filepath.Join(dir, "file")
	must(t, os.Symlink("../some/where/nowhere", link))
	must(t, os.WriteFile(file, []byte("content\n"), 0o644))
	b := newBundle(t, Shell("readlink /etc/x/link; cat /mnt/file; grep -c /etc/x /proc/self/mountinfo"),
		Bind(link, "/etc/x/link", "copy-symlink"), Bind(file, "/mnt/file", "copy-symlink"))
	for range 2 { // the second time the link is there
		r.Run(b).Printed("../some/where/nowhere\ncontent\n0")
	}
	for name, edit := range map[string]Edit{
		"a file": File("etc/x/link", "", 0o644), "a directory": Dir("etc/x/link"),
		"another link": Symlink("../some/where/nowhera", "etc/x/link"), "a longer link": Symlink("../some/where/nowheres", "etc/x/link"),
	} {
		res := r.Run(newBundle(t, Bind(link, "/etc/x/link", "copy-symlink"), edit)).Exited(1)
		if underTest.kind == Dhow {
			res.Failed("cannot link /etc/x/link to ../some/where/nowhere (mounts[" + at + "]): something else is there already")
		}
		t.Logf("%s: %s", name, res.Stderr)
	}
}
