package diagnose

import (
	"fmt"
	"path"
	"slices"
	"strings"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/runtime/inroot"
	"github.com/dhow-containers/dhow/spec"
)

// processRules are about the container's own program and its identity.
func processRules() []rule {
	return []rule{
		{name: "exec-not-in-path", field: "process.args", what: "not found in $PATH", why: inNoPath},
		{name: "exec-absent", field: "process.args", errno: []unix.Errno{unix.ENOENT}, what: "stat ", why: brokenLink},
		{name: "exec-interpreter", field: "process.args", errno: []unix.Errno{unix.ENOENT, unix.EACCES, unix.ELIBBAD, unix.ENOTDIR}, calls: []string{"execve"}, why: interpreter},
		{name: "exec-architecture", field: "process.args", errno: []unix.Errno{unix.ENOEXEC}, why: format},
		{name: "exec-denied", field: "process.args", errno: []unix.Errno{unix.EACCES}, why: denied},
		{name: "exec-busy", field: "process.args", errno: []unix.Errno{unix.ETXTBSY}, why: always("the file is open for writing somewhere")},
		{name: "exec-too-long", field: "process.args", errno: []unix.Errno{unix.E2BIG}, why: tooLong},
		{name: "apparmor-not-loaded", field: "process.apparmorProfile", calls: []string{"write"}, errno: []unix.Errno{unix.ENOENT},
			why: always("the profile is not loaded; apparmor_parser(8) loads profiles")},
		{name: "cwd-denied", field: "process.cwd", errno: []unix.Errno{unix.EACCES}, why: cwdDenied},
	}
}

// inside runs look in the container's root, for a process that has a program.
func (f *Failure) inside(look func(v view, p *specs.Process) string) string {
	if f.Config == nil || f.Config.Process == nil || len(f.Config.Process.Args) == 0 {
		return ""
	}
	v, err := f.open()
	if err != nil {
		return ""
	}
	defer v.close()
	return look(v, f.Config.Process)
}

// looking runs look in the container's root, with the path of the program.
func (f *Failure) looking(look func(v view, program string) string) string {
	return f.inside(func(v view, p *specs.Process) string {
		program, found := v.find(p.Args[0], p.Cwd, variable(p.Env, "PATH"))
		if !found {
			return ""
		}
		return look(v, program)
	})
}

func variable(env []string, name string) (value string) {
	for _, e := range env {
		if v, ok := strings.CutPrefix(e, name+"="); ok {
			value = v
		}
	}
	return value
}

// usual are the directories that a PATH has.
const usual = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// inNoPath tells where a program is that no directory of PATH has.
func inNoPath(f *Failure) string {
	return f.inside(func(v view, p *specs.Process) string {
		at, found := v.find(p.Args[0], "/", usual)
		switch env := variable(p.Env, "PATH"); {
		case found && env == "":
			return fmt.Sprintf("process.env sets no PATH, and the program is at %s", at)
		case found:
			return fmt.Sprintf("it is at %s, a directory that PATH=%s does not have", at, env)
		case v.empty():
			return "the root file system is empty"
		}
		return ""
	})
}

// empty says whether a root has none of the directories that programs are in.
func (v view) empty() bool {
	for dir := range strings.SplitSeq(usual, ":") {
		if _, err := v.stat(dir); err == nil {
			return false
		}
	}
	return true
}

// brokenLink finds the symbolic link that leads nowhere.
func brokenLink(f *Failure) string {
	return f.inside(func(v view, p *specs.Process) string {
		name := p.Args[0]
		if !path.IsAbs(name) {
			name = path.Join(p.Cwd, name)
		}
		fd, err := inroot.Open(int(v), name, unix.O_PATH|unix.O_NOFOLLOW)
		if err != nil {
			return ""
		}
		defer unix.Close(fd)
		buf := make([]byte, unix.PathMax)
		n, err := unix.Readlinkat(fd, "", buf)
		if err != nil {
			return ""
		}
		return fmt.Sprintf("%s is a symbolic link to %s, which the container does not have", name, buf[:n])
	})
}

// interpreter explains an ENOENT or EACCES for a program that is there: what it needs to run is not.
func interpreter(f *Failure) string {
	return f.looking(func(v view, program string) string {
		head, err := v.head(program)
		if err != nil {
			return ""
		}
		name, kind := shebang(head), "a script for"
		if e := parseELF(head); e != nil {
			name, kind = e.interpreter, "linked against the dynamic linker"
		}
		if name == "" {
			return ""
		}
		st, err := v.stat(name)
		switch {
		case err != nil && strings.HasSuffix(name, "\r"):
			return fmt.Sprintf("%s has lines that end in CR LF, so its interpreter is %q", program, name)
		case err != nil:
			return fmt.Sprintf("%s is %s %s, which the container does not have", program, kind, name)
		case st.Mode&0o111 == 0:
			return fmt.Sprintf("%s is %s %s, which is not executable (mode %04o)", program, kind, name, st.Mode&0o7777)
		}
		return ""
	})
}

