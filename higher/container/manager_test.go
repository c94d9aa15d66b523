package container

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/containerd/errdefs"
	types "github.com/moby/moby/api/types/container"
	moby "github.com/moby/moby/api/types/events"

	"github.com/dhow-containers/dhow/higher/api"
	"github.com/dhow-containers/dhow/higher/task"
)

type discard struct{ io.Reader }

func (discard) Write(p []byte) (int, error) { return len(p), nil }
func (discard) Close() error                { return nil }

// streams is a client; began is closed when its connection was taken over.
func streams(began chan<- struct{}) api.Streams {
	return api.Streams{Hijack: func(bool) (io.ReadWriteCloser, error) {
		close(began)
		return discard{strings.NewReader("")}, nil
	}}
}

// becomes waits until a container is in a phase; "" is for one that is gone.
func becomes(t *testing.T, w *world, m *Manager, name string, want Phase) {
	t.Helper()
	eventually(t, w, m, name, func(r *Record) bool { return r == nil && want == "" || r != nil && r.Phase == want })
}

// eventually waits until a container's record is as wanted, looking at it after each event; nil is for one that is gone.
func eventually(t *testing.T, w *world, m *Manager, name string, ok func(*Record) bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	found := errors.New("found")
	look := func() bool {
		r, err := m.Record(name)
		if err != nil {
			r = nil
		}
		return ok(r)
	}
	if look() {
		return
	}
	err := w.bus.Subscribe(ctx, time.Unix(0, 1), time.Time{}, func(*moby.Message) bool { return true }, func(moby.Message) error {
		if look() {
			return found
		}
		return nil
	})
	if !errors.Is(err, found) && !look() {
		r, err := m.Record(name)
		t.Fatalf("container %s never was as wanted: %+v, %v", name, r, err)
	}
}

