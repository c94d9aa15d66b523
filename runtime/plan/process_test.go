package plan

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
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
			regs[s.Save] = binary.NativeEndian.Uint64(b[:]) & s.Args[2].Val
		case s.Op == Compare && value(s.Args[0]) != value(s.Args[1]):
			next = s.Else
		case s.Op == Fail:
			return s.Args[1].Str
		case s.Op == Syscall && s.Call == unix.SYS_EXECVE:
			return s.Args[0].Str
		case candidate(*s) && !slices.Contains(exist, s.Args[1].Str):
			next = s.Else
		case candidate(*s):
			binary.NativeEndian.PutUint16(s.Args[4].Mem.Data[statxMode:], unix.S_IFREG)
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
