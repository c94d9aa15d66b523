package container

import (
	"context"
	"errors"
	"io"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/dhow-containers/dhow/higher/api"
	"github.com/dhow-containers/dhow/higher/container/oci"
	"github.com/dhow-containers/dhow/higher/task"
	types "github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/events"
	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// exec is a further process of a container, made by a client or by a health check. It is known until some time after its
// end; the daemon's end is its own, too.
type exec struct {
	id      string
	c       *container
	request *types.ExecCreateRequest
	up      chan struct{} // closed when it runs, or has failed to
	done    chan struct{} // closed when it has ended

	mu       sync.Mutex
	begun    bool
	running  bool
	exitCode *int
	pid      int
	process  Exec
	ended    time.Time
}

// remembered is how long an exec that has ended can be inspected.
const remembered = 10 * time.Minute

// ExecCreate prepares a further process in a container that runs.
func (m *Manager) ExecCreate(_ context.Context, name string, r *types.ExecCreateRequest) (string, error) {
	c, err := m.get(name)
	if err != nil {
		return "", err
	}
	if err := c.canExec(name); err != nil {
		return "", err
	}
	if len(r.Cmd) == 0 {
		return "", invalidf("No exec command specified")
	}
	if _, err := task.ParseDetachKeys(r.DetachKeys); err != nil {
		return "", err
	}
	if r.User != "" {
		if _, err := c.execProcess(r); err != nil {
			return "", err
		}
	}
	return c.newExec(r).id, nil
}

// canExec says why nothing can be run in a container.
func (c *container) canExec(name string) error {
	_, err := c.running()
	if err == nil && c.record().Phase == Paused {
		return conflictf("Container %s is paused, unpause the container before exec", name)
	}
	return err
}

func (c *container) newExec(r *types.ExecCreateRequest) *exec {
	e := &exec{id: newID(), c: c, request: r, up: make(chan struct{}), done: make(chan struct{})}
	c.m.mu.Lock()
	for id, old := range c.m.execs {
		if old.forgettable() {
			delete(c.m.execs, id)
		}
	}
	c.m.execs[e.id] = e
	c.m.mu.Unlock()
	c.mu.Lock()
	c.execs[e.id] = e
	c.mu.Unlock()
	e.emit(events.ActionExecCreate, true, nil)
	return e
}

func (e *exec) forgettable() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return !e.ended.IsZero() && time.Since(e.ended) > remembered
}

// emit tells of an exec; with its command, as Docker does for create and start.
func (e *exec) emit(action events.Action, withCommand bool, more map[string]string) {
	if withCommand {
		action += events.Action(": " + e.request.Cmd[0] + " " + strings.Join(e.request.Cmd[1:], " "))
	}
	attributes := map[string]string{"execID": e.id}
	for k, v := range more {
		attributes[k] = v
	}
	e.c.emit(action, attributes)
}

func (m *Manager) findExec(id string) (*exec, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if e := m.execs[id]; e != nil {
		return e, nil
	}
	return nil, noSuchExec(id)
}

// ExecStart runs a created exec; with r.Detach it returns once the process runs and does not call s.Hijack.
func (m *Manager) ExecStart(ctx context.Context, id string, r *types.ExecStartRequest, s api.Streams) error {
	e, err := m.findExec(id)
	if err != nil {
		return err
	}
	if err := e.c.canExec(e.c.id); err != nil {
		return err
	}
	if err := e.begin(); err != nil {
		return err
	}
	ctx = context.WithoutCancel(ctx)
	if r.Detach {
		return e.fail(e.run(ctx, r.ConsoleSize, nil, nil))
	}
	conn, err := s.Hijack(!e.request.Tty)
	if err != nil {
		return e.fail(err)
	}
	a := &task.AttachOptions{
		Stdin: e.request.AttachStdin, Stdout: e.request.AttachStdout, Stderr: e.request.AttachStderr,
		DetachKeys: e.request.DetachKeys, CloseStdin: true, Raw: api.IsRaw(conn),
	}
	return e.serve(ctx, r, a, conn)
}

