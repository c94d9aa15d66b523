package task

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"

	"github.com/containerd/errdefs"
	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/shim/api"
	"github.com/dhow-containers/dhow/shim/ttrpc"
	"github.com/dhow-containers/dhow/shim/wire"
)

// Process is a container's init, or an exec.
type Process struct {
	task   *Task
	target api.Target
	pid    atomic.Int64

	wait   sync.Once
	exited chan struct{} // closed when exit, or failed, is known
	exit   Exit
	failed error
}

func (p *Process) set(t *Task, target api.Target) {
	p.task, p.target, p.exited = t, target, make(chan struct{})
}

// Pid is the process's as the host counts; of an exec it is 0 before Start.
func (p *Process) Pid() int { return int(p.pid.Load()) }

// Start lets it run.
func (p *Process) Start(ctx context.Context) error {
	var answer api.PidResponse
	if err := p.task.call(ctx, "Start", &p.target, &answer); err != nil {
		return err
	}
	p.pid.Store(int64(answer.Pid))
	return nil
}

// Kill sends it a signal.
func (p *Process) Kill(ctx context.Context, sig unix.Signal) error {
	return p.task.call(ctx, "Kill", &api.KillRequest{Target: p.target, Signal: uint32(sig)}, nil)
}

// Resize sets the size of its terminal, if it has one.
func (p *Process) Resize(ctx context.Context, width, height uint32) error {
	return p.task.call(ctx, "ResizePty", &api.ResizeRequest{Target: p.target, Width: width, Height: height}, nil)
}

// CloseStdin ends its input; a terminal has no end.
func (p *Process) CloseStdin(ctx context.Context) error {
	return p.task.call(ctx, "CloseIO", &api.CloseIORequest{Target: p.target, Stdin: true}, nil)
}

// Wait returns when it has ended, its output is logged, and the clients have it. Many may wait. The error is
// ErrUnavailable when the shim has gone before.
func (p *Process) Wait(ctx context.Context) (Exit, error) {
	p.wait.Do(func() { go p.await() })
	select {
	case <-p.exited:
		return p.exit, p.failed
	case <-ctx.Done():
		return Exit{}, ctx.Err()
	}
}

// await makes the one call that all of Wait's callers wait for.
func (p *Process) await() {
	defer close(p.exited)
	var exit api.Exit
	p.failed = p.task.call(context.Background(), "Wait", &p.target, &exit)
	p.exit = Exit(exit)
}

// Delete forgets an exec that has ended, or was never started.
func (p *Process) Delete(ctx context.Context) (Exit, error) {
	var answer api.DeleteResponse
	err := p.task.call(ctx, "Delete", &p.target, &answer)
	return Exit(answer.Exit), err
}

// call asks the shim's task service.
func (t *Task) call(ctx context.Context, method string, q wire.Message, r wire.Receiver) error {
	return t.callService(ctx, "containerd.task.v2.Task", method, q, r)
}

func (t *Task) callService(ctx context.Context, service, method string, q wire.Message, r wire.Receiver) error {
	err := t.conn.Call(ctx, service, method, q, r)
	var answer *ttrpc.Error
	switch {
	case errors.Is(err, ttrpc.ErrClosed):
		return errdefs.ErrUnavailable.WithMessage("the shim of container " + t.target.ID + " is gone")
	case errors.As(err, &answer):
		return classed(answer.Code, answer.Message)
	}
	return err
}

// classed gives the shim's errors back their classes.
func classed(code ttrpc.Code, message string) error {
	switch code {
	case ttrpc.NotFound:
		return errdefs.ErrNotFound.WithMessage(message)
	case ttrpc.AlreadyExists:
		return errdefs.ErrAlreadyExists.WithMessage(message)
	case ttrpc.InvalidArgument:
		return errdefs.ErrInvalidArgument.WithMessage(message)
	case ttrpc.FailedPrecondition:
		return errdefs.ErrFailedPrecondition.WithMessage(message)
	case ttrpc.Unimplemented:
		return errdefs.ErrNotImplemented.WithMessage(message)
	}
	return errors.New(message)
}