func TestLookUp(t *testing.T) {
	w := newWorld(t)
	m := w.daemon()
	id := create(t, m, "web", types.Config{}, types.HostConfig{})
	for _, name := range []string{"web", "/web", id, id[:12], id[:40]} {
		if r, err := m.Record(name); err != nil || r.ID != id {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := m.Record("nosuch"); !errdefs.IsNotFound(err) || err.Error() != "No such container: nosuch" {
		t.Errorf("got %v", err)
	}
	for range 40 { // some two ids begin with the same digit
		create(t, m, "", types.Config{}, types.HostConfig{})
	}
	ambiguous := 0
	for _, digit := range "0123456789abcdef" {
		if _, err := m.Record(string(digit)); errdefs.IsInvalidArgument(err) {
			ambiguous++
		}
	}
	if ambiguous == 0 {
		t.Error("no prefix is ambiguous")
	}
}

func TestNames(t *testing.T) {
	w := newWorld(t)
	m := w.daemon()
	id := create(t, m, "web", types.Config{}, types.HostConfig{})
	_, err := tryCreate(m, "web", types.Config{}, types.HostConfig{})
	want := `Conflict. The container name "/web" is already in use by container "` + id + `". You have to remove (or rename) that container to be able to reuse that name.`
	if !errdefs.IsConflict(err) || err.Error() != want {
		t.Errorf("got %v", err)
	}
	for _, bad := range []string{"x", "-x", "a b", "a/b", "é1"} {
		if _, err := tryCreate(m, bad, types.Config{}, types.HostConfig{}); !errdefs.IsInvalidArgument(err) {
			t.Errorf("%s: %v", bad, err)
		}
	}
	generated := create(t, m, "", types.Config{}, types.HostConfig{})
	if r, err := m.Record(generated); err != nil || !strings.Contains(r.Name, "_") {
		t.Errorf("generated %q, %v", r.Name, err)
	}
	if err := m.ContainerRename(context.Background(), "web", "db"); err != nil {
		t.Fatal(err)
	}
	if _, err := m.Record("web"); !errdefs.IsNotFound(err) {
		t.Errorf("the old name still is there: %v", err)
	}
	create(t, m, "web", types.Config{}, types.HostConfig{})
	if len(w.leftovers(m)) > 0 {
		t.Error(w.leftovers(m))
	}
}

func TestCreateMerges(t *testing.T) {
	w := newWorld(t)
	m := w.daemon()
	id := create(t, m, "", types.Config{Env: []string{"A=own"}}, types.HostConfig{})
	r, err := m.Record(id)
	if err != nil {
		t.Fatal(err)
	}
	if r.Config.Hostname != id[:12] || r.Path != "sh" || strings.Join(r.Config.Env, " ") != "A=own PATH=/bin" || r.Config.Labels["from"] != "image" {
		t.Errorf("%+v", r.Config)
	}
	if _, err := tryCreate(m, "", types.Config{Image: "nosuch"}, types.HostConfig{}); !errdefs.IsNotFound(err) || err.Error() != "No such image: nosuch" {
		t.Errorf("got %v", err)
	}
	if _, err := tryCreate(m, "", types.Config{Entrypoint: []string{}, Cmd: []string{}}, types.HostConfig{AutoRemove: true, RestartPolicy: types.RestartPolicy{Name: "always"}}); !errdefs.IsInvalidArgument(err) {
		t.Errorf("--rm with --restart: %v", err)
	}
}

// Every move that the table does not have is refused in Docker's words.
func TestMoves(t *testing.T) {
	for _, c := range []struct {
		from, to Phase
		want     string
	}{
		{Created, Running, ""}, {Running, Paused, ""}, {Exited, Removing, ""},
		{Paused, Paused, "container x is already paused"},
		{Created, Paused, "container x is not running"},
		{Restarting, Paused, "Container x is restarting, wait until the container is running"},
		{Running, Running, "not modified"},
		{Removing, Running, "container is marked for removal and cannot be started"},
		{Running, Removing, "container is running: stop the container before removing or force remove"},
		{Paused, Removing, "container is paused and must be unpaused first"},
		{Removing, Removing, "removal of container n is already in progress"},
		{Created, Exited, "container x is not running"},
	} {
		r := &Record{ID: "x", Name: "n", State: State{Phase: c.from}}
		err := r.move(c.to)
		switch {
		case c.want == "" && (err != nil || r.Phase != c.to):
			t.Errorf("%s to %s: %v", c.from, c.to, err)
		case c.want != "" && (err == nil || err.Error() != c.want || r.Phase != c.from):
			t.Errorf("%s to %s: %v, want %s", c.from, c.to, err, c.want)
		}
	}
	if err := (&Record{State: State{Phase: Paused}}).canStart(); err == nil || err.Error() != "cannot start a paused container, try unpause instead" {
		t.Errorf("got %v", err)
	}
}

func TestStartTwiceAndStop(t *testing.T) {
	w := newWorld(t)
	m := w.daemon()
	id := create(t, m, "c1", types.Config{}, types.HostConfig{})
	ctx := context.Background()
	if err := m.ContainerStop(ctx, "c1", api.StopOptions{}); !errors.Is(err, api.ErrNotModified) {
		t.Errorf("stop of one that does not run: %v", err)
	}
	if err := m.ContainerStart(ctx, "c1"); err != nil {
		t.Fatal(err)
	}
	if err := m.ContainerStart(ctx, "c1"); !errors.Is(err, api.ErrNotModified) {
		t.Errorf("second start: %v", err)
	}
	if err := m.ContainerRemove(ctx, "c1", api.RemoveOptions{}); !errdefs.IsConflict(err) {
		t.Errorf("rm of one that runs: %v", err)
	}
	if err := m.ContainerStop(ctx, "c1", api.StopOptions{}); err != nil {
		t.Fatal(err)
	}
	if r, err := m.Record(id); err != nil || r.Phase != Exited || r.ExitCode != 143 {
		t.Errorf("%+v, %v", r.State, err)
	}
	if err := m.ContainerKill(ctx, "c1", ""); !errdefs.IsConflict(err) || err.Error() != "cannot kill container: c1: container "+id+" is not running" {
		t.Errorf("kill: %v", err)
	}
	if left := w.leftovers(m); len(left) > 0 {
		t.Error(left)
	}
}

// A container that takes no notice of its stop signal is killed.
func TestStopKills(t *testing.T) {
	w := newWorld(t)
	m := w.daemon()
	id := create(t, m, "c1", types.Config{}, types.HostConfig{})
	if err := m.ContainerStart(context.Background(), id); err != nil {
		t.Fatal(err)
	}
	w.shim(id).stays = true
	now := 0
	if err := m.ContainerStop(context.Background(), id, api.StopOptions{Timeout: &now}); err != nil {
		t.Fatal(err)
	}
	if r, err := m.Record(id); err != nil || r.ExitCode != 137 {
		t.Errorf("%+v, %v", r.State, err)
	}
}

func TestRestartPolicy(t *testing.T) {
	for _, c := range []struct {
		policy          types.RestartPolicy
		code, restarted int
		want            bool
	}{
		{types.RestartPolicy{Name: "no"}, 1, 0, false}, {types.RestartPolicy{Name: "always"}, 0, 9, true},
		{types.RestartPolicy{Name: "unless-stopped"}, 0, 9, true}, {types.RestartPolicy{Name: "on-failure"}, 0, 0, false},
		{types.RestartPolicy{Name: "on-failure"}, 1, 99, true},
		{types.RestartPolicy{Name: "on-failure", MaximumRetryCount: 3}, 1, 2, true},
		{types.RestartPolicy{Name: "on-failure", MaximumRetryCount: 3}, 1, 3, false},
	} {
		if got := wants(c.policy, c.code, c.restarted); got != c.want {
			t.Errorf("%+v: %v", c, got)
		}
	}
}

func TestRestartsUntilStopped(t *testing.T) {
	w := newWorld(t)
	m := w.daemon()
	id := create(t, m, "c1", types.Config{}, types.HostConfig{RestartPolicy: types.RestartPolicy{Name: "always"}})
	if err := m.ContainerStart(context.Background(), id); err != nil {
		t.Fatal(err)
	}
	w.shim(id).end(1)
	eventually(t, w, m, id, func(r *Record) bool { return r != nil && r.Phase == Running && r.RestartCount == 1 })
	if err := m.ContainerStop(context.Background(), id, api.StopOptions{}); err != nil {
		t.Fatal(err)
	}
	if r, err := m.Record(id); err != nil || r.Phase != Exited || !r.Stopped {
		t.Errorf("%+v, %v", r.State, err)
	}
	if err := m.ContainerStart(context.Background(), id); err != nil {
		t.Fatal(err)
	}
	if r, _ := m.Record(id); r.Stopped || r.RestartCount != 0 {
		t.Errorf("%+v", r.State)
	}
}

// The delay doubles, up to a minute, and begins anew once the container has run for a while.
func TestRestartDelays(t *testing.T) {
	w := newWorld(t)
	m := w.daemon()
	id := create(t, m, "c1", types.Config{}, types.HostConfig{RestartPolicy: types.RestartPolicy{Name: "always"}})
	c, err := m.get(id)
	if err != nil {
		t.Fatal(err)
	}
	started := time.Now()
	if err := c.note(func(r *Record) error { r.StartedAt = started; return nil }); err != nil {
		t.Fatal(err)
	}
	exit := whenUnknown(task.Exit{})
	exit.At = started.Add(time.Second)
	var delays []time.Duration
	for range 11 {
		delays = append(delays, c.planRestart(exit).delay)
	}
	if delays[0] != firstDelay || delays[1] != 2*firstDelay || delays[10] != longestDelay {
		t.Errorf("%v", delays)
	}
	exit.At = started.Add(time.Hour)
	if d := c.planRestart(exit).delay; d != firstDelay {
		t.Errorf("after an hour: %v", d)
	}
}

func TestStartFails(t *testing.T) {
	for _, c := range []struct {
		text string
		code int
		have string
	}{
		{`exec: "nosuch": executable file not found in $PATH`, 127, "executable file not found"},
		{`exec: "/etc/passwd": permission denied`, 126, "permission denied"},
		{`exec: "/etc": is a directory`, 126, "permission denied"},
		{"cannot mount: not a directory", 127, "Are you trying to mount a directory onto a file"},
		{"cannot bind /etc/services on /etc (mounts[7]): move_mount: invalid argument", 127, "Are you trying to mount a directory onto a file"},
		{"something else", 128, "something else"},
	} {
		w := newWorld(t)
		m := w.daemon()
		w.startErr = errors.New(c.text)
		id := create(t, m, "c1", types.Config{}, types.HostConfig{})
		err := m.ContainerStart(context.Background(), id)
		if err == nil || !strings.Contains(err.Error(), c.have) || errdefs.IsInvalidArgument(err) != (c.code != 128) {
			t.Errorf("%s: %v", c.text, err)
		}
		r, _ := m.Record(id)
		if r.ExitCode != c.code || r.Phase != Created || r.Error != err.Error() {
			t.Errorf("%s: %+v", c.text, r.State)
		}
		if left := w.leftovers(m); len(left) > 0 {
			t.Error(left)
		}
	}
}

// A client that attaches before the start is there before the process runs; one of a start that fails is let go.
func TestAttachBeforeStart(t *testing.T) {
	w := newWorld(t)
	m := w.daemon()
	id := create(t, m, "c1", types.Config{}, types.HostConfig{AutoRemove: true})
	began, ended := make(chan struct{}), make(chan error, 1)
	go func() {
		ended <- m.ContainerAttach(context.Background(), id, api.AttachOptions{Stream: true, Stdout: true}, streams(began))
	}()
	<-began
	c, _ := m.get(id)
	for waiting := false; !waiting; {
		c.mu.Lock()
		waiting = len(c.clients) == 1
		c.mu.Unlock()
	}
	if err := m.ContainerStart(context.Background(), id); err != nil {
		t.Fatal(err)
	}
	s := w.shim(id)
	if s.clients != 1 {
		t.Errorf("%d clients", s.clients)
	}
	s.end(0)
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestWait(t *testing.T) {
	w := newWorld(t)
	m := w.daemon()
	ctx := context.Background()
	id := create(t, m, "c1", types.Config{}, types.HostConfig{})
	wait := func(c types.WaitCondition) <-chan types.WaitResponse {
		a, err := m.ContainerWait(ctx, id, c)
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	if got := <-wait(types.WaitConditionNotRunning); got.StatusCode != 0 {
		t.Errorf("%+v", got)
	}
	exit, removed := wait(types.WaitConditionNextExit), wait(types.WaitConditionRemoved)
	if err := m.ContainerStart(ctx, id); err != nil {
		t.Fatal(err)
	}
	running := wait(types.WaitConditionNotRunning)
	w.shim(id).end(7)
	if a, b := <-exit, <-running; a.StatusCode != 7 || b.StatusCode != 7 {
		t.Errorf("%+v, %+v", a, b)
	}
	select {
	case a := <-removed:
		t.Errorf("removed too early: %+v", a)
	default:
	}
	next := wait(types.WaitConditionNextExit)
	if err := m.ContainerRemove(ctx, id, api.RemoveOptions{}); err != nil {
		t.Fatal(err)
	}
	if a, b := <-removed, <-next; a.StatusCode != 7 || b.StatusCode != 7 {
		t.Errorf("%+v, %+v", a, b)
	}
}

// Many at once do not get in each other's way, whatever is done to them.
func TestManyAtOnce(t *testing.T) {
	w := newWorld(t)
	m := w.daemon()
	done := make(chan error, 40)
	for range cap(done) {
		go func() {
			id, err := tryCreate(m, "", types.Config{}, types.HostConfig{AutoRemove: true})
			if err != nil {
				done <- err
				return
			}
			removed, err := m.ContainerWait(context.Background(), id, types.WaitConditionRemoved)
			if err == nil {
				err = m.ContainerStart(context.Background(), id)
			}
			if err == nil {
				w.shim(id).end(0)
				<-removed
			}
			done <- err
		}()
	}
	for range cap(done) {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if left := w.leftovers(m); len(left) > 0 || len(m.all()) > 0 {
		t.Errorf("left: %v, %d containers", left, len(m.all()))
	}
}
