package plan

import (
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// ruleGuard: what is attached inside the container is not attached to procfs or sysfs, unless the config says so. Only
// what hides files there is meant for them. The hierarchies of cgroup v1 go into directories just made in a tmpfs that
// passed the guard; ruleResolve wants them looked up by a plain name.
func ruleGuard(f *facts) (bad []string) {
	for _, i := range f.calls(unix.SYS_MOVE_MOUNT) {
		to := f.Steps[i].Args[2]
		switch kind := f.kind(to); {
		case kind == "cwd" || kind == "in detached tmpfs" || f.hides(i) || f.scratch(i) || f.coversHost(i):
			continue
		case kind != "inside":
			bad = append(bad, f.at(i, "attaches to a descriptor of kind %q", kind))
		}
		destination := destinationOf(f.Task(i).What)
		rel := relative(destination)
		proc := f.checks(unix.SYS_FSTATFS, to, 0, procMagic, false)
		if !procTarget(rel) && !f.always(proc, i) {
			bad = append(bad, f.at(i, "%s may be in procfs", destination))
		}
		sysfs := f.checks(unix.SYS_FSTATFS, to, 0, sysfsMagic, false)
		if rel != "sys" && !strings.HasPrefix(rel, "sys/") && !f.always(sysfs, i) {
			bad = append(bad, f.at(i, "%s may be in sysfs", destination))
		}
	}
	return bad
}

// coversHost says whether step i puts a tmpfs over one of the host's procfs that are to be hidden, before the change of
// root.
func (f *facts) coversHost(i int) bool {
	to := f.Steps[i].Args[2]
	return f.in.NoPivot && i < f.change && f.kind(f.Steps[i].Args[0]) == "detached tmpfs" &&
		slices.ContainsFunc(f.calls(unix.SYS_OPENAT), func(j int) bool {
			s := &f.Steps[j]
			return to.Kind == InReg && uint64(s.Save) == to.Val && f.kind(s.Args[0]) == "cwd" && slices.Contains(f.in.Host.Revealing, s.Args[1].Str)
		})
}

// scratch says whether step i puts a tmpfs over the host's root, as this mount namespace has it, that is taken away again:
// from its own root as the working directory.
func (f *facts) scratch(i int) bool {
	from, to := f.Steps[i].Args[0], f.kind(f.Steps[i].Args[2])
	if f.kind(from) != "detached tmpfs" || to != "host" && (to != "root" || !f.in.NoPivot) {
		return false
	}
	var gone []int
	for _, j := range f.calls(unix.SYS_UMOUNT2) {
		before := &f.Steps[j-1]
		if j > i && before.Call == unix.SYS_FCHDIR && sameArg(before.Args[0], from) {
			gone = append(gone, j)
		}
	}
	return len(gone) > 0 && !f.reaches(i, len(f.Steps), gone)
}

// ruleMount: mount(2), which takes a path, is called on the working directory alone, which is one that the runtime has
// just made in a tmpfs of its own.
func ruleMount(f *facts) (bad []string) {
	for _, i := range f.calls(unix.SYS_MOUNT) {
		if f.Steps[i].Args[1].Str != "." {
			bad = append(bad, f.at(i, "not on its working directory"))
		}
		moves := slices.DeleteFunc(f.calls(unix.SYS_FCHDIR, unix.SYS_CHDIR, unix.SYS_CHROOT, unix.SYS_PIVOT_ROOT), func(j int) bool { return j > i })
		if len(moves) == 0 || !f.always(moves[len(moves)-1:], i) {
			bad = append(bad, f.at(i, "nobody knows on which directory"))
			continue
		}
		last := &f.Steps[moves[len(moves)-1]]
		if kind := f.kind(last.Args[0]); last.Call != unix.SYS_FCHDIR || kind != "in detached tmpfs" {
			bad = append(bad, f.at(i, "on a directory of kind %q", kind))
		}
	}
	return bad
}

// hides says whether step i belongs to a masked or read-only path.
func (f *facts) hides(i int) bool {
	field := f.Task(i).Field
	return strings.HasPrefix(field, "linux.maskedPaths[") || strings.HasPrefix(field, "linux.readonlyPaths[")
}

// destinationOf is the path in a task's words; "" for one that names none, which is no excuse for a missing guard.
func destinationOf(what string) string {
	if device, ok := strings.CutPrefix(what, "bind the device "); ok {
		return device
	}
	if at := strings.LastIndex(what, " on "); at >= 0 {
		return what[at+len(" on "):]
	}
	return ""
}

// ruleNull: what covers masked files is a copy of a mount of the null device, checked.
func ruleNull(f *facts) (bad []string) {
	for _, i := range f.calls(unix.SYS_OPEN_TREE) {
		fd := f.Steps[i].Args[0]
		if f.kind(fd) != "host" || strings.HasPrefix(f.Steps[i].Args[1].Str, "sys/fs/cgroup/") { // of a systemd unit
			continue
		}
		for off, want := range map[uint64]uint64{statxMode: unix.S_IFCHR, statxMajor: 1, statxMinor: 3} {
			if !f.always(f.checks(unix.SYS_STATX, fd, off, want, true), i) {
				bad = append(bad, f.at(i, "may not be the null device (statx at %d)", off))
			}
		}
	}
	return bad
}

// ruleCwd: after every change of the working directory inside the container, getcwd(2) is asked whether it is
// inside before the container's program runs.
func ruleCwd(f *facts) (bad []string) {
	if f.hook {
		return nil
	}
	var checks []int
	for _, i := range f.calls(unix.SYS_GETCWD) {
		buffer := f.Steps[i].Args[0]
		checks = append(checks, f.checks(unix.SYS_GETCWD, buffer, 0, '/', true)...)
	}
	for _, exec := range f.calls(unix.SYS_EXECVE) {
		if !f.always(checks, exec) {
			bad = append(bad, f.at(exec, "the working directory was not checked"))
		}
		for _, i := range f.calls(unix.SYS_FCHDIR) {
			if f.kind(f.Steps[i].Args[0]) == "inside" && f.reaches(i, exec, checks) {
				bad = append(bad, f.at(i, "the working directory is not checked afterwards"))
			}
		}
	}
	return bad
}

// cloexec says for each call that makes a descriptor which argument has to hold which flag.
var cloexec = map[uint32]struct {
	arg  int
	flag uint64
}{
	unix.SYS_OPENAT: {2, unix.O_CLOEXEC}, unix.SYS_OPEN_TREE: {2, unix.OPEN_TREE_CLOEXEC}, unix.SYS_FSOPEN: {1, unix.FSOPEN_CLOEXEC}, unix.SYS_FSPICK: {2, unix.FSPICK_CLOEXEC},
	unix.SYS_FSMOUNT: {1, unix.FSMOUNT_CLOEXEC}, unix.SYS_SOCKET: {1, unix.SOCK_CLOEXEC}, unix.SYS_ACCEPT4: {3, unix.SOCK_CLOEXEC},
}

// ruleCloexec: every descriptor that a step makes is close-on-exec; only the terminal becomes stdio.
func ruleCloexec(f *facts) (bad []string) {
	for i := range f.Steps {
		s := &f.Steps[i]
		if s.Op != Syscall {
			continue
		}
		has := true
		switch s.Call {
		case unix.SYS_OPENAT2:
			flags, _ := openHow(s)
			has = flags&unix.O_CLOEXEC != 0
		case unix.SYS_IOCTL:
			has = s.Args[1].Val != unix.TIOCGPTPEER || s.Args[2].Val&unix.O_CLOEXEC != 0
		case unix.SYS_DUP3:
			has = s.Args[1].Val < 3 && f.kind(s.Args[0]) == "ioctl" || s.Args[2].Val&unix.O_CLOEXEC != 0
		default:
			if c, ok := cloexec[s.Call]; ok {
				has = s.Args[c.arg].Kind == Imm && s.Args[c.arg].Val&c.flag != 0
			}
		}
		if !has {
			bad = append(bad, f.at(i, "the descriptor would survive execve"))
		}
	}
	return bad
}

// ruleCloseRange: before every execve all descriptors above the preserved ones were marked, and stdio is settled.
func ruleCloseRange(f *facts) (bad []string) {
	var ranges []int
	for _, i := range f.calls(unix.SYS_CLOSE_RANGE) {
		a := f.Steps[i].Args
		if a[2].Val == 0 && a[0].Val > uint64(3+f.in.Preserved) {
			continue // closes what is above the report channel for good
		}
		ranges = append(ranges, i)
		if a[0].Val != uint64(3+f.in.Preserved) || a[1].Val != 0xffffffff || a[2].Val != unix.CLOSE_RANGE_CLOEXEC || f.Steps[i].Any {
			bad = append(bad, f.at(i, "does not mark everything from %d on", 3+f.in.Preserved))
		}
	}
	for _, exec := range f.calls(unix.SYS_EXECVE) {
		if !f.always(ranges, exec) {
			bad = append(bad, f.at(exec, "descriptors were not marked"))
		}
	}
	for _, dup := range f.calls(unix.SYS_DUP3) {
		if len(ranges) > 0 && dup > ranges[0] {
			bad = append(bad, f.at(dup, "copies a descriptor after close_range"))
		}
	}
	return bad
}

// ruleIdentity: groups, gid, uid and capabilities are set in this order, and no_new_privs if asked, on every way to
// execve; none of them may fail unnoticed, but for an empty list of groups.
func ruleIdentity(f *facts) (bad []string) {
	if f.hook {
		return nil
	}
	for _, exec := range f.calls(unix.SYS_EXECVE) {
		last := -1
		for _, call := range [...]uint32{unix.SYS_SETGROUPS, unix.SYS_SETRESGID, unix.SYS_SETRESUID, unix.SYS_CAPSET} {
			steps := f.calls(call)
			if !f.always(steps, exec) || steps[len(steps)-1] < last {
				bad = append(bad, f.at(exec, "%s was not called, or not in its turn", CallName(call)))
				continue
			}
			last = steps[len(steps)-1]
			s := &f.Steps[last]
			if (s.Any || s.Ok != [4]unix.Errno{}) && (call != unix.SYS_SETGROUPS || s.Args[0].Val != 0) {
				bad = append(bad, f.at(last, "may fail unnoticed"))
			}
		}
		if f.in.Config.Process.NoNewPrivileges && !f.always(f.prctls(unix.PR_SET_NO_NEW_PRIVS, 1), exec) {
			bad = append(bad, f.at(exec, "no_new_privs is not set"))
		}
	}
	return bad
}

// ruleSeccomp: a filter is loaded once on every way to execve, after which nothing but execve is called, except for
// what hands a listener over, which comes first. Without
// no_new_privs loading takes a capability, so that it comes before the identity is given up.
func ruleSeccomp(f *facts) (bad []string) {
	loads := f.calls(unix.SYS_SECCOMP)
	if f.hook || f.in.Filter == nil || f.in.Config.Process == nil {
		for _, i := range loads {
			bad = append(bad, f.at(i, "there is no filter"))
		}
		return bad
	}
	execs := f.calls(unix.SYS_EXECVE)
	for _, exec := range execs {
		if !f.always(loads, exec) || len(loads) != 1 {
			bad = append(bad, f.at(exec, "the filter is not loaded exactly once"))
			return bad
		}
	}
	allowed := []uint32{unix.SYS_EXECVE}
	if !f.in.Config.Process.NoNewPrivileges {
		allowed = append(allowed, unix.SYS_PRCTL, unix.SYS_SETGROUPS, unix.SYS_SETRESGID, unix.SYS_SETRESUID, unix.SYS_CAPSET,
			unix.SYS_OPENAT2, unix.SYS_FCHDIR, unix.SYS_CLOSE, unix.SYS_GETCWD)
	}
	if f.in.Filter.Notify {
		send := f.calls(unix.SYS_SENDMSG)
		last := 0
		if len(send) > 0 {
			last = send[len(send)-1]
		}
		if last < loads[0] || !f.firm(last, unix.SYS_SENDMSG) || f.reaches(loads[0]+1, execs[0], []int{last}) {
			bad = append(bad, f.at(loads[0], "the listener is not handed over"))
		}
		for i := loads[0] + 1; i < last; i++ {
			if f.Steps[i].Op != Store {
				bad = append(bad, f.at(i, "comes between the filter and its listener"))
			}
		}
		allowed = append(allowed, unix.SYS_SENDMSG)
	}
	for i := loads[0] + 1; i < len(f.Steps); i++ {
		if s := &f.Steps[i]; s.Op == Syscall && !slices.Contains(allowed, s.Call) {
			bad = append(bad, f.at(i, "comes after the seccomp filter"))
		}
	}
	return bad
}
