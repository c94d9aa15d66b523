package container

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/moby/moby/client"

	"github.com/dhow-containers/dhow/higher/cli"
	"github.com/dhow-containers/dhow/higher/cli/stream"
)

// streams copies between the program's streams and a connection to a process of a container.
type streams struct {
	app        *cli.App
	conn       client.HijackedResponse
	tty        bool
	in         io.Reader // nil for none
	out, err   io.Writer // nil for none
	detachKeys string
}

// copy goes on until the output ends, or the detach keys are typed (stream.ErrDetached), or ctx ends. A process without
// output is done when its input is.
func (s *streams) copy(ctx context.Context) error {
	restore, err := s.raw()
	if err != nil {
		return err
	}
	defer restore()
	outputDone := s.output(restore)
	inputDone := s.input(restore)
	for {
		select {
		case err := <-outputDone:
			return err
		case err := <-inputDone:
			if errors.Is(err, stream.ErrDetached) || outputDone == nil {
				return err
			}
			inputDone = nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// raw puts the terminal into raw mode where keys are for the process, and watches for the detach keys.
func (s *streams) raw() (restore func(), err error) {
	if s.in == nil || !s.tty {
		return func() {}, nil
	}
	keys := stream.DefaultDetachKeys
	if s.detachKeys != "" {
		if keys, err = stream.ParseKeys(s.detachKeys); err != nil {
			return nil, err
		}
	}
	if err := s.app.In.Raw(); err != nil {
		return nil, fmt.Errorf("unable to set IO streams as raw terminal: %w", err)
	}
	s.in = stream.Detachable(s.in, keys)
	return sync.OnceFunc(s.app.In.Restore), nil
}

func (s *streams) output(restore func()) chan error {
	if s.out == nil && s.err == nil {
		return nil
	}
	done := make(chan error, 1)
	go func() {
		var err error
		if s.tty {
			_, err = io.Copy(s.out, s.conn.Reader)
			restore()
		} else {
			err = stream.Frames(orDiscard(s.out), orDiscard(s.err), s.conn.Reader)
		}
		done <- err
	}()
	return done
}

func (s *streams) input(restore func()) chan error {
	done := make(chan error, 1)
	go func() {
		if s.in != nil {
			_, err := io.Copy(s.conn.Conn, s.in)
			restore()
			if errors.Is(err, stream.ErrDetached) {
				done <- err
				return
			}
			// Another error shows on the side of the output, too.
		}
		s.conn.CloseWrite()
		done <- nil
	}()
	return done
}

func orDiscard(w io.Writer) io.Writer {
	if w == nil {
		return io.Discard
	}
	return w
}

// attach connects the streams that o asks for to a container. The channel gives how it ended.
func attach(ctx context.Context, a *cli.App, id string, tty bool, o client.ContainerAttachOptions) (done <-chan error, hangUp func(), err error) {
	c, err := a.Client()
	if err != nil {
		return nil, nil, err
	}
	conn, err := c.ContainerAttach(ctx, id, o)
	if err != nil {
		return nil, nil, err
	}
	s := &streams{app: a, conn: conn.HijackedResponse, tty: tty, detachKeys: o.DetachKeys}
	if o.Stdin {
		s.in = a.In
	}
	if o.Stdout {
		s.out = a.Out
	}
	if o.Stderr {
		s.err = a.Err
		if tty {
			s.out = a.Out
		}
	}
	ended := make(chan error, 1)
	go func() { ended <- s.copy(ctx) }()
	return ended, conn.Close, nil
}
