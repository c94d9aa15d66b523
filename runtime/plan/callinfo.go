package plan

import "golang.org/x/sys/unix"

// CallName is the name of a system call that Programs use.
func CallName(nr uint32) string {
	name, _ := callInfo(nr)
	return name
}

// callInfo gives a system call's name and how its arguments are to be shown, one letter each:
//
//	d decimal  o octal  D descriptor or AT_FDCWD  s string  p pointer  - not shown (always 0 or implied)
//
// and the flag words of argkinds below.
func callInfo(nr uint32) (name, args string) {
	switch nr {
	case unix.SYS_ACCEPT4:
		return "accept4", "D--S"
	case unix.SYS_CAPSET:
		return "capset", "-p"
	case unix.SYS_CHDIR:
		return "chdir", "s"
	case unix.SYS_CHROOT:
		return "chroot", "s"
	case unix.SYS_CLONE:
		return "clone", "C----"
	case unix.SYS_CLOSE:
		return "close", "D"
	case unix.SYS_CLOSE_RANGE:
		return "close_range", "dxK"
	case unix.SYS_DUP3:
		return "dup3", "DDO"
	case unix.SYS_EXECVE:
		return "execve", "spp"
	case unix.SYS_EXECVEAT:
		return "execveat", "DsppA"
	case unix.SYS_FACCESSAT2:
		return "faccessat2", "Dsdx"
	case unix.SYS_FCHDIR:
		return "fchdir", "D"
	case unix.SYS_FCHMOD:
		return "fchmod", "Do"
	case unix.SYS_FCHOWN:
		return "fchown", "Ddd"
	case unix.SYS_FCHOWNAT:
		return "fchownat", "DsddA"
	case unix.SYS_FSCONFIG:
		return "fsconfig", "DFspd"
	case unix.SYS_FSETXATTR:
		return "fsetxattr", "Dssd-"
	case unix.SYS_FSMOUNT:
		return "fsmount", "D-M"
	case unix.SYS_FSOPEN:
		return "fsopen", "s-"
	case unix.SYS_FSPICK:
		return "fspick", "Dsq"
	case unix.SYS_FSTATFS:
		return "fstatfs", "Dp"
	case unix.SYS_GETCWD:
		return "getcwd", "pd"
	case unix.SYS_IOCTL:
		return "ioctl", "DIp"
	case unix.SYS_IOPRIO_SET:
		return "ioprio_set", "ddx"
	case unix.SYS_KEYCTL:
		return "keyctl", "kpx"
	}
	return moreCallInfo(nr)
}

func moreCallInfo(nr uint32) (name, args string) {
	switch nr {
	case unix.SYS_MKDIRAT:
		return "mkdirat", "Dso"
	case unix.SYS_MKNODAT:
		return "mknodat", "Dsov"
	case unix.SYS_MOUNT:
		return "mount", "sssfs"
	case unix.SYS_MOUNT_SETATTR:
		return "mount_setattr", "DsApd"
	case unix.SYS_MOVE_MOUNT:
		return "move_mount", "DsDsm"
	case unix.SYS_OPENAT:
		return "openat", "DsO-"
	case unix.SYS_OPENAT2:
		return "openat2", "Dsp-"
	case unix.SYS_OPEN_TREE:
		return "open_tree", "DsT"
	case unix.SYS_PERSONALITY:
		return "personality", "x"
	case unix.SYS_PIVOT_ROOT:
		return "pivot_root", "ss"
	case unix.SYS_PRCTL:
		return "prctl", "Pd---"
	case unix.SYS_PRLIMIT64:
		return "prlimit64", "dRp-"
	case unix.SYS_READLINKAT:
		return "readlinkat", "Dspd"
	case unix.SYS_SCHED_SETATTR:
		return "sched_setattr", "dp-"
	case unix.SYS_RT_SIGACTION:
		return "rt_sigaction", "dp--"
	case unix.SYS_SCHED_SETAFFINITY:
		return "sched_setaffinity", "ddp"
	case unix.SYS_SECCOMP:
		return "seccomp", "dxp"
	case unix.SYS_SENDMSG:
		return "sendmsg", "Dpx--"
	case unix.SYS_SETDOMAINNAME:
		return "setdomainname", "sd"
	case unix.SYS_SETGROUPS:
		return "setgroups", "dp"
	case unix.SYS_SETHOSTNAME:
		return "sethostname", "sd"
	case unix.SYS_SET_MEMPOLICY:
		return "set_mempolicy", "xpd"
	case unix.SYS_SETNS:
		return "setns", "DC"
	case unix.SYS_SETRESGID:
		return "setresgid", "ddd"
	case unix.SYS_SETRESUID:
		return "setresuid", "ddd"
	case unix.SYS_SETSID:
		return "setsid", ""
	case unix.SYS_SOCKET:
		return "socket", "ddx"
	case unix.SYS_STATX:
		return "statx", "DsA-p"
	case unix.SYS_SYMLINKAT:
		return "symlinkat", "sDs"
	case unix.SYS_UMASK:
		return "umask", "o"
	case unix.SYS_UMOUNT2:
		return "umount2", "su"
	case unix.SYS_UNLINKAT:
		return "unlinkat", "DsA"
	case unix.SYS_UNSHARE:
		return "unshare", "C"
	case unix.SYS_WRITE:
		return "write", "Dsd"
	}
	return "", "xxxxxx"
}