// format explains an ENOEXEC.
func format(f *Failure) string {
	return f.looking(func(v view, program string) string {
		head, err := v.head(program)
		if err != nil {
			return ""
		}
		e := parseELF(head)
		switch {
		case len(head) == 0:
			return program + " is empty"
		case e != nil && e.foreign():
			return fmt.Sprintf("%s is for %s, and this machine is %s without a binfmt_misc entry for it", program, machineName(e.machine), hostMachine())
		case e != nil && f.Errno == unix.ENOEXEC:
			return program + " is a damaged ELF file"
		case e != nil:
			return ""
		case shebang(head) == "":
			return program + " is neither an ELF file nor a script whose first line is #! and an interpreter"
		}
		return ""
	})
}

// denied explains why the program may not be executed.
func denied(f *Failure) string {
	return f.looking(func(v view, program string) string {
		st, err := v.stat(program)
		switch {
		case err != nil:
			return ""
		case st.Mode&unix.S_IFMT == unix.S_IFDIR:
			return program + " is a directory"
		case st.Mode&unix.S_IFMT != unix.S_IFREG:
			return program + " is not a regular file"
		case st.Mode&0o111 == 0:
			return fmt.Sprintf("%s has no execute permission (mode %04o)", program, st.Mode&0o7777)
		case v.noexec(program):
			return program + " is on a file system mounted with noexec"
		}
		if dir := v.unsearchable(program, f.hostUser()); dir != "" {
			return dir
		}
		u := f.hostUser()
		return fmt.Sprintf("%s has mode %04o and belongs to user %d, group %d; the process is user %d, group %d (as on the host)",
			program, st.Mode&0o7777, st.Uid, st.Gid, u.UID, u.GID)
	})
}

// unsearchable finds the directory on the way to name that the user may not pass.
func (v view) unsearchable(name string, u *specs.User) string {
	for i := 1; i < len(name); i++ {
		if name[i] != '/' {
			continue
		}
		st, err := v.stat(name[:i])
		if err == nil && !searchable(&st, u) {
			return fmt.Sprintf("the process may not pass %s: it has mode %04o, user %d and group %d; the process is user %d, group %d (all as on the host)",
				name[:i], st.Mode&0o7777, st.Uid, st.Gid, u.UID, u.GID)
		}
	}
	return ""
}

// searchable compares mode bits.
func searchable(st *unix.Stat_t, u *specs.User) bool {
	bits := st.Mode
	switch {
	case st.Uid == u.UID:
		bits >>= 6
	case st.Gid == u.GID || slices.Contains(u.AdditionalGids, st.Gid):
		bits >>= 3
	}
	return bits&1 != 0
}

// tooLong tells how much too long arguments and environment are (execve(2), "Limits on size").
func tooLong(f *Failure) string {
	if f.Config == nil || f.Config.Process == nil {
		return ""
	}
	const maxString = 32 * 4096
	size := 0
	for _, list := range [][]string{f.Config.Process.Args, f.Config.Process.Env} {
		for i, s := range list {
			if len(s) >= maxString {
				return fmt.Sprintf("string %d of process.args or process.env has %d bytes, the kernel takes %d", i, len(s), maxString-1)
			}
			size += len(s) + 1 + 8
		}
	}
	return fmt.Sprintf("process.args and process.env have %d bytes together, more than a quarter of the stack limit (process.rlimits, RLIMIT_STACK)", size)
}

func cwdDenied(f *Failure) string {
	return f.inside(func(v view, p *specs.Process) string {
		return v.unsearchable(path.Clean(p.Cwd)+"/", f.hostUser())
	})
}

// hostUser is the process's user with the ids that it has on the host; one that is not mapped stays as it is.
func (f *Failure) hostUser() *specs.User {
	u := f.Config.Process.User
	l := f.Config.Linux
	if l == nil || len(l.UIDMappings)+len(l.GIDMappings) == 0 {
		return &u
	}
	outside := func(mappings []specs.LinuxIDMapping, id uint32) uint32 {
		if host, mapped := spec.HostID(mappings, id); mapped {
			return host
		}
		return id
	}
	host := &specs.User{UID: outside(l.UIDMappings, u.UID), GID: outside(l.GIDMappings, u.GID)}
	for _, gid := range u.AdditionalGids {
		host.AdditionalGids = append(host.AdditionalGids, outside(l.GIDMappings, gid))
	}
	return host
}

// ProgramProblem says why process.args[0] cannot run in the root file system as it is; "" when nothing is known
// against it.
func (c *Context) ProgramProblem() string {
	f := &Failure{Context: *c}
	return f.inside(func(v view, p *specs.Process) string {
		program, found := v.find(p.Args[0], p.Cwd, variable(p.Env, "PATH"))
		reasons := []func(*Failure) string{interpreter, format}
		if !found {
			reasons = []func(*Failure) string{brokenLink, inNoPath}
		}
		for _, why := range reasons {
			if text := why(f); text != "" {
				return text
			}
		}
		if !found {
			return fmt.Sprintf("the root file system has no %q", p.Args[0])
		}
		if st, err := v.stat(program); err == nil && (st.Mode&0o111 == 0 || st.Mode&unix.S_IFMT != unix.S_IFREG) {
			return denied(f)
		}
		return ""
	})
}
