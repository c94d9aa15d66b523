package plan

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/spec"
)

// searched follows a Program from its search for the executable on, where each call succeeds and of all candidates only
// those in exist are there. It returns the path that is executed, or the message it fails with.
func searched(p *Program, exist ...string) string {
	regs := make([]uint64, p.Regs)
	value := func(a Arg) uint64 {
		if a.Kind == InReg {
			return regs[a.Val]
		}
		return a.Val
	}
	candidate := func(s Step) bool {
		return s.Op == Syscall && s.Call == unix.SYS_STATX && s.Args[0] == cwd
	}
	for i := slices.IndexFunc(p.Steps, candidate); i < len(p.Steps); {
		s := &p.Steps[i]
		next := s.Next
		switch {
		case s.Op == Load:
			var b [8]byte
			copy(b[:], s.Args[0].Mem.Data[s.Args[0].Val:][:s.Args[1].Val])
			regs[s.Save] = binary.LittleEndian.Uint64(b[:]) & s.Args[2].Val
		case s.Op == Compare && value(s.Args[0]) != value(s.Args[1]):
			next = s.Else
		case s.Op == Fail:
			return s.Args[1].Str
		case s.Op == Syscall && s.Call == unix.SYS_EXECVE:
			return s.Args[0].Str
		case candidate(*s) && !slices.Contains(exist, s.Args[1].Str):
			next = s.Else
		case candidate(*s):
			binary.LittleEndian.PutUint16(s.Args[4].Mem.Data[statxMode:], unix.S_IFREG)
		}
		i = int(next)
	}
	return "no steps left"
}

// TestLongPath: the program is found in whatever entry of PATH it is, and nothing is an error, not a success.
func TestLongPath(t *testing.T) {
	const missing = `exec: "sh": executable file not found in $PATH`
	for _, c := range []struct {
		entries int
		in      []int // the entries that hold the program, counted from 1
		want    string
	}{
		{2, []int{2}, "/d2/sh"}, {300, []int{1}, "/d1/sh"}, {255, []int{255}, "/d255/sh"}, {256, []int{256}, "/d256/sh"},
		{300, []int{255}, "/d255/sh"}, {300, []int{256}, "/d256/sh"}, {300, []int{257}, "/d257/sh"}, {300, []int{300}, "/d300/sh"},
		{300, []int{300, 256, 44}, "/d44/sh"}, {600, []int{512}, "/d512/sh"}, {600, []int{513, 512}, "/d512/sh"},
		{2, nil, missing}, {255, nil, missing}, {256, nil, missing}, {300, nil, missing}, {512, nil, missing}, {2000, nil, missing},
		{2000, []int{999}, "/d999/sh"}, {maxCandidates, []int{maxCandidates}, "/d1000/sh"},
	} {
		var dirs, exist []string
		for i := range c.entries {
			dirs = append(dirs, fmt.Sprintf("/d%d", i+1))
		}
		for _, i := range c.in {
			exist = append(exist, fmt.Sprintf("/d%d/sh", i))
		}
		p, err := Compile(&Input{Config: &specs.Spec{Root: &specs.Root{Path: "r"},
			Process: &specs.Process{Args: []string{"sh"}, Cwd: "/", Env: []string{"PATH=" + strings.Join(dirs, ":")}}}})
		if err != nil {
			t.Fatal(err)
		}
		if got := searched(p, exist...); got != c.want {
			t.Errorf("%d entries, the program in %v: %q, want %q", c.entries, c.in, got, c.want)
		}
	}
}

// TestSysctlFiles: what is written is the file that package spec has checked, however the name is spelled.
func TestSysctlFiles(t *testing.T) {
	for _, key := range []string{"net.ipv4.ip_forward", "net/ipv4/ip_forward", "net/ipv4/conf/lo.x/forwarding", "net.ipv4.conf.lo/x.forwarding",
		"net.ipv4/conf.all", "net/ipv4.conf/all", "kernel.sem/", "kernel/sem", "hostname"} {
		want, err := spec.SysctlFile(key)
		if err != nil {
			t.Fatal(err)
		}
		p, err := Compile(&Input{Config: &specs.Spec{Root: &specs.Root{Path: "r"}, Linux: &specs.Linux{Sysctl: map[string]string{key: "1"}}}})
		if err != nil {
			t.Fatal(err)
		}
		var written []string
		f := newFacts(p, &Input{Config: &specs.Spec{}}, false)
		for _, i := range f.calls(unix.SYS_OPENAT2) {
			if f.kind(f.Steps[i].Args[0]) == "detached proc" {
				written = append(written, f.Steps[i].Args[1].Str)
			}
		}
		if !slices.Equal(written, []string{"sys/" + want}) {
			t.Errorf("the sysctl %s is written to %q, want sys/%s", key, written, want)
		}
	}
}

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
