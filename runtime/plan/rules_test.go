package plan

import (
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// The security rules of DESIGN.md, section 4, as checks over Programs. Each has a Program in rules_bad_test.go
// that breaks it.
var rules = []struct {
	name  string
	check func(*facts) []string
}{
	{"not dumpable from the first step", ruleDumpable},
	{"forward jumps only", ruleForward},
	{"known calls only", ruleCalls},
	{"no path but under a descriptor", rulePaths},
	{"one component in names", ruleNames},
	{"lookups stay in the root", ruleResolve},
	{"writes go to a detached procfs or a cgroup", ruleWrites},
	{"mounts are kept out of procfs and sysfs", ruleGuard},
	{"mount(2) on a directory of the runtime's own", ruleMount},
	{"masks are the null device", ruleNull},
	{"the working directory is inside", ruleCwd},
	{"descriptors close on exec", ruleCloexec},
	{"close_range before execve", ruleCloseRange},
	{"identity before execve", ruleIdentity},
	{"seccomp last", ruleSeccomp},
	{"not dumpable after a change of user", ruleUserDumpable},
	{"nothing of the host while it waits", ruleLetGo},
	{"ends in execve", ruleEnds},
	{"executes its own file once at most", ruleAgain},
}

func TestRules(t *testing.T) {
	cases := goldenCases(t)
	for _, rule := range rules {
		t.Run(rule.name, func(t *testing.T) {
			for _, g := range cases {
				for _, problem := range rule.check(newFacts(g.program, g.in, strings.HasPrefix(g.name, "hook"))) {
					t.Errorf("%s: %s", g.name, problem)
				}
			}
		})
	}
}

// TestPathExceptionsNeeded: an exception that no Program needs has outlived its reason.
func TestPathExceptionsNeeded(t *testing.T) {
	used := map[string]bool{}
	for _, g := range goldenCases(t) {
		f := newFacts(g.program, g.in, strings.HasPrefix(g.name, "hook"))
		f.eachPath(func(i int, dir, path string) {
			for _, e := range pathExceptions {
				used[e.reason] = used[e.reason] || outside(path) && e.applies(f, i, dir, path)
			}
		})
	}
	for _, e := range pathExceptions {
		if !used[e.reason] {
			t.Errorf("no case needs the exception %q", e.reason)
		}
	}
}

func ruleDumpable(f *facts) (bad []string) {
	steps := f.prctls(unix.PR_SET_DUMPABLE, 0)
	if len(steps) == 0 || steps[0] != 0 || f.Steps[0].Any || f.Steps[0].Ok != [4]unix.Errno{} {
		bad = append(bad, "the first step is not prctl(PR_SET_DUMPABLE, 0)")
	}
	for _, i := range f.calls(unix.SYS_PRCTL) {
		if a := f.Steps[i].Args; a[0].Val == unix.PR_SET_DUMPABLE && a[1].Val != 0 && !f.attended(i) {
			bad = append(bad, f.at(i, "makes the process dumpable"))
		}
	}
	return bad
}

func ruleForward(f *facts) []string {
	if err := f.Verify(); err != nil {
		return []string{err.Error()}
	}
	return nil
}

// ruleCalls wants calls that `runtime plan` can name: none of them takes a mount, opens or copies a descriptor in a
// way that the other rules do not look at.
func ruleCalls(f *facts) (bad []string) {
	for i := range f.Steps {
		if s := &f.Steps[i]; s.Op == Syscall && CallName(s.Call) == "" {
			bad = append(bad, f.at(i, "an unknown call"))
		}
	}
	return bad
}

// pathArgs are the arguments that the kernel looks up as paths: index of the directory (-1: the working directory)
// and of the path. The first argument of symlinkat is only text.
var pathArgs = map[uint32][][2]int{
	unix.SYS_OPENAT: {{0, 1}}, unix.SYS_OPENAT2: {{0, 1}}, unix.SYS_OPEN_TREE: {{0, 1}}, unix.SYS_MOUNT_SETATTR: {{0, 1}},
	unix.SYS_MOVE_MOUNT: {{0, 1}, {2, 3}}, unix.SYS_MKDIRAT: {{0, 1}}, unix.SYS_MKNODAT: {{0, 1}},
	unix.SYS_SYMLINKAT: {{1, 2}}, unix.SYS_UNLINKAT: {{0, 1}}, unix.SYS_STATX: {{0, 1}}, unix.SYS_FACCESSAT2: {{0, 1}},
	unix.SYS_FCHOWNAT: {{0, 1}}, unix.SYS_CHDIR: {{-1, 0}}, unix.SYS_CHROOT: {{-1, 0}}, unix.SYS_UMOUNT2: {{-1, 0}},
	unix.SYS_MOUNT: {{-1, 1}}, unix.SYS_FSPICK: {{0, 1}}, unix.SYS_READLINKAT: {{0, 1}},
	unix.SYS_PIVOT_ROOT: {{-1, 0}, {-1, 1}}, unix.SYS_EXECVE: {{-1, 0}},
}

// eachPath calls visit for every path of the Program with the kind of descriptor that it is relative to.
func (f *facts) eachPath(visit func(step int, dir, path string)) {
	for i := range f.Steps {
		s := &f.Steps[i]
		if s.Op != Syscall {
			continue
		}
		for _, p := range pathArgs[s.Call] {
			dir := "cwd"
			if p[0] >= 0 {
				dir = f.kind(s.Args[p[0]])
			}
			if s.Args[p[1]].Kind == Text {
				visit(i, dir, s.Args[p[1]].Str)
			}
		}
	}
}

// outside says whether a path can lead out of the directory it is relative to without a symbolic link.
func outside(path string) bool {
	return strings.HasPrefix(path, "/") || slices.Contains(strings.Split(path, "/"), "..")
}

// pathExceptions are the only steps that may name a path absolutely.
var pathExceptions = []struct {
	reason  string
	applies func(f *facts, i int, dir, path string) bool
}{
	{"the host's root is opened before anything of the container is in reach, an exec's after it joined",
		func(f *facts, i int, dir, path string) bool {
			return f.Steps[i].Call == unix.SYS_OPENAT && dir == "cwd" && path == "/" && (f.change < i) != f.has(unix.SYS_PIVOT_ROOT)
		}},
	{"the same with --no-pivot, which ends in a chroot",
		func(f *facts, i int, dir, path string) bool {
			return f.Steps[i].Call == unix.SYS_OPENAT && dir == "cwd" && path == "/" && f.in.NoPivot && i < f.change
		}},
	{"without power over the host's mounts, copies are made of those in the container's namespace, before anything else is mounted",
		func(f *facts, i int, dir, path string) bool {
			attached := f.calls(unix.SYS_MOVE_MOUNT)
			return f.Steps[i].Call == unix.SYS_OPEN_TREE && dir == "cwd" && len(attached) > 0 && i < attached[0] &&
				(f.in.Host.Unprivileged || f.in.Host.UserNamespace)
		}},
	{"in a joined mount namespace the rootfs is found by its path, before the root is opened",
		func(f *facts, i int, _, path string) bool {
			return f.Steps[i].Call == unix.SYS_CHDIR && path == f.in.Rootfs && i < f.change && len(f.calls(unix.SYS_SETNS)) > 0
		}},
	{"the host's null device, while / is the host's; ruleNull wants it checked",
		func(f *facts, i int, dir, path string) bool {
			return f.Steps[i].Call == unix.SYS_OPENAT2 && dir == "cwd" && path == "/dev/null" && i < f.change
		}},
	{"after the change of root, / is the container's and nothing of the host's is in reach",
		func(f *facts, i int, _, path string) bool {
			return f.Steps[i].Call == unix.SYS_CHDIR && path == "/" && i > f.change
		}},
	{"the container's own program, found in its own root as execvp(3) would",
		func(f *facts, i int, dir, _ string) bool {
			c := f.Steps[i].Call
			return (c == unix.SYS_STATX || c == unix.SYS_FACCESSAT2 || c == unix.SYS_EXECVE) && dir == "cwd" && i > f.change
		}},
	{"--no-pivot: the host's procfs and sysfs go, by the host's paths",
		func(f *facts, i int, dir, path string) bool {
			return f.in.NoPivot && (f.Steps[i].Call == unix.SYS_UMOUNT2 || f.Steps[i].Call == unix.SYS_OPENAT && dir == "cwd") &&
				slices.Contains(f.in.Host.Revealing, path) && i < f.change
		}},
	{"--no-pivot: the root is moved over the host's /",
		func(f *facts, i int, _, path string) bool {
			return f.in.NoPivot && f.Steps[i].Call == unix.SYS_MOVE_MOUNT && path == "/" && i < f.change
		}},
}

func rulePaths(f *facts) (bad []string) {
	f.eachPath(func(i int, dir, path string) {
		if !outside(path) {
			return
		}
		for _, e := range pathExceptions {
			if e.applies(f, i, dir, path) {
				return
			}
		}
		bad = append(bad, f.at(i, "the path %q is not held by its descriptor", path))
	})
	return bad
}

// ruleNames: only openat2 may take several components inside the container, or follow a link that is the last.
func ruleNames(f *facts) (bad []string) {
	f.eachPath(func(i int, dir, path string) {
		switch {
		case dir != "root" && dir != "inside" || f.Steps[i].Call == unix.SYS_OPENAT2 || path == "":
		case f.Steps[i].Call == unix.SYS_OPENAT:
			bad = append(bad, f.at(i, "openat follows links out of the container"))
		case strings.Contains(path, "/"):
			bad = append(bad, f.at(i, "%q has more than one component", path))
		}
	})
	return bad
}

// ruleResolve: what is looked up inside the container is looked up as inside a root. A single name may be looked up
// beneath its directory instead, when a link is not followed; and names of the detached procfs.
func ruleResolve(f *facts) (bad []string) {
	for _, i := range f.calls(unix.SYS_OPENAT2) {
		s := &f.Steps[i]
		flags, resolve := openHow(s)
		dir, path := f.kind(s.Args[0]), s.Args[1].Str
		inRoot := resolve&resolveInRoot == resolveInRoot
		beneath := resolve&unix.RESOLVE_BENEATH != 0
		name := flags&unix.O_NOFOLLOW != 0 && !strings.Contains(path, "/")
		switch dir {
		case "root", "inside":
			if !inRoot && !(beneath && name) {
				bad = append(bad, f.at(i, "not RESOLVE_IN_ROOT|RESOLVE_NO_MAGICLINKS"))
			}
		case "detached proc", "host proc":
			if !beneath || resolve&unix.RESOLVE_NO_MAGICLINKS == 0 {
				bad = append(bad, f.at(i, "not RESOLVE_BENEATH|RESOLVE_NO_MAGICLINKS"))
			}
		case "detached tmpfs": // the runtime's own, but the container sees it by now
			if !beneath || !name {
				bad = append(bad, f.at(i, "not a plain name under RESOLVE_BENEATH"))
			}
		case "cwd":
			if resolve&unix.RESOLVE_NO_MAGICLINKS == 0 || !name && flags&unix.O_NOFOLLOW == 0 {
				bad = append(bad, f.at(i, "follows links"))
			}
		default:
			bad = append(bad, f.at(i, "under a descriptor of kind %q", dir))
		}
	}
	return bad
}

func ruleWrites(f *facts) (bad []string) {
	for _, i := range f.calls(unix.SYS_WRITE) {
		if kind := f.kind(f.Steps[i].Args[0]); kind != "proc file" && kind != "tasks" {
			bad = append(bad, f.at(i, "writes to a descriptor of kind %q", kind))
		}
	}
	for _, i := range f.calls(unix.SYS_FSETXATTR) {
		if kind := f.kind(f.Steps[i].Args[0]); !strings.HasPrefix(kind, "in detached ") {
			bad = append(bad, f.at(i, "changes a file of kind %q", kind))
		}
	}
	for _, i := range f.calls(unix.SYS_SENDMSG) {
		if kind := f.kind(f.Steps[i].Args[0]); kind != "report" {
			bad = append(bad, f.at(i, "sends to a descriptor of kind %q", kind))
		}
	}
	return bad
}
