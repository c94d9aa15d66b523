package connect

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// These are variables for the tests.
var (
	euid    = os.Geteuid
	lockAt  = "/run/dhow.start"
	logAt   = "/var/log/dhowd.log"
	oneTime sync.Mutex
)

// StartError is why no daemon came about.
type StartError struct{ err error }

func (e *StartError) Error() string { return e.err.Error() }
func (e *StartError) Unwrap() error { return e.err }

// absent tells whether err says that nobody listens.
func absent(err error) bool {
	return errors.Is(err, syscall.ENOENT) || errors.Is(err, syscall.ECONNREFUSED)
}

// start starts dhowd and returns once it listens. Of many at the same time one does it, the others wait for that.
func start(ctx context.Context, socket string, report io.Writer) error {
	if euid() != 0 {
		return &StartError{fmt.Errorf("no daemon listens on %s; only root can start one (sudo dhowd, or systemctl start dhow)", socket)}
	}
	program, err := find()
	if err != nil {
		return &StartError{err}
	}
	oneTime.Lock()
	defer oneTime.Unlock()
	lock, err := os.OpenFile(lockAt, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return &StartError{fmt.Errorf("cannot start the daemon: %w", err)}
	}
	defer lock.Close()
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX); err != nil {
		return &StartError{fmt.Errorf("cannot start the daemon: %w", err)}
	}
	if c, err := net.Dial("unix", socket); err == nil {
		return c.Close() // somebody else has started it meanwhile
	}
	fmt.Fprintf(report, "dhow: no daemon runs: starting %s (its log: %s)\n", program, logAt)
	if err := launch(ctx, program); err != nil {
		return &StartError{fmt.Errorf("cannot start the daemon: %w", err)}
	}
	return nil
}

// find looks for dhowd beside this program, then in PATH.
func find() (string, error) {
	if self, err := os.Executable(); err == nil {
		beside := filepath.Join(filepath.Dir(self), "dhowd")
		if s, err := os.Stat(beside); err == nil && s.Mode().IsRegular() && s.Mode()&0o111 != 0 {
			return beside, nil
		}
	}
	p, err := exec.LookPath("dhowd")
	if err != nil {
		return "", fmt.Errorf("cannot start the daemon: dhowd is neither beside dhow nor in PATH")
	}
	return p, nil
}

// launch starts the daemon in a session of its own, so that no signal of this terminal reaches it, and waits until it has
// written to the pipe that it was left (DHOW_READY_FD).
func launch(ctx context.Context, program string) error {
	log, err := os.OpenFile(logAt, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o640)
	if err != nil {
		return err
	}
	defer log.Close()
	from, _ := log.Seek(0, io.SeekEnd)
	r, w, err := os.Pipe()
	if err != nil {
		return err
	}
	defer r.Close()
	c := exec.Command(program)
	c.Dir, c.Stdout, c.Stderr = "/", log, log
	c.ExtraFiles = []*os.File{w} // descriptor 3
	c.Env = append(os.Environ(), "DHOW_READY_FD=3")
	c.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	err = c.Start()
	w.Close()
	if err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { r.SetReadDeadline(unixEpoch) })
	defer stop()
	var b [1]byte
	if n, _ := r.Read(b[:]); n == 1 {
		return c.Process.Release()
	}
	if ctx.Err() != nil {
		c.Process.Release()
		return ctx.Err()
	}
	c.Wait()
	return fmt.Errorf("%s ended (%s); %s", program, c.ProcessState, said(from))
}

// said is the end of what the daemon wrote since its start.
func said(from int64) string {
	f, err := os.Open(logAt)
	if err != nil {
		return err.Error()
	}
	defer f.Close()
	if end, _ := f.Seek(0, io.SeekEnd); end-from > 2048 {
		from = end - 2048
	}
	text, _ := io.ReadAll(io.NewSectionReader(f, from, 2048))
	if len(text) == 0 {
		return "it wrote nothing to " + logAt
	}
	return "the end of " + logAt + ":\n" + string(text)
}