// serve runs an exec with a client. Whatever fails from here on is told in the stream, where Docker's clients read it:
// by the shim once it serves the stream.
func (e *exec) serve(ctx context.Context, r *types.ExecStartRequest, o *task.AttachOptions, conn io.ReadWriteCloser) error {
	err := e.fail(e.run(ctx, r.ConsoleSize, o, conn))
	if told := new(toldError); err != nil && !errors.As(err, &told) {
		text := []byte(err.Error() + "\r\n")
		if !e.request.Tty && !o.Raw {
			text = append(appendFrameHead(nil, 1, len(text)), text...)
		}
		_, w := conn.Write(text)
		return errors.Join(err, w)
	}
	return nil
}

// begin marks an exec as started: it can be once.
func (e *exec) begin() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case e.exitCode != nil:
		return conflictf("exec command %s has already run", e.id)
	case e.begun:
		return conflictf("exec command %s is already running", e.id)
	}
	e.begun, e.running = true, true
	return nil
}

// fail records that an exec could not be started.
func (e *exec) fail(err error) error {
	if err == nil {
		return nil
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.exitCode == nil {
		code := exitCannotInvoke
		if c := exitCode(err); c != 0 {
			code = c
		}
		e.exitCode, e.ended = &code, time.Now()
		close(e.up)
		close(e.done)
	}
	e.running = false
	e.c.forgetExec(e.id)
	return err
}

// run starts the process, with a client if there is one, and stays with the client.
func (e *exec) run(ctx context.Context, size *[2]uint, o *task.AttachOptions, conn io.ReadWriteCloser) error {
	run, err := e.c.running()
	if err != nil {
		return err
	}
	e.emit(events.ActionExecStart, true, nil)
	p, err := e.make(ctx, run, size, o)
	if err != nil {
		return err
	}
	var a Attachment
	if conn != nil {
		a, err = p.Attach(ctx, *o, conn)
	}
	if err == nil {
		err = startErrorOrNil(p.Start(ctx))
	}
	if err != nil {
		if _, del := p.Delete(ctx); del != nil {
			e.c.m.Log.Debug("cannot delete an exec that did not start", "exec", e.id, "error", del)
		}
		if a != nil {
			err = &toldError{err}
		}
		return err
	}
	e.mu.Lock()
	e.process, e.pid = p, p.Pid()
	close(e.up)
	e.mu.Unlock()
	go e.watch(p)
	if a == nil {
		return nil
	}
	return e.follow(ctx, a)
}

// toldError is an error that the client was told of by the shim.
type toldError struct{ error }

func (e *toldError) Unwrap() error { return e.error }

func startErrorOrNil(err error) error {
	if err == nil {
		return nil
	}
	return startError(err, "")
}

// make creates the process.
func (e *exec) make(ctx context.Context, run *run, size *[2]uint, o *task.AttachOptions) (Exec, error) {
	request := *e.request
	if size != nil {
		request.ConsoleSize = size
	}
	spec, err := e.c.execProcess(&request)
	if err != nil {
		return nil, err
	}
	if err := e.c.m.confine(ctx, spec); err != nil {
		return nil, err
	}
	p, err := run.task.Exec(ctx, task.ExecOptions{
		ID: e.id, Process: spec, Terminal: request.Tty, Stdin: request.AttachStdin && o != nil,
	})
	return p, startErrorOrNil(err)
}

// execProcess is the process of an exec in the container as it runs now.
func (c *container) execProcess(request *types.ExecCreateRequest) (*specs.Process, error) {
	run, err := c.running()
	if err != nil {
		return nil, err
	}
	r := c.record()
	return oci.ExecProcess(&oci.Input{
		ID: r.ID, Config: r.Config, HostConfig: r.HostConfig, Defaults: c.m.Defaults,
		Root: func() (*os.File, error) { return openRootOf(r.Pid) },
	}, run.spec, request)
}

// watch waits for the end of the process.
func (e *exec) watch(p Exec) {
	ctx := context.Background()
	exit, err := p.Wait(ctx)
	if err != nil {
		exit = whenUnknown(exit)
	}
	e.mu.Lock()
	code := int(exit.Status)
	e.exitCode, e.running, e.ended, e.process = &code, false, time.Now(), nil
	close(e.done)
	e.mu.Unlock()
	e.c.forgetExec(e.id)
	e.emit(events.ActionExecDie, false, map[string]string{"exitCode": strconv.Itoa(code)})
	if _, err := p.Delete(ctx); err != nil {
		e.c.m.Log.Debug("cannot delete an exec", "exec", e.id, "error", err)
	}
}

// lateExit is how long the exit status of a process is waited for that has ended.
const lateExit = time.Second

// follow stays with the client.
func (e *exec) follow(ctx context.Context, a Attachment) error {
	detached, err := a.Wait(ctx)
	if detached {
		e.emit(events.ActionExecDetach, false, nil)
	}
	if err != nil {
		e.c.m.Log.Debug("the streams of an exec have ended", "exec", e.id, "error", err)
	}
	return nil
}

// ExecResize sets the size of an exec's terminal.
func (m *Manager) ExecResize(ctx context.Context, id string, height, width uint32) error {
	e, err := m.findExec(id)
	if err != nil {
		return err
	}
	if err := e.c.canExec(e.c.id); err != nil {
		return err
	}
	e.mu.Lock()
	p := e.process
	e.mu.Unlock()
	if p == nil {
		return invalidf("exec process is not started")
	}
	if err := p.Resize(ctx, width, height); err != nil {
		return err
	}
	e.emit(events.ActionResize, false, map[string]string{
		"height": strconv.FormatUint(uint64(height), 10), "width": strconv.FormatUint(uint64(width), 10),
	})
	return nil
}

// ExecInspect shows an exec.
func (m *Manager) ExecInspect(_ context.Context, id string) (*types.ExecInspectResponse, error) {
	e, err := m.findExec(id)
	if err != nil {
		return nil, err
	}
	e.settle()
	e.mu.Lock()
	defer e.mu.Unlock()
	r := e.request
	user := r.User
	if user == "" {
		user = e.c.record().Config.User
	}
	return &types.ExecInspectResponse{
		ID: e.id, Running: e.running, ExitCode: e.exitCode, ContainerID: e.c.id, Pid: e.pid,
		OpenStdin: r.AttachStdin, OpenStdout: r.AttachStdout, OpenStderr: r.AttachStderr, DetachKeys: []byte(r.DetachKeys),
		ProcessConfig: &types.ExecProcessConfig{
			Tty: r.Tty, Entrypoint: r.Cmd[0], Arguments: append([]string{}, r.Cmd[1:]...), Privileged: &r.Privileged, User: user,
		},
	}, nil
}

// settle waits until it is known how an exec is whose client has seen the end of its streams, which it may before the
// daemon.
func (e *exec) settle() {
	e.mu.Lock()
	running := e.running
	e.mu.Unlock()
	if !running {
		return
	}
	late := time.NewTimer(lateExit)
	defer late.Stop()
	for _, c := range []<-chan struct{}{e.up, e.done} {
		if c == e.done && e.alive() {
			return
		}
		select {
		case <-c:
		case <-late.C:
			return
		}
	}
}

// alive says whether the process is still there.
func (e *exec) alive() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.pid != 0 && unix.Kill(e.pid, 0) == nil
}

// forgetExec takes an exec that has ended from those that the container shows.
func (c *container) forgetExec(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.execs, id)
}

// forgetExecs forgets the execs of a container that is removed.
func (c *container) forgetExecs() {
	c.m.mu.Lock()
	defer c.m.mu.Unlock()
	for id, e := range c.m.execs {
		if e.c == c {
			delete(c.m.execs, id)
		}
	}
}

// openRootOf opens the root directory of a process.
func openRootOf(pid int) (*os.File, error) {
	return os.OpenFile("/proc/"+strconv.Itoa(pid)+"/root", oPath, 0)
}
