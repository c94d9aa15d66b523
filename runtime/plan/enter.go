package plan

import (
	"errors"
	"strconv"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// CompileExec makes the Program of a process that joins the running container whose init is pid. The
// process to run is in.Config.Process; the namespaces are those of in.Config.
func CompileExec(in *Input, pid int) (*Program, error) {
	if in.Config.Process == nil || len(in.Config.Process.Args) == 0 {
		return nil, errors.New("cannot run a process (process.args): it is empty")
	}
	c := newCompiler(in)
	c.execInto = true
	if err := c.supported(); err != nil {
		return nil, err
	}
	if err := c.checkIDs(); err != nil {
		return nil, err
	}
	c.prologue()
	c.joinCgroups()
	c.affinity()
	if c.labelled() {
		c.doing("open the process's own files in /proc", c.labelField())
		c.ownProcFiles()
	}
	c.enter(pid)
	c.session()
	c.doing("open the container's root", "")
	c.root = c.openat(cwd, "/", unix.O_PATH|unix.O_DIRECTORY).save().arg()
	c.terminal()
	c.limits()
	c.readyProcess()
	c.execLabels()
	c.letGo()
	c.doing("record the process", "")
	c.rendezvous(Created)
	c.becomeProcess()
	p := c.finish()
	return p, p.Verify()
}

// CompileHook makes the Program of a hook that runs in the namespaces of the container whose init is
// pid, and in its working directory: before pivot_root that is the container's root, which a relative path in
// a hook means. The hook's stdio is the launcher's business.
// A filter, of linux.seccomp, holds for what the hook executes.
func CompileHook(config *specs.Spec, h *specs.Hook, pid int, field string, filter *Filter) (*Program, error) {
	c := newCompiler(&Input{Config: config, Filter: filter})
	c.doing("prepare the hook", field)
	c.prctl(unix.PR_SET_DUMPABLE, num(0))
	dir := c.file(File{Kind: OpenPath, Path: "/proc/" + strconv.Itoa(pid) + "/cwd", Flags: unix.O_PATH | unix.O_DIRECTORY})
	c.enter(pid)
	c.doing("enter the working directory of the container's process", field)
	c.call(unix.SYS_FCHDIR, dir)
	c.call(unix.SYS_SETSID).ok(unix.EPERM)
	c.rendezvous(Created)
	c.doing("close the runtime's descriptors", "")
	c.call(unix.SYS_CLOSE_RANGE, num(3), num(0xffffffff), num(unix.CLOSE_RANGE_CLOEXEC))
	c.seccomp()
	c.doing("run "+h.Path, field+".path")
	args := h.Args
	if len(args) == 0 {
		args = []string{h.Path}
	}
	c.call(unix.SYS_EXECVE, str(h.Path), ptr(vector(args)), ptr(vector(h.Env)))
	p := c.finish()
	return p, p.Verify()
}

// ownProcFiles opens a procfs before the container's user namespace is entered, which may not let one make another. It is
// only used for the process's own files, which it has under "self" wherever the process goes.
func (c *compiler) ownProcFiles() {
	if c.in.Host.Unprivileged || c.in.Host.UserNamespace {
		c.hostProcfs(c.labelField())
	} else {
		c.makeProcfs()
	}
}

// enter joins every namespace that the container does not share with its creator, all in one setns(2)
// on the init's pidfd, and its root directory when that is not its mount namespace's.
func (c *compiler) enter(pid int) {
	fresh, joined := c.wantedNamespaces()
	flags := fresh | joined
	if !c.ownMounts() {
		c.doing("enter the container's root directory", "root.path")
		root := c.file(File{Kind: OpenPath, Path: "/proc/" + strconv.Itoa(pid) + "/root", Flags: unix.O_PATH | unix.O_DIRECTORY})
		defer func() {
			c.doing("enter the container's root directory", "root.path")
			c.call(unix.SYS_FCHDIR, root)
			c.call(unix.SYS_CHROOT, str("."))
		}()
	}
	if flags == 0 {
		return
	}
	c.doing("join the container's namespaces", "linux.namespaces")
	pidfd := c.file(File{Kind: Pidfd, Path: "pidfd of process " + strconv.Itoa(pid)})
	c.call(unix.SYS_SETNS, pidfd, num(uint64(flags)))
	if flags&unix.CLONE_NEWUSER != 0 {
		c.becomeNamespaceRoot()
	}
	if flags&unix.CLONE_NEWPID != 0 {
		c.refork()
	}
}
