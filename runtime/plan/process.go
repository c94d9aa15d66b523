package plan

import (
	"encoding/binary"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// readyProcess does what can be done for the container's process before `start`, so that a config
// that cannot work fails at create: its working directory and its executable are found.
func (c *compiler) readyProcess() {
	if c.cfg.Process == nil {
		return
	}
	c.workingDirectory()
	c.findExecutable()
	c.heedSignals()
}

// heedSignals takes back that signals are ignored, which execve(2) does not do: nohup(1) ignores HUP, and a shell INT for
// what it starts in the background. All other standard signals are back at their defaults in the child of a Go program.
func (c *compiler) heedSignals() {
	c.doing("take no ignored signals over from the caller", "")
	action := room(32) // struct sigaction of the kernel: SIG_DFL
	for _, sig := range [...]unix.Signal{unix.SIGHUP, unix.SIGINT, unix.SIGTSTP, unix.SIGTTIN, unix.SIGTTOU} {
		c.call(unix.SYS_RT_SIGACTION, num(uint64(sig)), ptr(action), num(0), num(8))
	}
}

// workingDirectory enters process.cwd by descriptor, below the root and without magic links, so that it
// cannot be a directory of the host (security rule 5). A directory that only the process's user may
// enter is tried again with that identity.
func (c *compiler) workingDirectory() {
	c.doing("enter the working directory "+c.cfg.Process.Cwd, "process.cwd")
	var fd Arg
	if c.execInto { // as with runc, only a new container gets a directory that is missing
		fd = c.openIn(c.root, relative(c.cfg.Process.Cwd), 0).save().arg()
	} else {
		fd = c.destination(c.cfg.Process.Cwd, makeDir, Arg{})
	}
	denied, done := c.label(), c.label()
	c.call(unix.SYS_FCHDIR, fd).ok(unix.EACCES).then(done).otherwise(denied)
	c.place(denied)
	c.cwdDenied = c.newReg()
	c.constant(c.cwdDenied, 1)
	c.place(done)
	c.close(fd)
	c.checkCwd()
}

// checkCwd makes sure that the kernel, too, sees the working directory inside the root: the path that
// getcwd(2) gives for any other starts with "(unreachable)".
func (c *compiler) checkCwd() {
	buf := c.scratch()
	c.call(unix.SYS_GETCWD, ptr(buf), num(unix.PathMax))
	c.requireEqual(c.load(buf, 0, 1, 0xff), '/', unix.EPERM, "the working directory is outside of the container's root")
}

// maxCandidates bounds the search; what follows in a longer PATH counts as one directory's name.
const maxCandidates = 1000

// candidates are the paths to try for args[0]. Without a PATH there are none but what has a slash; an empty name is nobody's.
func (c *compiler) candidates() []string {
	name := c.cfg.Process.Args[0]
	if strings.Contains(name, "/") {
		return []string{name}
	}
	var list []string
	if name == "" || c.searchPath() == "" {
		return nil
	}
	for _, dir := range strings.SplitN(c.searchPath(), ":", maxCandidates) {
		if dir == "" {
			dir = "."
		}
		list = append(list, strings.TrimSuffix(dir, "/")+"/"+name)
	}
	return list
}

// searchPath is the PATH of process.env; of several, the last counts.
func (c *compiler) searchPath() string {
	for i := len(c.cfg.Process.Env) - 1; i >= 0; i-- {
		if v, ok := strings.CutPrefix(c.cfg.Process.Env[i], "PATH="); ok {
			return v
		}
	}
	return ""
}

// executable is where findExecutable leaves the number of the candidate it chose, counted from 1.
type executable struct {
	paths []string
	found Reg
}

func (c *compiler) findExecutable() {
	name := c.cfg.Process.Args[0]
	c.doing("run "+name, "process.args[0]")
	e := executable{c.candidates(), c.newReg()}
	denied, absent, found := c.newReg(), c.label(), c.label()
	for i, p := range e.paths {
		next, refused, regular, allowed := c.label(), c.label(), c.label(), c.label()
		st := c.scratch()
		c.call(unix.SYS_STATX, cwd, str(p), num(0), num(unix.STATX_TYPE|unix.STATX_MODE), ptr(st)).
			ok(unix.ENOENT, unix.ENOTDIR, unix.EACCES, unix.ELOOP).otherwise(next)
		mode := c.load(st, statxMode, 2, unix.S_IFMT)
		c.op(Compare, mode.arg(), num(unix.S_IFREG)).then(regular).otherwise(refused)
		c.place(regular)
		c.call(unix.SYS_FACCESSAT2, cwd, str(p), num(unix.X_OK), num(unix.AT_EACCESS)).ok(unix.EACCES).then(allowed).otherwise(refused)
		c.place(allowed)
		c.constant(e.found, uint16(i+1))
		c.jump(found)
		c.place(refused)
		c.constant(denied, 1)
		c.place(next)
	}
	refused := c.label()
	c.op(Compare, denied.arg(), num(1)).then(refused).otherwise(absent)
	c.place(refused)
	c.fail(unix.EACCES, "exec: "+strconv.Quote(name)+": permission denied")
	c.place(absent)
	if strings.Contains(name, "/") {
		c.fail(unix.ENOENT, "exec: "+strconv.Quote(name)+": stat "+name+": no such file or directory")
	} else {
		c.fail(unix.ENOENT, "exec: "+strconv.Quote(name)+": executable file not found in $PATH")
	}
	c.place(found)
	c.exe = e
}

// constant puts a number into a register.
func (c *compiler) constant(reg Reg, v uint16) {
	c.op(Load, ptr(&Mem{Data: binary.NativeEndian.AppendUint16(nil, v)}), num(2), num(0xffff)).saveTo(reg)
}

// execute runs the executable that was found.
func (c *compiler) execute() {
	p := c.cfg.Process
	c.doing("run "+p.Args[0], "process.args[0]")
	argv, envp := vector(p.Args), vector(Environment(p.Env, c.in.Host.Home))
	for i, path := range c.exe.paths {
		next, this := c.label(), c.label()
		c.op(Compare, c.exe.found.arg(), num(uint64(i+1))).then(this).otherwise(next)
		c.place(this)
		c.call(unix.SYS_EXECVE, str(path), ptr(argv), ptr(envp))
		c.place(next)
	}
	c.fail(unix.ENOENT, "internal error: the executable that was found is none of the candidates")
}

// vector is a NULL-terminated array of strings, as execve(2) takes it.
func vector(list []string) *Mem {
	m := &Mem{Data: make([]byte, 8*(len(list)+1)), Refs: make([]Ref, len(list))}
	for i, s := range list {
		m.Refs[i] = Ref{Off: 8 * i, Str: s}
	}
	return m
}
