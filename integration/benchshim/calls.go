package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/integration"
	"github.com/dhow-containers/dhow/shim/ttrpc"
	"github.com/dhow-containers/dhow/shim/wire"
)

const timeout = 30 * time.Second

// calls measures a life without containerd: the calls of the task service that it would make.
func (b *bench) calls(s side, round int) (err error) {
	dir := filepath.Join(b.dir, fmt.Sprint("b-", s.name, round))
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	bundle, err := integration.NewBundle(dir, integration.Args("sleep", "1000"))
	if err != nil {
		return err
	}
	l := &life{bench: b, side: s, dir: dir, id: fmt.Sprint("c", round)}
	bundle.Spec.Linux.CgroupsPath = "/" + b.host.Namespace + "/" + l.id
	if err := bundle.Save(); err != nil {
		return err
	}
	if err := l.listen(); err != nil {
		return err
	}
	defer l.events.Close()
	defer func() {
		if err != nil {
			_, _ = l.command("delete")
		}
	}()
	log, err := logFifo(dir)
	if err != nil {
		return err
	}
	defer log.Close()
	process, err := json.Marshal(bundle.Spec.Process)
	if err != nil {
		return err
	}
	return l.run(strings.Replace(string(process), `"sleep","1000"`, `"true"`, 1))
}

// logFifo makes what shims log into, and drains it.
func logFifo(dir string) (*os.File, error) {
	path := dir + "/log"
	if err := unix.Mkfifo(path, 0o600); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_RDWR|unix.O_NONBLOCK, 0)
	if err == nil {
		go io.Copy(io.Discard, f)
	}
	return f, err
}

// life is one container of one shim.
type life struct {
	*bench
	side
	dir, id string
	events  *ttrpc.Server
	client  *ttrpc.Client
}

// listen takes the shim's events.
func (l *life) listen() error {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	path := l.dir + "/e"
	if err := errors.Join(unix.Bind(fd, &unix.SockaddrUnix{Name: path}), unix.Listen(fd, 8)); err != nil {
		return err
	}
	if l.events, err = ttrpc.NewServer(fd); err != nil {
		return err
	}
	l.events.Register("containerd.services.events.ttrpc.v1.Events", map[string]ttrpc.Method{
		"Forward": func(context.Context, []byte) (wire.Message, error) { return nil, nil }})
	go l.events.Serve()
	return nil
}

func (l *life) command(action string) ([]byte, error) {
	cmd := exec.Command(l.shim, "-namespace", l.host.Namespace, "-address", l.dir+"/g", "-publish-binary", "/bin/false", "-id", l.id, "-bundle", l.dir, action)
	cmd.Dir, cmd.Env = l.dir, append(os.Environ(), "TTRPC_ADDRESS="+l.dir+"/e", "GOMAXPROCS=2")
	return cmd.Output()
}

// timed measures one step.
func (l *life) timed(what string, f func() error) error {
	begin := time.Now()
	err := f()
	l.add(what, l.side, ms(begin))
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

func (l *life) call(method, exec string, more func(*wire.Encoder)) func() error {
	return func() error {
		return l.client.Call("containerd.task.v2.Task", method, wire.Func(func(e *wire.Encoder) {
			e.String(1, l.id)
			e.String(2, exec)
			if more != nil {
				more(e)
			}
		}), nil, timeout)
	}
}

// run goes through the life. Create's second field is the bundle.
func (l *life) run(process string) error {
	err := l.timed("shim start, ms", func() error {
		out, err := l.command("start")
		if err == nil {
			l.client, err = ttrpc.Dial(strings.TrimSpace(string(out)))
		}
		return err
	})
	if err != nil {
		return err
	}
	defer l.client.Close()
	spec := func(e *wire.Encoder) {
		e.Message(7, &wire.Any{URL: "types.containerd.io/opencontainers/runtime-spec/1/Process", Value: []byte(process)})
	}
	kill := func(e *wire.Encoder) { e.Uint(3, uint64(unix.SIGKILL)) }
	for _, step := range []struct {
		what string
		f    func() error
	}{
		{"Create, ms", l.call("Create", l.dir, nil)}, {"Start, ms", l.call("Start", "", nil)},
		{"", l.call("Exec", "e", spec)}, {"Start of an exec, ms", l.call("Start", "e", nil)}, {"", l.call("Wait", "e", nil)},
		{"Delete of an exec, ms", l.call("Delete", "e", nil)},
		{"", l.call("Kill", "", kill)}, {"", l.call("Wait", "", nil)},
		{"Delete, ms", l.call("Delete", "", nil)}, {"", l.call("Shutdown", "", nil)},
	} {
		if step.what == "" {
			err = step.f()
		} else {
			err = l.timed(step.what, step.f)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
