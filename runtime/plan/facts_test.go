package plan

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/spec"
)

// facts is a Program with what can be said about its descriptors and its flow.
type facts struct {
	*Program
	in     *Input
	hook   bool // made by CompileHook
	kinds  map[Reg]string
	change int // last step that changes what "/" is: pivot_root, chroot, or setns on the init's pidfd
}

func newFacts(p *Program, in *Input, hook bool) *facts {
	f := &facts{Program: p, in: in, hook: hook, kinds: map[Reg]string{Report: "report"}, change: -1}
	for i := range p.Steps {
		s := &p.Steps[i]
		if s.Op == Syscall && (s.Call == unix.SYS_PIVOT_ROOT || s.Call == unix.SYS_CHROOT ||
			s.Call == unix.SYS_SETNS && f.kind(s.Args[0]) == "pidfd") {
			f.change = i
		}
		if s.Save == 0 || s.Save == Report {
			continue
		}
		kind := f.result(s)
		if old, ok := f.kinds[s.Save]; ok && old != kind {
			kind = "either " + old + " or " + kind
		}
		f.kinds[s.Save] = kind
	}
	return f
}

// has says whether the Program makes a call.
func (f *facts) has(call uint32) bool { return len(f.calls(call)) > 0 }

// calls lists the steps that make one of the calls.
func (f *facts) calls(calls ...uint32) []int {
	var list []int
	for i := range f.Steps {
		if f.Steps[i].Op == Syscall && slices.Contains(calls, f.Steps[i].Call) {
			list = append(list, i)
		}
	}
	return list
}

// prctls lists the steps that set a process attribute to a value.
func (f *facts) prctls(option, value uint64) []int {
	return slices.DeleteFunc(f.calls(unix.SYS_PRCTL), func(i int) bool {
		return f.Steps[i].Args[0].Val != option || f.Steps[i].Args[1].Val != value
	})
}

var fileKinds = [...]string{OpenPath: "opened", OpenTree: "tree", CgroupTask: "tasks", Listener: "listener", Pidfd: "pidfd", HostProc: "host proc", Network: "network"}

// kind says what a descriptor is, by where it comes from.
func (f *facts) kind(a Arg) string {
	switch {
	case a.Kind == InReg:
		return f.kinds[Reg(a.Val)]
	case a.Kind != Imm:
		return "?"
	case int64(a.Val) == unix.AT_FDCWD:
		return "cwd"
	case a.Val < 3:
		return "stdio"
	}
	for i := range f.Files {
		if uint64(f.Files[i].FD) == a.Val {
			return fileKinds[f.Files[i].Kind]
		}
	}
	for _, i := range f.calls(unix.SYS_DUP3) {
		if to := f.Steps[i].Args[1]; to.Val == a.Val {
			return f.kind(f.Steps[i].Args[0])
		}
	}
	return "?"
}

// result says what a step leaves in its register.
func (f *facts) result(s *Step) string {
	if s.Op != Syscall {
		return "value"
	}
	var dir string
	if len(s.Args) > 0 {
		dir = f.kind(s.Args[0])
	}
	switch s.Call {
	case unix.SYS_OPENAT, unix.SYS_OPENAT2:
		return f.opened(s, dir)
	case unix.SYS_FSOPEN:
		return "fs " + s.Args[0].Str
	case unix.SYS_FSMOUNT:
		return "detached " + strings.TrimPrefix(dir, "fs ")
	case unix.SYS_OPEN_TREE:
		if dir == "cwd" && s.Args[1].Str == "." {
			return "root"
		}
		return "tree"
	}
	return CallName(s.Call)
}

func (f *facts) opened(s *Step, dir string) string {
	switch dir {
	case "root", "inside":
		return "inside"
	case "detached proc":
		return "proc file"
	case "host proc":
		config := f.in.Config
		if f.in.Host.Unprivileged || f.in.Host.UserNamespace || // no power to make one
			spec.Namespace(config, specs.UserNamespace) != nil && !spec.NewNamespace(config, specs.PIDNamespace) {
			return "proc file"
		}
	case "cwd":
		if s.Call == unix.SYS_OPENAT2 || s.Args[1].Str == "/" && f.has(unix.SYS_PIVOT_ROOT) {
			return "host"
		}
		return "root"
	}
	return "in " + dir
}

// openHow returns flags and resolve of an openat2 step.
func openHow(s *Step) (flags, resolve uint64) {
	how := s.Args[2].Mem.Data
	return binary.NativeEndian.Uint64(how), binary.NativeEndian.Uint64(how[16:])
}

// successors are the steps that can follow step i.
func (f *facts) successors(i int) []int32 {
	s := &f.Steps[i]
	switch {
	case s.Op == Fail || s.Op == Exit:
		return nil
	case s.Op == Compare && s.Args[0].Kind == Imm && s.Args[1].Kind == Imm:
		if s.Args[0].Val == s.Args[1].Val {
			return []int32{s.Next}
		}
		return []int32{s.Else}
	case s.Op == Compare || s.Any || s.Ok != [4]unix.Errno{}:
		return []int32{s.Next, s.Else}
	}
	return []int32{s.Next}
}

// reaches says whether the Program can get from step `from` to step `to` without any of the steps in avoid.
func (f *facts) reaches(from, to int, avoid []int) bool {
	seen := make([]bool, len(f.Steps)+1)
	todo := []int{from}
	for len(todo) > 0 {
		i := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if i == to {
			return true
		}
		if i >= len(f.Steps) || seen[i] || slices.Contains(avoid, i) {
			continue
		}
		seen[i] = true
		for _, next := range f.successors(i) {
			todo = append(todo, int(next))
		}
	}
	return false
}

// always says whether every way to step i leads through one of the steps.
func (f *facts) always(steps []int, i int) bool { return len(steps) > 0 && !f.reaches(0, i, steps) }

// checks lists the Compare steps that compare what call has filled in about fd (at off) with value
// and that fail when they are equal (or, with wantEqual, when they are not).
func (f *facts) checks(call uint32, fd Arg, off, value uint64, wantEqual bool) []int {
	regs := map[uint64]bool{}
	writer := map[*Mem]int{} // the last step that wrote to memory: it may serve many steps
	var list []int
	for i := range f.Steps {
		s := &f.Steps[i]
		switch {
		case s.Op == Syscall:
			for _, a := range s.Args {
				if a.Kind == Pointer {
					writer[a.Mem] = i
				}
			}
		case s.Op == Load && s.Args[0].Val == off:
			w, written := writer[s.Args[0].Mem]
			from := &f.Steps[w]
			if written && from.Call == call && sameArg(from.Args[0], fd) && f.always([]int{w}, i) {
				regs[uint64(s.Save)] = true
			}
		case s.Op == Compare && s.Args[0].Kind == InReg && regs[s.Args[0].Val] && s.Args[1].Val == value:
			bad := s.Next
			if wantEqual {
				bad = s.Else
			}
			if int(bad) < len(f.Steps) && f.Steps[bad].Op == Fail {
				list = append(list, i)
			}
		}
	}
	return list
}

func sameArg(a, b Arg) bool { return a.Kind == b.Kind && a.Val == b.Val && a.Mem == b.Mem }

// at spells a violation.
func (f *facts) at(i int, format string, args ...any) string {
	return fmt.Sprintf("step %d, %s: ", i, f.Steps[i].format()) + fmt.Sprintf(format, args...)
}
