package command

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// run runs the program to its end, and returns its output; with stdio there is none to return: it is that of the process
// to be made.
func (r *Runtime) run(stdio *[3]uintptr, args ...string) ([]byte, error) {
	path, err := r.find()
	if err != nil {
		return nil, fmt.Errorf("cannot run the runtime %q: %w", r.Path, err)
	}
	log, err := newMemory(nil)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	own, err := newOutput()
	if err != nil {
		return nil, err
	}
	defer own.close()
	if stdio == nil {
		stdio = own.stdio()
	}
	ws, err := r.fork(path, slices.Concat([]string{r.Path}, r.Args, r.global(log.path()), args), stdio)
	if err != nil {
		return nil, fmt.Errorf("cannot run the runtime %q: %w", r.Path, err)
	}
	if ws.Exited() && ws.ExitStatus() == 0 {
		return own.stdout.read(), nil
	}
	if words := lastError(log.read()); words != "" {
		return nil, errors.New(words) // which say who speaks
	}
	return nil, r.errorf("%s", end(own.stderr.read(), ws))
}

// find finds the program. A name is looked for in $PATH, but not below the working directory: that is a bundle.
func (r *Runtime) find() (string, error) {
	if strings.Contains(r.Path, "/") {
		return r.Path, nil
	}
	for dir := range strings.SplitSeq(os.Getenv("PATH"), ":") {
		path := filepath.Join(dir, r.Path)
		if st, err := os.Stat(path); filepath.IsAbs(dir) && err == nil && st.Mode().IsRegular() && unix.Access(path, unix.X_OK) == nil {
			return path, nil
		}
	}
	return "", errors.New("executable file not found in $PATH")
}

// global are the flags in front of the command.
func (r *Runtime) global(log string) []string {
	flags := []string{"--root", r.Root, "--log", log, "--log-format", "json"}
	if r.SystemdCgroup {
		flags = append(flags, "--systemd-cgroup")
	}
	return flags
}

// fork starts the program and waits for its end. The kernel kills it with the thread that has started it, which so has to stay.
func (r *Runtime) fork(path string, argv []string, stdio *[3]uintptr) (ws unix.WaitStatus, err error) {
	if r.Hold != nil {
		defer r.Hold()()
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	pid, err := syscall.ForkExec(path, argv, &syscall.ProcAttr{Env: environment(), Files: stdio[:], Sys: &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}})
	if err != nil {
		return ws, err
	}
	return wait(pid)
}

// environment is this process's, without what a service manager has said to it: runc would take it for the container's.
func environment() []string {
	return slices.DeleteFunc(os.Environ(), func(s string) bool {
		return strings.HasPrefix(s, "NOTIFY_SOCKET=") || strings.HasPrefix(s, "LISTEN_")
	})
}

func wait(pid int) (ws unix.WaitStatus, err error) {
	for {
		if _, err = unix.Wait4(pid, &ws, 0, nil); err != unix.EINTR {
			return ws, os.NewSyscallError("wait4", err)
		}
	}
}

// lastError is the last error in a log.
func lastError(log []byte) (last string) {
	for line := range strings.Lines(string(log)) {
		var entry struct{ Level, Msg string }
		if json.Unmarshal([]byte(line), &entry) == nil && entry.Level == "error" && entry.Msg != "" {
			last = entry.Msg
		}
	}
	return last
}

// end is the last line that the program has written, else how it ended.
func end(stderr []byte, ws unix.WaitStatus) string {
	lines := strings.Split(strings.TrimSpace(string(stderr)), "\n")
	if last := strings.TrimSpace(lines[len(lines)-1]); last != "" {
		return last
	}
	if ws.Signaled() {
		return fmt.Sprintf("killed by signal %d (%s)", ws.Signal(), unix.SignalName(ws.Signal()))
	}
	return fmt.Sprintf("exit status %d", ws.ExitStatus())
}
