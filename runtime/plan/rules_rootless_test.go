package plan

import (
	"slices"

	"golang.org/x/sys/unix"
)

// badRootless break the rules for Programs of a runtime that is not root.
var badRootless = []badProgram{
	{"not dumpable from the first step", "not attended", "makes the process dumpable", func(c *compiler) {
		c.in.Host.Unprivileged = true
		c.prctl(unix.PR_SET_DUMPABLE, num(0))
		c.prctl(unix.PR_SET_DUMPABLE, num(1))
		c.rendezvous(Created)
		c.prctl(unix.PR_SET_DUMPABLE, num(0))
	}},
	{"not dumpable from the first step", "left so", "makes the process dumpable", func(c *compiler) {
		c.in.Host.Unprivileged = true
		c.prctl(unix.PR_SET_DUMPABLE, num(0))
		c.prctl(unix.PR_SET_DUMPABLE, num(1))
		c.rendezvous(WriteIDMaps)
		c.call(unix.SYS_SETSID)
	}},
	{"not dumpable from the first step", "by root", "makes the process dumpable", func(c *compiler) {
		c.prctl(unix.PR_SET_DUMPABLE, num(0))
		c.prctl(unix.PR_SET_DUMPABLE, num(1))
		c.rendezvous(WriteIDMaps)
		c.prctl(unix.PR_SET_DUMPABLE, num(0))
	}},
	{"not dumpable from the first step", "in a pid namespace", "makes the process dumpable", func(c *compiler) {
		c.in.Host.Unprivileged = true
		c.prctl(unix.PR_SET_DUMPABLE, num(0))
		c.refork()
		c.attended(WriteIDMaps)
	}},
	{"no path but under a descriptor", "mount of the host, late", `"/data"`, func(c *compiler) {
		c.in.Host.Unprivileged = true
		c.call(unix.SYS_MOVE_MOUNT, rootOf(c), str(""), cwd, str("."), num(0))
		c.openTree(cwd, "/data", 0)
	}},
	{"executes its own file once at most", "another file", "the Program's own file", func(c *compiler) { badAgain(c, num(0)) }},
	{"executes its own file once at most", "by root", "is not the one step", func(c *compiler) {
		badAgain(c, num(uint64(c.in.slot(imageSlot))))
	}},
	{"executes its own file once at most", "dumpable", "not followed by prctl", func(c *compiler) { badAgain(c, num(0)) }},
	{"executes its own file once at most", "late", "comes after step 0", func(c *compiler) {
		rootOf(c)
		badAgain(c, num(0))
	}},
	{"executes its own file once at most", "remembers", "was there before", func(c *compiler) {
		root := rootOf(c)
		badAgain(c, num(0))
		c.close(root)
	}},
	{"executes its own file once at most", "never", "without being executed again", func(c *compiler) {
		c.p.Again = 1
		c.call(unix.SYS_SETSID)
	}},
}

func badAgain(c *compiler, file Arg) {
	c.call(unix.SYS_EXECVEAT, file, str(""), ptr(vector(nil)), ptr(vector(nil)), num(unix.AT_EMPTY_PATH))
	c.p.Again = len(c.p.Steps)
	c.call(unix.SYS_SETSID)
}

// attended says whether step i makes the process dumpable only while the parent, which is not root, writes to its
// files in procfs: for one rendezvous, before it is in a pid namespace where others see it.
func (f *facts) attended(i int) bool {
	if !f.in.Host.Unprivileged || i+2 >= len(f.Steps) || slices.ContainsFunc(f.calls(unix.SYS_CLONE), func(c int) bool { return c < i }) {
		return false
	}
	meeting := &f.Steps[i+1]
	return meeting.Op == Rendezvous && slices.Contains([]Code{WriteIDMaps, OOMScore}, Code(meeting.Args[0].Val)) &&
		f.firm(i+2, unix.SYS_PRCTL) && slices.Contains(f.prctls(unix.PR_SET_DUMPABLE, 0), i+2)
}

// ruleAgain: a Program that has its file executed a second time does so once, by the file's own descriptor, for a
// runtime that is not root, before there is anything of the container in reach; it goes on at the next step, which makes
// it undumpable again, and there it remembers nothing of before.
func ruleAgain(f *facts) (bad []string) {
	again := f.calls(unix.SYS_EXECVEAT)
	if len(again) == 0 {
		if f.Again != 0 {
			bad = append(bad, "it is to go on at a step without being executed again")
		}
		return bad
	}
	i := again[0]
	if len(again) > 1 || f.Again != i+1 || !f.firm(i, unix.SYS_EXECVEAT) || !f.in.Host.Unprivileged {
		bad = append(bad, f.at(i, "is not the one step before %d", f.Again))
	}
	if s := &f.Steps[i]; s.Args[0] != num(uint64(f.in.slot(imageSlot))) || s.Args[1].Str != "" || s.Args[4].Val != unix.AT_EMPTY_PATH {
		bad = append(bad, f.at(i, "does not execute the Program's own file"))
	}
	if !slices.Contains(f.prctls(unix.PR_SET_DUMPABLE, 0), i+1) || !f.firm(i+1, unix.SYS_PRCTL) {
		bad = append(bad, f.at(i, "is not followed by prctl(PR_SET_DUMPABLE, 0)"))
	}
	for _, j := range f.calls(unix.SYS_CLONE, unix.SYS_MOVE_MOUNT, unix.SYS_OPEN_TREE) {
		if j < i {
			bad = append(bad, f.at(i, "comes after step %d", j))
		}
	}
	return append(bad, f.remembers(i)...)
}

// remembers lists the steps behind i that use a register which only steps before it have set.
func (f *facts) remembers(i int) (bad []string) {
	set := map[uint64]bool{uint64(Report): true, 0: true}
	for j := i + 1; j < len(f.Steps); j++ {
		for _, a := range f.Steps[j].Args {
			if a.Kind == InReg && !set[a.Val] && slices.ContainsFunc(f.Steps[:i], func(s Step) bool { return uint64(s.Save) == a.Val }) {
				bad = append(bad, f.at(j, "uses what was there before the file was executed again"))
			}
		}
		set[uint64(f.Steps[j].Save)] = true
	}
	return bad
}
