package plan

import (
	"encoding/binary"
	"slices"
	"strings"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// TestUnbindableLast: a mount of rootfsPropagation unbindable can still be cloned for masked and read-only paths, since
// it becomes unbindable after all of them.
func TestUnbindableLast(t *testing.T) {
	for _, name := range []string{"unbindable", "runbindable"} {
		p, err := Compile(&Input{Config: &specs.Spec{Root: &specs.Root{Path: "r"},
			Mounts: []specs.Mount{{Destination: "/data", Source: "/srv", Options: []string{"rbind"}}},
			Linux: &specs.Linux{RootfsPropagation: name, Namespaces: []specs.LinuxNamespace{{Type: specs.MountNamespace}},
				ReadonlyPaths: []string{"/data/a"}, MaskedPaths: []string{"/data/b"}}}})
		if err != nil {
			t.Fatal(err)
		}
		f := newFacts(p, &Input{Config: &specs.Spec{}}, false)
		clones := f.calls(unix.SYS_OPEN_TREE)
		unbindable := slices.DeleteFunc(f.calls(unix.SYS_MOUNT_SETATTR), func(i int) bool {
			return binary.NativeEndian.Uint64(f.Steps[i].Args[3].Mem.Data[16:]) != unix.MS_UNBINDABLE
		})
		if len(clones) != 4 || len(unbindable) != 1 || unbindable[0] < clones[len(clones)-1] {
			t.Errorf("%s: mounts are cloned in steps %v, and made unbindable in %v", name, clones, unbindable)
		}
	}
}

// TestRemountCloses: the descriptor that a remount opens is closed by the same task.
func TestRemountCloses(t *testing.T) {
	p := golden(t, "remount")
	f := newFacts(p, &Input{}, false)
	opened := map[uint64]bool{}
	for i := range p.Steps {
		s := &p.Steps[i]
		switch {
		case !strings.HasPrefix(p.Task(i).What, "remount "):
		case s.Call == unix.SYS_OPENAT2:
			opened[uint64(s.Save)] = true
		case s.Call == unix.SYS_CLOSE:
			if !opened[s.Args[0].Val] {
				t.Error(f.at(i, "closes what the task has not opened"))
			}
			opened[s.Args[0].Val] = false
		}
	}
	if len(opened) != 1 {
		t.Errorf("a remount opens %d descriptors", len(opened))
	}
	for reg, open := range opened {
		if open {
			t.Errorf("r%d stays open", reg)
		}
	}
}

func TestSplitData(t *testing.T) {
	for word, want := range map[string][]string{
		"size=1m":                         {"size=1m"},
		"size=1m,mode=700":                {"size=1m", "mode=700"},
		",a=1,,b,":                        {"a=1", "b"},
		`lowerdir=/a\,b:/c\\,upperdir=/u`: {`lowerdir=/a\,b:/c\\`, "upperdir=/u"},
		`context="s0:c1,c2",size=1`:       {`context="s0:c1,c2"`, "size=1"},
		`open="a,b`:                       {`open="a,b`},
		`end=\`:                           {`end=\`},
	} {
		if got := splitData(word); !slices.Equal(got, want) {
			t.Errorf("%q is split into %q, want %q", word, got, want)
		}
	}
}
