package container

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/runtime/launch"
	"github.com/dhow-containers/dhow/runtime/plan"
	"github.com/dhow-containers/dhow/spec"
)

// Files that a tmpfs takes over may belong to many users. A runtime that is not root may give files to others only in
// the container's user namespace, which a process of several threads cannot enter. So it has a second process of
// its own program do that.

// CopierName is what such a process is called: a program that sets Store.Copier calls Copy when it is its own name.
const CopierName = "dhow-copy-up"

// Copy copies the directory at descriptor 0 into the one at descriptor 1, and returns an exit code.
func Copy() int {
	if err := copyUp([]int{0, 1}); err != nil {
		fmt.Fprint(os.Stderr, err)
		return 1
	}
	return 0
}

// copyUp serves plan.CopyUp.
func (m *making) copyUp(fds []int) error {
	if !m.store.Copier || !m.input.Host.Unprivileged || len(fds) != 2 || !severalUsers(m.doc.Spec.Linux) {
		return copyUp(fds)
	}
	defer unix.Close(fds[0])
	defer unix.Close(fds[1])
	failpoint("copy")
	return copyInside(fds, m.proc)
}

// severalUsers says whether the user namespace has a root, and any user besides.
func severalUsers(l *specs.Linux) bool {
	if _, root := spec.HostID(l.UIDMappings, 0); !root {
		return false
	}
	for _, list := range [...][]specs.LinuxIDMapping{l.UIDMappings, l.GIDMappings} {
		if len(list) > 1 || len(list) == 1 && list[0].Size > 1 {
			return true
		}
	}
	return false
}

// copyInside copies in the user namespace of a process.
func copyInside(fds []int, inside *launch.Process) error {
	p, err := plan.CompileCopier(inside.Pid, CopierName)
	if err != nil {
		return err
	}
	r, w, err := os.Pipe()
	if err != nil {
		return err
	}
	defer r.Close()
	o := launch.Options{Cgroup: -1, Listener: -1, Pidfd: inside.Pidfd, Stdio: [3]uintptr{uintptr(fds[0]), uintptr(fds[1]), w.Fd()}}
	proc, err := launch.Start(p, o)
	w.Close()
	if err != nil {
		return err
	}
	defer proc.Forget()
	if err := proc.Serve(func(*launch.Request) (uint64, bool, error) { return 0, false, nil }); err != nil {
		unix.PidfdSendSignal(proc.Pidfd, unix.SIGKILL, nil, 0)
		_, e := proc.Wait()
		return errors.Join(err, e)
	}
	const most = 4096
	text, _ := io.ReadAll(io.LimitReader(r, most))
	code, err := proc.Wait()
	if err != nil || code == 0 {
		return err
	}
	if message := strings.TrimSpace(string(text)); message != "" {
		return errors.New(message)
	}
	return fmt.Errorf("cannot copy up (tmpcopyup): the process that copies ended with status %d", code)
}
