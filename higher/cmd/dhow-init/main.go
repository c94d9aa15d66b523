// Command dhow-init is process 1 of containers that are run with --init: it runs a program, hands signals on to it, and
// reaps whatever is left to process 1. Its exit status is the program's, 128+n after signal n, 126 or 127 if the program
// cannot be run.
package main

import (
	"errors"
	"os"
	"os/exec"
	"os/signal"
	"syscall"

	"golang.org/x/sys/unix"
)

func main() { os.Exit(run(os.Args[1:])) }

func run(args []string) int {
	if len(args) > 0 && args[0] == "--" {
		args = args[1:]
	}
	if len(args) == 0 {
		return fail("usage: dhow-init -- PROGRAM [ARGUMENT...]", 1)
	}
	signals := make(chan os.Signal, 32)
	signal.Notify(signals)
	child, err := start(args)
	if err != nil {
		return fail("cannot run "+args[0]+": "+err.Error(), status(err))
	}
	for s := range signals {
		switch s {
		case unix.SIGCHLD:
			if code, ended := reap(child); ended {
				return code
			}
		case unix.SIGURG: // Go's own, mostly
		default:
			_ = unix.Kill(child, s.(syscall.Signal)) // it may be a zombie already
		}
	}
	return 1
}

// start runs the program in a process group of its own, in the foreground of the terminal if there is one.
func start(args []string) (pid int, err error) {
	path, err := exec.LookPath(args[0])
	if err != nil {
		return 0, err
	}
	attr := &syscall.SysProcAttr{Setpgid: true}
	if _, err := unix.IoctlGetTermios(0, unix.TCGETS); err == nil {
		attr.Setpgid, attr.Foreground, attr.Ctty = false, true, 0
	}
	return syscall.ForkExec(path, args, &syscall.ProcAttr{Env: os.Environ(), Files: []uintptr{0, 1, 2}, Sys: attr})
}

// reap takes all that have ended; ended says whether the program is one of them.
func reap(child int) (code int, ended bool) {
	for {
		var s unix.WaitStatus
		pid, err := unix.Wait4(-1, &s, unix.WNOHANG, nil)
		if err == unix.EINTR {
			continue
		}
		if err != nil || pid <= 0 {
			return code, ended
		}
		if pid == child {
			code, ended = s.ExitStatus(), true
			if s.Signaled() {
				code = 128 + int(s.Signal())
			}
		}
	}
}

// status is what shells have for a program that cannot be run.
func status(err error) int {
	if errors.Is(err, exec.ErrNotFound) || errors.Is(err, os.ErrNotExist) {
		return 127
	}
	return 126
}

func fail(text string, code int) int {
	os.Stderr.WriteString("dhow-init: " + text + "\n")
	return code
}
