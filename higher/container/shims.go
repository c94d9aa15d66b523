package container

import (
	"context"
	"io"

	"github.com/dhow-containers/dhow/higher/task"
)

// Shims is Tasks by a task.Manager.
func Shims(m *task.Manager) Tasks { return shims{m} }

type shims struct{ m *task.Manager }

func (s shims) Create(ctx context.Context, o task.CreateOptions) (Task, error) {
	t, err := s.m.Create(ctx, o)
	if err != nil {
		return nil, err
	}
	return shimTask{t}, nil
}

func (s shims) Load(ctx context.Context, id, bundle string) (Task, error) {
	t, err := s.m.Load(ctx, id, bundle)
	if err != nil {
		return nil, err
	}
	return shimTask{t}, nil
}

func (s shims) Clean(ctx context.Context, id, bundle string) (task.Exit, error) {
	return s.m.Clean(ctx, id, bundle)
}

type shimTask struct{ *task.Task }

func (t shimTask) Attach(ctx context.Context, o task.AttachOptions, conn io.ReadWriteCloser) (Attachment, error) {
	a, err := t.Task.Attach(ctx, o, conn)
	if err != nil {
		return nil, err
	}
	return a, nil
}

func (t shimTask) Exec(ctx context.Context, o task.ExecOptions) (Exec, error) {
	p, err := t.Task.Exec(ctx, o)
	if err != nil {
		return nil, err
	}
	return shimExec{p}, nil
}

type shimExec struct{ *task.Process }

func (p shimExec) Attach(ctx context.Context, o task.AttachOptions, conn io.ReadWriteCloser) (Attachment, error) {
	a, err := p.Process.Attach(ctx, o, conn)
	if err != nil {
		return nil, err
	}
	return a, nil
}
