package command

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/runtime/container"
)

// Runtime is another runtime, and one container of it.
type Runtime struct {
	Path          string   // of the program, or its name in $PATH
	Args          []string // in front of all others
	Root          string   // where it keeps its state; it makes the directory
	Bundle        string   // of the container
	SystemdCgroup bool
	Hold          func() (release func()) // nobody else is to reap the program meanwhile; nil: nobody does

	count atomic.Uint32 // of names in the bundle
}

// CreateProcess makes the container. Its init waits for Start.
func (r *Runtime) CreateProcess(id string, o container.CreateOptions) (*container.Process, error) {
	args := []string{"create", "--bundle", o.Bundle}
	if o.NoPivot {
		args = append(args, "--no-pivot")
	}
	if o.NoNewKeyring {
		args = append(args, "--no-new-keyring")
	}
	made, err := r.launch(args, id, o.PidFile, o.Stdio)
	if err != nil {
		return nil, errors.Join(err, r.discard(id))
	}
	if err := keepGroups(r.Bundle, made.Pid); err != nil {
		if made.Terminal != nil {
			made.Terminal.Close()
		}
		return nil, errors.Join(err, r.Delete(id, true))
	}
	return made, nil
}

// discard removes what a failed create has left, if it has.
func (r *Runtime) discard(id string) error {
	if !r.has(id) {
		return nil
	}
	return r.Delete(id, true)
}

// StartExec starts a further process.
func (r *Runtime) StartExec(id string, o container.ExecOptions) (*container.Process, error) {
	text, err := json.Marshal(o.Process)
	if err != nil {
		return nil, err
	}
	process, err := newMemory(text)
	if err != nil {
		return nil, err
	}
	defer process.Close()
	pidFile := r.name("pid")
	defer os.Remove(pidFile)
	return r.launch([]string{"exec", "--detach", "--process", process.path()}, id, pidFile, o.Stdio)
}

// launch has the program make a process; one without stdio has a terminal.
func (r *Runtime) launch(args []string, id, pidFile string, stdio *[3]uintptr) (*container.Process, error) {
	args = append(args, "--pid-file", pidFile)
	var c *consoleSocket
	if stdio == nil {
		var err error
		if c, err = r.newConsole(); err != nil {
			return nil, err
		}
		defer c.close()
		args = append(args, "--console-socket", c.path)
	}
	if _, err := r.run(stdio, append(args, id)...); err != nil {
		return nil, err
	}
	text, err := os.ReadFile(pidFile)
	if err != nil {
		return nil, r.errorf("no pid: %w", err)
	}
	made := &container.Process{}
	if made.Pid, err = strconv.Atoi(strings.TrimSpace(string(text))); err != nil || made.Pid <= 0 {
		return nil, r.errorf("%q is no pid", text)
	}
	if c != nil {
		if made.Terminal, err = c.take(); err != nil {
			return nil, errors.Join(r.errorf("no terminal: %w", err), reapKilled(made.Pid))
		}
	}
	return made, nil
}

// reapKilled ends a process that came about and cannot be kept.
func reapKilled(pid int) error {
	err := unix.Kill(pid, unix.SIGKILL)
	_, _ = wait(pid) // it may not be a child
	return err
}

// Start lets the init run.
func (r *Runtime) Start(id string) error { return r.do("start", id) }

// Kill sends a signal to the init, or to all processes.
func (r *Runtime) Kill(id string, sig unix.Signal, all bool) error {
	args := []string{"kill"}
	if all {
		args = append(args, "--all")
	}
	return r.about(id, append(args, id, strconv.Itoa(int(sig)))...)
}

// Pause stops all processes.
func (r *Runtime) Pause(id string) error { return r.do("pause", id) }

// Resume lets them go on.
func (r *Runtime) Resume(id string) error { return r.do("resume", id) }

// Delete removes the container, with force also one that runs. One that is not there is no error with force.
func (r *Runtime) Delete(id string, force bool) error {
	if !force {
		return r.about(id, "delete", id)
	}
	if !r.has(id) {
		return nil
	}
	return r.do("delete", "--force", id)
}

// Update changes limits.
func (r *Runtime) Update(id string, resources *specs.LinuxResources) error {
	text, err := json.Marshal(resources)
	if err != nil {
		return err
	}
	file, err := newMemory(text)
	if err != nil {
		return err
	}
	defer file.Close()
	return r.do("update", "--resources", file.path(), id)
}

// do runs the program for its effect.
func (r *Runtime) do(args ...string) error {
	_, err := r.run(nil, args...)
	return err
}

// about is do with NotFound for the error when the runtime has no such container: the words for it are not the same everywhere.
func (r *Runtime) about(id string, args ...string) error {
	err := r.do(args...)
	if err != nil && !r.has(id) {
		return notFound{err}
	}
	return err
}

// has says whether the runtime has a state of the container.
func (r *Runtime) has(id string) bool {
	_, err := os.Lstat(filepath.Join(r.Root, id))
	return err == nil
}

// name is a name of a file in the bundle that is not there.
func (r *Runtime) name(what string) string {
	return filepath.Join(r.Bundle, fmt.Sprintf("runtime.%d.%s", r.count.Add(1), what))
}

// errorf makes an error that names the runtime.
func (r *Runtime) errorf(format string, args ...any) error {
	return fmt.Errorf("the runtime %q has failed: %w", r.Path, fmt.Errorf(format, args...))
}

type notFound struct{ error }

func (notFound) NotFound()       {}
func (e notFound) Unwrap() error { return e.error }
