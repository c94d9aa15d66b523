package diagnose

import (
	"fmt"
	"runtime"

	"golang.org/x/sys/unix"
)

// hostRules are about what the machine has run out of. They come last: any call may fail so.
func hostRules() []rule {
	return []rule{
		{name: "disk-full", errno: []unix.Errno{unix.ENOSPC}, field: "--root", why: always("the file system of --root is full, in bytes or in inodes (df, df -i)")},
		{name: "disk-full", errno: []unix.Errno{unix.ENOSPC}, what: "--root", why: always("the file system of --root is full, in bytes or in inodes (df, df -i)")},
		{name: "root-read-only", errno: []unix.Errno{unix.EROFS}, what: "--root", why: always("choose another directory with --root")},
		{name: "root-denied", errno: []unix.Errno{unix.EACCES, unix.EPERM}, what: "--root", why: always("choose a directory of your own with --root")},
		{name: "too-many-files", errno: []unix.Errno{unix.EMFILE}, why: openFiles},
		{name: "interface-missing", errno: []unix.Errno{unix.ENOSYS}, why: noSyscall},
	}
}

func openFiles(*Failure) string {
	var l unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NOFILE, &l) != nil {
		return ""
	}
	return fmt.Sprintf("a process may have %d open files here (RLIMIT_NOFILE); each bind mount takes one", l.Cur)
}

func noSyscall(f *Failure) string {
	if f.Call == "" {
		return ""
	}
	return "this kernel has no " + f.Call + "(2), or a seccomp filter around this process hides it"
}

func hostMachine() string { return runtime.GOARCH }
