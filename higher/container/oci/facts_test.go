package oci

import (
	"os"
	"path/filepath"
	"testing"
)

func TestSwapLimit(t *testing.T) {
	for name, c := range map[string]struct {
		files   []string
		cmdline string
		want    bool
	}{
		"a group with both":         {[]string{"cg/a/memory.max", "cg/a/memory.swap.max"}, "swapaccount=0", true},
		"a group with memory alone": {[]string{"cg/a/memory.max", "proc/swaps"}, "", false},
		"in a container":            {[]string{"cg/memory.max", "cg/memory.swap.max"}, "", true},
		"no group yet":              {[]string{"cg/a/pids.max", "proc/swaps"}, "quiet", true},
		"not counted":               {[]string{"proc/swaps"}, "quiet swapaccount=0", false},
		"no swap space at all":      {[]string{"cg/a/pids.max"}, "", false},
	} {
		dir := t.TempDir()
		write := func(file, text string) {
			path := filepath.Join(dir, file)
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		write("proc/cmdline", c.cmdline+"\n")
		for _, f := range c.files {
			write(f, "")
		}
		if got := swapLimit(filepath.Join(dir, "cg"), filepath.Join(dir, "proc")); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
