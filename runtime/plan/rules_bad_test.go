package plan

import (
	"slices"
	"strings"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// badProgram is hand-made and breaks a rule.
type badProgram struct {
	rule, name, want string
	build            func(c *compiler)
}

var bad = []badProgram{
	{"not dumpable from the first step", "later", "first step", func(c *compiler) {
		c.call(unix.SYS_UMASK, num(0))
		c.prctl(unix.PR_SET_DUMPABLE, num(0))
	}},
	{"not dumpable from the first step", "tolerated", "first step", func(c *compiler) {
		c.prctl(unix.PR_SET_DUMPABLE, num(0)).any()
	}},
	{"not dumpable from the first step", "undone", "dumpable", func(c *compiler) {
		c.prctl(unix.PR_SET_DUMPABLE, num(0))
		c.prctl(unix.PR_SET_DUMPABLE, num(1))
	}},
	{"forward jumps only", "loop", "step 1 jumps to 0", func(c *compiler) {
		back := c.label()
		c.place(back)
		c.call(unix.SYS_SETSID)
		c.jump(back)
	}},
	{"forward jumps only", "out", "step 0 jumps to 9", func(c *compiler) {
		c.labels = append(c.labels, 9)
		c.call(unix.SYS_SETSID).otherwise(label(len(c.labels) - 1))
	}},
	{"forward jumps only", "register", "reads register", func(c *compiler) { c.close(Reg(77).arg()) }},
	{"known calls only", "chmod", "unknown call", func(c *compiler) { c.call(unix.SYS_CHMOD, str("/proc"), num(0)) }},
	{"known calls only", "dup", "unknown call", func(c *compiler) { c.call(unix.SYS_DUP, num(3)) }},
	{"no path but under a descriptor", "absolute", `"/etc/passwd"`, func(c *compiler) {
		c.openat2(rootOf(c), "/etc/passwd", unix.O_PATH, resolveInRoot)
	}},
	{"no path but under a descriptor", "dots", `"../etc"`, func(c *compiler) { c.mkdirat(rootOf(c), "../etc", 0o755) }},
	{"no path but under a descriptor", "null device of the container", `"/dev/null"`, func(c *compiler) {
		c.root = rootOf(c)
		c.call(unix.SYS_CHROOT, str("."))
		c.openat2(cwd, "/dev/null", unix.O_PATH|unix.O_NOFOLLOW, unix.RESOLVE_NO_MAGICLINKS)
	}},
	{"no path but under a descriptor", "program of the host", `"/bin/sh"`, func(c *compiler) {
		c.call(unix.SYS_STATX, cwd, str("/bin/sh"), num(0), num(0), ptr(room(256)))
		c.call(unix.SYS_CHROOT, str("."))
	}},
	{"one component in names", "two", "more than one component", func(c *compiler) { c.mkdirat(rootOf(c), "a/b", 0o755) }},
	{"one component in names", "openat", "follows links", func(c *compiler) { c.openat(rootOf(c), "etc", unix.O_PATH) }},
	{"lookups stay in the root", "nothing", "RESOLVE_IN_ROOT", func(c *compiler) { c.openat2(rootOf(c), "etc", unix.O_PATH, 0) }},
	{"lookups stay in the root", "magic links", "RESOLVE_IN_ROOT", func(c *compiler) {
		c.openat2(rootOf(c), "etc", unix.O_PATH, unix.RESOLVE_IN_ROOT)
	}},
	{"lookups stay in the root", "beneath a path", "RESOLVE_IN_ROOT", func(c *compiler) {
		c.openat2(rootOf(c), "a/b", unix.O_PATH|unix.O_NOFOLLOW, unix.RESOLVE_BENEATH)
	}},
	{"lookups stay in the root", "procfs", "RESOLVE_BENEATH", func(c *compiler) {
		c.withProcfs()
		c.openat2(c.proc, "self/exe", unix.O_PATH, unix.RESOLVE_BENEATH)
	}},
	{"lookups stay in the root", "elsewhere", `kind "opened"`, func(c *compiler) {
		c.openat2(c.file(File{Path: "/"}), "etc", unix.O_PATH, resolveInRoot)
	}},
	{"writes go to a detached procfs or a cgroup", "the container's procfs", `kind "inside"`, func(c *compiler) {
		c.write(c.openIn(rootOf(c), "proc/sys/kernel/core_pattern", 0).save().arg(), "|/x")
	}},
	{"writes go to a detached procfs or a cgroup", "the host's procfs, by root", `kind "in host proc"`, func(c *compiler) {
		c.proc, c.hasProc = c.file(File{Kind: HostProc, Path: "/proc"}), true
		c.writeProc("self/attr/exec", "x")
	}},
	{"writes go to a detached procfs or a cgroup", "a label in the container", `kind "inside"`, func(c *compiler) {
		c.call(unix.SYS_FSETXATTR, c.openat2(rootOf(c), "etc", unix.O_RDONLY, resolveInRoot).save().arg(),
			str("security.selinux"), str("x"), num(1), num(0))
	}},
	{"writes go to a detached procfs or a cgroup", "stdio", `kind "stdio"`, func(c *compiler) { c.write(num(1), "x") }},
	{"writes go to a detached procfs or a cgroup", "another socket", `kind "socket"`, func(c *compiler) {
		fd := c.call(unix.SYS_SOCKET, num(1), num(1), num(0)).save()
		c.call(unix.SYS_SENDMSG, fd.arg(), ptr(room(56)), num(0))
	}},
	{"mounts are kept out of procfs and sysfs", "no guard", "procfs", func(c *compiler) {
		to := badMount(c, "/data")
		c.moveMount(num(9), to)
	}},
	{"mounts are kept out of procfs and sysfs", "no guard for sysfs", "sysfs", func(c *compiler) {
		to := badMount(c, "/data")
		c.requireDifferent(c.fsMagic(to), procMagic, "")
		c.moveMount(num(9), to)
	}},
	{"mounts are kept out of procfs and sysfs", "guard of another descriptor", "procfs", func(c *compiler) {
		to := badMount(c, "/data")
		c.guard("data", c.openIn(c.root, "data", 0).save().arg())
		c.moveMount(num(9), to)
	}},
	{"mounts are kept out of procfs and sysfs", "guard jumped over", "procfs", func(c *compiler) {
		to := badMount(c, "/data")
		around := c.label()
		c.call(unix.SYS_SETSID).ok(unix.EPERM).otherwise(around)
		c.guard("data", to)
		c.place(around)
		c.moveMount(num(9), to)
	}},
	{"mounts are kept out of procfs and sysfs", "guard that does not fail", "procfs", func(c *compiler) {
		to := badMount(c, "/data")
		c.op(Compare, c.fsMagic(to).arg(), num(procMagic))
		c.moveMount(num(9), to)
	}},
	{"mounts are kept out of procfs and sysfs", "default device", "/dev/zero may be in procfs", func(c *compiler) {
		to := badMount(c, "/dev/zero")
		c.doing("bind the device /dev/zero", "")
		c.moveMount(num(9), to)
	}},
	{"mounts are kept out of procfs and sysfs", "configured device", "/dev/fuse may be in sysfs", func(c *compiler) {
		to := badMount(c, "/dev/fuse")
		c.doing("bind the device /dev/fuse", "linux.devices[0]")
		c.requireDifferent(c.fsMagic(to), procMagic, "")
		c.moveMount(num(9), to)
	}},
	{"mounts are kept out of procfs and sysfs", "console", "/dev/console may be in procfs", func(c *compiler) {
		to := badMount(c, "/dev/console")
		c.doing("bind the terminal on /dev/console", "process.terminal")
		c.moveMount(num(9), to)
	}},
	{"mounts are kept out of procfs and sysfs", "console that was guarded as something else", "/dev/console may be in sysfs", func(c *compiler) {
		to := badMount(c, "/dev/console")
		c.doing("bind the terminal on /dev/console", "process.terminal")
		c.guard("sys/console", to)
		c.moveMount(num(9), to)
	}},
	{"mounts are kept out of procfs and sysfs", "task without a path", "may be in procfs", func(c *compiler) {
		to := badMount(c, "/data")
		c.doing("attach something", "")
		c.moveMount(num(9), to)
	}},
	{"mounts are kept out of procfs and sysfs", "not inside", `kind "tree"`, func(c *compiler) {
		to := badMount(c, "/data")
		c.moveMount(num(9), c.openTree(to, "", unix.AT_EMPTY_PATH).arg())
	}},
	{"masks are the null device", "unchecked", "null device", func(c *compiler) {
		null := c.openat2(cwd, "/dev/null", unix.O_PATH|unix.O_NOFOLLOW, unix.RESOLVE_NO_MAGICLINKS).save().arg()
		c.openTree(null, "", unix.AT_EMPTY_PATH)
	}},
	{"masks are the null device", "another device", "null device", func(c *compiler) {
		null := c.openat2(cwd, "/dev/null", unix.O_PATH|unix.O_NOFOLLOW, unix.RESOLVE_NO_MAGICLINKS).save().arg()
		c.requireNode(null, unix.S_IFCHR, 1, 5, "")
		c.openTree(null, "", unix.AT_EMPTY_PATH)
	}},
	{"the working directory is inside", "unchecked", "was not checked", func(c *compiler) {
		c.call(unix.SYS_FCHDIR, c.openIn(rootOf(c), "srv", 0).save().arg())
		badExec(c)
	}},
	{"the working directory is inside", "checked before", "not checked afterwards", func(c *compiler) {
		c.checkCwd()
		c.call(unix.SYS_FCHDIR, c.openIn(rootOf(c), "srv", 0).save().arg())
		badExec(c)
	}},
	{"descriptors close on exec", "openat", "survive", func(c *compiler) { c.call(unix.SYS_OPENAT, cwd, str("."), num(unix.O_PATH), num(0)) }},
	{"descriptors close on exec", "openat2", "survive", func(c *compiler) {
		c.call(unix.SYS_OPENAT2, cwd, str("."), ptr(room(24)), num(24))
	}},
	{"descriptors close on exec", "fsopen", "survive", func(c *compiler) { c.call(unix.SYS_FSOPEN, str("proc"), num(0)) }},
	{"descriptors close on exec", "fsmount", "survive", func(c *compiler) { c.call(unix.SYS_FSMOUNT, num(3), num(0), num(0)) }},
	{"descriptors close on exec", "open_tree", "survive", func(c *compiler) {
		c.call(unix.SYS_OPEN_TREE, cwd, str("."), num(unix.OPEN_TREE_CLONE))
	}},
	{"descriptors close on exec", "socket", "survive", func(c *compiler) { c.call(unix.SYS_SOCKET, num(1), num(1), num(0)) }},
	{"descriptors close on exec", "accept4", "survive", func(c *compiler) { c.call(unix.SYS_ACCEPT4, num(4), num(0), num(0), num(0)) }},
	{"descriptors close on exec", "terminal", "survive", func(c *compiler) { c.call(unix.SYS_IOCTL, num(4), num(unix.TIOCGPTPEER), num(0)) }},
	{"descriptors close on exec", "dup3", "survive", func(c *compiler) { c.call(unix.SYS_DUP3, num(1), num(9), num(0)) }},
	{"close_range before execve", "none", "not marked", badExec},
	{"close_range before execve", "of one way only", "not marked", func(c *compiler) {
		exec := c.label()
		c.call(unix.SYS_SETSID).ok(unix.EPERM).otherwise(exec)
		closeAll(c, 3)
		c.place(exec)
		badExec(c)
	}},
	{"close_range before execve", "from too high", "from 3 on", func(c *compiler) {
		closeAll(c, 4)
		badExec(c)
	}},
	{"close_range before execve", "dup3 afterwards", "after close_range", func(c *compiler) {
		closeAll(c, 3)
		c.call(unix.SYS_DUP3, num(4), num(0), num(0))
	}},
	{"identity before execve", "none", "setgroups was not called", badExec},
	{"identity before execve", "uid first", "setresuid was not called, or not in its turn", func(c *compiler) {
		identity(c, unix.SYS_SETRESUID, unix.SYS_SETGROUPS, unix.SYS_SETRESGID, unix.SYS_CAPSET)
	}},
	{"identity before execve", "tolerated", "may fail unnoticed", func(c *compiler) {
		c.call(unix.SYS_SETGROUPS, num(1), ptr(room(4)))
		c.call(unix.SYS_SETRESGID, num(1), num(1), num(1)).ok(unix.EPERM)
		identity(c, unix.SYS_SETRESUID, unix.SYS_CAPSET)
	}},
	{"identity before execve", "groups tolerated", "may fail unnoticed", func(c *compiler) {
		c.call(unix.SYS_SETGROUPS, num(1), ptr(room(4))).ok(unix.EPERM)
		identity(c, unix.SYS_SETRESGID, unix.SYS_SETRESUID, unix.SYS_CAPSET)
	}},
	{"identity before execve", "no_new_privs forgotten", "no_new_privs", func(c *compiler) {
		identity(c, unix.SYS_SETGROUPS, unix.SYS_SETRESGID, unix.SYS_SETRESUID, unix.SYS_CAPSET)
	}},
	{"seccomp last", "none", "exactly once", badExec},
	{"seccomp last", "early", "after the seccomp filter", func(c *compiler) {
		c.seccomp()
		c.call(unix.SYS_UMASK, num(0))
		badExec(c)
	}},
	{"seccomp last", "of one way only", "exactly once", func(c *compiler) {
		exec := c.label()
		c.call(unix.SYS_SETSID).ok(unix.EPERM).otherwise(exec)
		c.seccomp()
		c.place(exec)
		badExec(c)
	}},
	{"seccomp last", "listener kept", "not handed over", func(c *compiler) {
		c.seccomp()
		c.in.Filter = notifyingFilter()
		badExec(c)
	}},
	{"not dumpable after a change of user", "never", "setresuid(1, 1, 1): is not followed", func(c *compiler) {
		c.call(unix.SYS_SETRESUID, num(1), num(1), num(1))
		badExec(c)
	}},
	{"not dumpable after a change of user", "later", "is not followed", func(c *compiler) {
		c.call(unix.SYS_SETRESUID, num(0), num(0), num(0))
		c.prctl(unix.PR_SET_KEEPCAPS, num(0))
		c.prctl(unix.PR_SET_DUMPABLE, num(0))
	}},
	{"not dumpable after a change of user", "on one way only", "is not followed", func(c *compiler) {
		failed := c.label()
		c.call(unix.SYS_SETRESUID, num(0), num(0), num(0)).ok(unix.EINVAL).otherwise(failed)
		c.prctl(unix.PR_SET_DUMPABLE, num(0))
		c.place(failed)
		badExec(c)
	}},
	{"not dumpable after a change of user", "tolerated", "is not followed", func(c *compiler) {
		c.call(unix.SYS_SETRESUID, num(0), num(0), num(0))
		c.prctl(unix.PR_SET_DUMPABLE, num(0)).any()
	}},
	{"nothing of the host while it waits", "never recorded", "never recorded", badExec},
	{"nothing of the host while it waits", "nothing closed", "may be open", func(c *compiler) { c.rendezvous(Created) }},
	{"nothing of the host while it waits", "closed on exec only", "may be open", func(c *compiler) {
		c.root = rootOf(c)
		c.letGo()
		c.p.Steps[len(c.p.Steps)-1].Args[2] = num(unix.CLOSE_RANGE_CLOEXEC)
		c.rendezvous(Created)
	}},
	{"nothing of the host while it waits", "from too high", "may be open", func(c *compiler) {
		c.root = rootOf(c)
		c.letGo()
		c.p.Steps[len(c.p.Steps)-1].Args[0].Val++
		c.rendezvous(Created)
	}},
	{"nothing of the host while it waits", "the host's root in the place of the container's", "may be open", func(c *compiler) {
		c.root = c.openat2(cwd, "x", unix.O_PATH|unix.O_NOFOLLOW, unix.RESOLVE_NO_MAGICLINKS).save().arg()
		c.letGo()
		c.rendezvous(Created)
	}},
	{"nothing of the host while it waits", "opened afterwards", "may be open", func(c *compiler) {
		c.root = rootOf(c)
		c.letGo()
		rootOf(c)
		c.rendezvous(Created)
	}},
	{"nothing of the host while it waits", "jumped over", "may be open", func(c *compiler) {
		c.root = rootOf(c)
		around := c.label()
		c.call(unix.SYS_SETSID).ok(unix.EPERM).otherwise(around)
		c.letGo()
		c.place(around)
		c.rendezvous(Created)
	}},
	{"nothing of the host while it waits", "an old descriptor", `closed, of kind "inside"`, func(c *compiler) {
		c.root = rootOf(c)
		old := c.openIn(c.root, "etc", 0).save().arg()
		c.letGo()
		c.rendezvous(Created)
		c.call(unix.SYS_FCHDIR, old)
	}},
	{"nothing of the host while it waits", "an old file", `closed, of kind "tree"`, func(c *compiler) {
		c.root = rootOf(c)
		tree := c.file(File{Kind: OpenTree, Path: "/x"})
		c.letGo()
		c.rendezvous(Created)
		c.close(tree)
	}},
	{"nothing of the host while it waits", "the working directory", "from the working directory", func(c *compiler) {
		c.root = rootOf(c)
		c.letGo()
		c.rendezvous(Created)
		c.openat2(cwd, "dev", unix.O_PATH|unix.O_NOFOLLOW, unix.RESOLVE_NO_MAGICLINKS)
	}},
	{"ends in execve", "nothing", "out of steps", func(c *compiler) { c.call(unix.SYS_SETSID) }},
	{"ends in execve", "none of the candidates", "out of steps", func(c *compiler) {
		next, this := c.label(), c.label()
		c.op(Compare, c.newReg().arg(), num(1)).then(this).otherwise(next)
		c.place(this)
		badExec(c)
		c.place(next)
	}},
	{"ends in execve", "tolerated", "may fail unnoticed", func(c *compiler) {
		c.call(unix.SYS_EXECVE, str("sh"), ptr(vector(nil)), ptr(vector(nil))).ok(unix.ENOENT)
		c.fail(unix.ENOENT, "")
	}},
}

// rootOf opens the root of a hand-made Program.
func rootOf(c *compiler) Arg { return c.openTree(cwd, ".", 0).arg() }

// badMount begins a mount of the config and returns its destination.
func badMount(c *compiler, p string) Arg {
	c.doing("bind /x on "+p, "mounts[0]")
	c.root = rootOf(c)
	return c.openIn(c.root, relative(p), 0).save().arg()
}

func closeAll(c *compiler, from uint64) {
	c.call(unix.SYS_CLOSE_RANGE, num(from), num(0xffffffff), num(unix.CLOSE_RANGE_CLOEXEC))
}

func badExec(c *compiler) { c.call(unix.SYS_EXECVE, str("sh"), ptr(vector(nil)), ptr(vector(nil))) }

func identity(c *compiler, calls ...uint32) {
	for _, call := range calls {
		c.call(call, num(0), num(0), num(0))
	}
	badExec(c)
}

func TestRulesFire(t *testing.T) {
	fired := map[string]bool{}
	for _, b := range slices.Concat(bad, badLongMounts, badRootless) {
		in := &Input{Config: &specs.Spec{Process: &specs.Process{NoNewPrivileges: true}}, Filter: fakeFilter()}
		c := newCompiler(in)
		c.doing("be bad", "")
		b.build(c)
		f := newFacts(c.finish(), in, false)
		for _, rule := range rules {
			if rule.name != b.rule {
				continue
			}
			fired[rule.name] = true
			if got := strings.Join(rule.check(f), "; "); !strings.Contains(got, b.want) {
				t.Errorf("%s, %s: it says %q, want a word about %s", b.rule, b.name, got, b.want)
			}
		}
	}
	for _, rule := range rules {
		if !fired[rule.name] {
			t.Errorf("nothing shows that the rule %q fires", rule.name)
		}
	}
}
