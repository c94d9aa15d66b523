package plan

import (
	"slices"

	"golang.org/x/sys/unix"
)

// firm says whether step i is a system call after which the Program goes on only when it succeeds.
func (f *facts) firm(i int, call uint32) bool {
	if i < 0 || i >= len(f.Steps) {
		return false
	}
	s := &f.Steps[i]
	return s.Op == Syscall && s.Call == call && !s.Any && s.Ok == [4]unix.Errno{}
}

// ruleUserDumpable: a change of user gives a process the dumpability of fs.suid_dumpable (prctl(2)), so that it is taken
// away again in the very next step, whether the change succeeded or not.
func ruleUserDumpable(f *facts) (bad []string) {
	again := f.prctls(unix.PR_SET_DUMPABLE, 0)
	for _, i := range f.calls(unix.SYS_SETRESUID) {
		for _, next := range f.successors(i) {
			if n := int(next); !slices.Contains(again, n) || !f.firm(n, unix.SYS_PRCTL) {
				bad = append(bad, f.at(i, "is not followed by prctl(PR_SET_DUMPABLE, 0)"))
				break
			}
		}
	}
	return bad
}

// ruleLetGo: right before the container is recorded all descriptors are closed but stdio, the preserved ones, the report
// channel, the root and the socket for `start`; from then on, while it waits or runs hooks that the container's
// processes can watch, only these and what is opened below the root are used.
func ruleLetGo(f *facts) (bad []string) {
	if f.hook {
		return nil
	}
	recorded := false
	for i := range f.Steps {
		if s := &f.Steps[i]; s.Op != Rendezvous || Code(s.Args[0].Val) != Created {
			continue
		}
		recorded = true
		if !f.closesAll(i-1) || !f.always([]int{i - 1}, i) {
			bad = append(bad, f.at(i, "the runtime's descriptors may be open"))
			continue
		}
		for j := i; j < len(f.Steps); j++ {
			bad = append(bad, f.usesOld(j, i-1)...)
		}
	}
	if !recorded {
		bad = append(bad, "it is never recorded")
	}
	return bad
}

// closesAll says whether step i closes everything above the descriptors that stay, with the root among those.
func (f *facts) closesAll(i int) bool {
	if !f.firm(i, unix.SYS_CLOSE_RANGE) {
		return false
	}
	root := uint64(f.in.slot(imageSlot))
	first := root + 1
	if f.in.Wait {
		first++ // the listener is the first of the files
	}
	placed := slices.DeleteFunc(f.calls(unix.SYS_DUP3), func(j int) bool {
		a := f.Steps[j].Args
		return !f.firm(j, unix.SYS_DUP3) || a[1].Val != root || f.kind(a[0]) != "root"
	})
	a := f.Steps[i].Args
	return a[0] == num(first) && a[1] == num(0xffffffff) && a[2] == num(0) && f.always(placed, i)
}

// usesOld lists the descriptors among the arguments of step i that step closed has closed, and lookups that start from
// the working directory.
func (f *facts) usesOld(i, closed int) (bad []string) {
	s := &f.Steps[i]
	if s.Op != Syscall {
		return nil
	}
	_, kinds := callInfo(s.Call)
	for n, a := range s.Args {
		switch {
		case n >= len(kinds) || kinds[n] != 'D':
		case a.Kind == InReg && Reg(a.Val) != Report:
			if slices.ContainsFunc(f.Steps[:closed+1], func(old Step) bool { return uint64(old.Save) == a.Val }) {
				bad = append(bad, f.at(i, "uses a descriptor that was closed, of kind %q", f.kind(a)))
			}
		case a.Kind == Imm && int64(a.Val) == unix.AT_FDCWD:
			bad = append(bad, f.at(i, "looks up from the working directory"))
		case a.Kind == Imm && a.Val >= f.Steps[closed].Args[0].Val:
			bad = append(bad, f.at(i, "uses a file that was closed, of kind %q", f.kind(a)))
		}
	}
	return bad
}

// ruleEnds: a Program with a process to run ends in its execve, with an error or, as the parent of the process, in
// exit_group: never by running out of steps, which would look like a container that ended with status 0.
func ruleEnds(f *facts) (bad []string) {
	if !f.hook && f.in.Config.Process == nil {
		return nil
	}
	execs := f.calls(unix.SYS_EXECVE)
	for _, i := range execs {
		if !f.firm(i, unix.SYS_EXECVE) {
			bad = append(bad, f.at(i, "may fail unnoticed"))
		}
	}
	if f.reaches(0, len(f.Steps), execs) {
		bad = append(bad, "it may run out of steps without an execve")
	}
	return bad
}
