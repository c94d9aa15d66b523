package launch

import (
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"

	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/runtime/plan"
)

// Describer tells what a step was for, so that a failed one can be explained.
type Describer interface {
	Describe(step int) plan.StepInfo
}

// Peer is the parent's end of the report channel to a process that walks a Program.
type Peer struct {
	// Explain, when it is set, turns a failed step into the error that Serve returns. The process that
	// failed stands still meanwhile, so that its files and mounts can be looked at.
	Explain func(*StepError) error

	fd    int
	steps Describer
	proc  *Process // nil for a peer that did not start the process
}

// NewPeer talks over fd to a process that somebody else started.
func NewPeer(fd int, steps Describer) *Peer { return &Peer{fd: fd, steps: steps} }

// Close hangs up: a process that reaches a rendezvous after that ends.
func (p *Peer) Close() { unix.Close(p.fd) }

// Describe says what a step of the process's Program is for.
func (p *Peer) Describe(step int) plan.StepInfo { return p.steps.Describe(step) }

// Request is one rendezvous.
type Request struct {
	Step int
	Code plan.Code
	FDs  []int // descriptors that were sent along; the handler owns them
}

// StepError says which step failed.
type StepError struct {
	Step  int
	Info  plan.StepInfo
	Errno unix.Errno
}

func (e *StepError) Error() string { return e.Info.Failure(e.Errno) }

// LogValue is the error for a structured log: which step and system call failed, and how.
func (e *StepError) LogValue() slog.Value {
	return slog.GroupValue(slog.Int("step", e.Step), slog.String("call", e.Info.Call), slog.String("errno", unix.ErrnoName(e.Errno)),
		slog.String("field", e.Info.Field), slog.String("text", e.Error()))
}

// Unwrap gives the errno.
func (e *StepError) Unwrap() error { return e.Errno }

// ErrGone is returned by Serve when stop was wanted but the process went away before.
var ErrGone = errors.New("the process ended before it was set up")

// message is what the child sends (image.go).
type message struct {
	step, kind uint32
	value      uint64
}

// kindFiles announces descriptors for the rendezvous that follows (plan's terminal steps send it);
// kindListener carries the seccomp listener and wants no answer.
const (
	kindFiles    = plan.FilesMessage
	kindListener = plan.ListenerMessage
)

// Serve answers the process until it executes the container's program or handle asks to stop. handle
// returns the value for the child's register, and whether Serve is to return after answering. Without a
// stop, nil means that the channel closed: the process has executed its program, or has died.
func (p *Peer) Serve(handle func(*Request) (value uint64, stop bool, err error)) error {
	var pending []int
	defer func() { fds(pending).close() }()
	for {
		m, files, err := p.receive()
		pending = append(pending, files...)
		switch {
		case err != nil:
			return err
		case m == nil:
			return nil
		case m.kind == kindFailed:
			return p.explain(&StepError{int(m.step), p.steps.Describe(int(m.step)), unix.Errno(m.value)})
		case m.kind == kindFiles:
			continue
		case m.kind == kindListener:
			req := &Request{Step: int(m.step), Code: plan.SeccompListener, FDs: pending}
			pending = nil
			if _, stop, err := handle(req); err != nil || stop {
				return err
			}
			continue
		}
		dieAt(plan.Code(m.value))
		req := &Request{Step: int(m.step), Code: plan.Code(m.value), FDs: pending}
		pending = nil
		value, stop, err := handle(req)
		if err2 := p.answer(err, value); err == nil {
			err = err2
		}
		if err != nil || stop {
			return err
		}
	}
}

// explain makes the error for e, and lets the process go.
func (p *Peer) explain(e *StepError) error {
	var err error = e
	if p.Explain != nil {
		err = p.Explain(e)
	}
	p.answer(e, 0)
	return err
}

// receive reads one message and the descriptors that came with it; nil when the other side is closed.
func (p *Peer) receive() (*message, []int, error) {
	var buf [16]byte
	var oob [256]byte
	var n, oobn int
	var err error
	for {
		n, oobn, _, _, err = unix.Recvmsg(p.fd, buf[:], oob[:], unix.MSG_CMSG_CLOEXEC)
		if err != unix.EINTR {
			break
		}
	}
	if err == unix.ECONNRESET || (err == nil && n == 0) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, fmt.Errorf("cannot read the report channel: %w", err)
	}
	files, err := p.control(oob[:oobn])
	if n != len(buf) && err == nil {
		err = fmt.Errorf("internal error: a report of %d bytes", n)
	}
	return &message{binary.LittleEndian.Uint32(buf[:]), binary.LittleEndian.Uint32(buf[4:]), binary.LittleEndian.Uint64(buf[8:])}, files, err
}

// control takes descriptors and the sender's pid out of a control message.
func (p *Peer) control(oob []byte) (files []int, err error) {
	msgs, err := unix.ParseSocketControlMessage(oob)
	if err != nil {
		return nil, fmt.Errorf("cannot read the report channel: %w", err)
	}
	for i := range msgs {
		switch msgs[i].Header.Type {
		case unix.SCM_RIGHTS:
			got, err := unix.ParseUnixRights(&msgs[i])
			if err != nil {
				return files, fmt.Errorf("cannot read the report channel: %w", err)
			}
			files = append(files, got...)
		case unix.SCM_CREDENTIALS:
			cred, err := unix.ParseUnixCredentials(&msgs[i])
			if err == nil && p.proc != nil {
				err = p.proc.follow(int(cred.Pid))
			}
			if err != nil {
				return files, err
			}
		}
	}
	return files, nil
}

// answer releases the child from a rendezvous, or tells it to give up.
func (p *Peer) answer(failed error, value uint64) error {
	var buf [16]byte
	if failed != nil {
		buf[0] = 1
	}
	binary.LittleEndian.PutUint64(buf[8:], value)
	if _, err := unix.SendmsgN(p.fd, buf[:], nil, nil, unix.MSG_NOSIGNAL); err != nil && failed == nil {
		return fmt.Errorf("cannot answer the container's process: %w", err)
	}
	return nil
}

// follow notices that a Program went on in a new process (clone(2) with CLONE_PARENT, after entering a
// pid namespace): that one is the container's, the old one only needs to be reaped.
func (p *Process) follow(pid int) error {
	if pid == p.Pid || pid == 0 {
		return nil
	}
	pidfd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return fmt.Errorf("cannot open a pidfd of process %d: %w", pid, err)
	}
	old := p.Pid
	unix.Close(p.Pidfd)
	p.Pid, p.Pidfd = pid, pidfd
	dieOf(old, p.fd)
	var ws unix.WaitStatus
	for {
		if _, err = unix.Wait4(old, &ws, 0, nil); err != unix.EINTR {
			return nil
		}
	}
}
