package container

import (
	"context"
	"slices"
	"testing"

	types "github.com/moby/moby/api/types/container"

	"github.com/dhow-containers/dhow/higher/api"
)

// life is what a client does with a container, the ends of its process included.
func life(w *world, m *Manager, autoRemove bool) {
	id, err := tryCreate(m, "c1", types.Config{Volumes: map[string]struct{}{"/v": {}}}, types.HostConfig{AutoRemove: autoRemove})
	if err != nil {
		w.t.Error(err)
		return
	}
	removed, err := m.ContainerWait(context.Background(), id, types.WaitConditionRemoved)
	if err != nil {
		w.t.Error(err)
		return
	}
	stopped, err := m.ContainerWait(context.Background(), id, types.WaitConditionNextExit)
	if err != nil {
		w.t.Error(err)
		return
	}
	if err := m.ContainerStart(context.Background(), id); err != nil {
		w.t.Error(err)
		return
	}
	w.shim(id).end(3)
	<-stopped
	if !autoRemove {
		if err := m.ContainerRemove(context.Background(), id, api.RemoveOptions{Volumes: true}); err != nil {
			w.t.Error(err)
		}
	}
	<-removed
}

// TestKilledAnywhere has the daemon killed at each point of a container's life. The next daemon takes back all that is
// half, and knows of what is whole.
func TestKilledAnywhere(t *testing.T) {
	for _, c := range []struct {
		point      string
		autoRemove bool
		want       Phase // of the container then; "" if there is none
	}{
		{"create-prepared", false, ""},
		{"create-lent", false, ""},
		{"create-volumes", false, ""},
		{"start-bundle", false, Created},
		{"start-mounted", false, Created},
		{"start-reserved", false, Created},
		{"start-created", false, Created},
		{"start-attached", false, Created},
		{"start-started", false, Created},
		{"start-recorded", false, Running},
		{"exit-seen", false, Exited},
		{"exit-cleaned", false, Exited},
		{"exit-recorded", false, Exited},
		{"remove-recorded", false, ""},
		{"remove-released", false, ""},
		{"remove-files", false, ""},
		{"exit-seen", true, ""},
		{"exit-cleaned", true, ""},
		{"exit-recorded", true, ""},
		{"remove-recorded", true, ""},
		{"remove-released", true, ""},
		{"remove-files", true, ""},
	} {
		name := c.point
		if c.autoRemove {
			name += " with --rm"
		}
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			m := w.daemon()
			dead := make(chan struct{})
			m.Die(c.point, dead)
			whole := make(chan struct{})
			go func() {
				defer close(whole)
				life(w, m, c.autoRemove)
			}()
			select {
			case <-dead:
			case <-whole:
				t.Fatal("the point was not reached")
			}
			next := w.daemon()
			becomes(t, w, next, "c1", c.want)
			if left := w.leftovers(next); len(left) > 0 {
				t.Errorf("left: %v", left)
			}
			if c.want == Exited {
				if r, err := next.Record("c1"); err != nil || r.ExitCode != 3 || r.FinishedAt.IsZero() {
					t.Errorf("the exit was lost: %+v, %v", r.State, err)
				}
			}
			useAgain(t, w, next, c.want)
		})
	}
}

// useAgain checks that the name can be used as ever.
func useAgain(t *testing.T, w *world, m *Manager, is Phase) {
	t.Helper()
	if is == "" {
		create(t, m, "c1", types.Config{}, types.HostConfig{})
	}
	if is != Running {
		if err := m.ContainerStart(context.Background(), "c1"); err != nil {
			t.Error(err)
		}
	}
	if err := m.ContainerRemove(context.Background(), "c1", api.RemoveOptions{Force: true}); err != nil {
		t.Error(err)
	}
	if left := w.leftovers(m); len(left) > 0 || slices.Contains(left, "") {
		t.Errorf("left after rm -f: %v", left)
	}
}

// A container that ended while there was no daemon has ended when it did, with its code; one that runs runs on.
func TestDaemonWasAway(t *testing.T) {
	w := newWorld(t)
	m := w.daemon()
	ends := create(t, m, "ends", types.Config{}, types.HostConfig{})
	runs := create(t, m, "runs", types.Config{}, types.HostConfig{})
	always := create(t, m, "always", types.Config{}, types.HostConfig{RestartPolicy: types.RestartPolicy{Name: "always"}})
	for _, id := range []string{ends, runs, always} {
		if err := m.ContainerStart(context.Background(), id); err != nil {
			t.Fatal(err)
		}
	}
	m.cancel()
	shim := w.shim(ends)
	shim.end(5)
	first := w.shim(always)
	first.end(0)
	next := w.daemon()
	answer, err := next.ContainerWait(context.Background(), "ends", types.WaitConditionNotRunning)
	if err != nil {
		t.Fatal(err)
	}
	if got := <-answer; got.StatusCode != 5 {
		t.Errorf("exit code %d", got.StatusCode)
	}
	if r, err := next.Record("ends"); err != nil || !r.FinishedAt.Equal(shim.exit.At) {
		t.Errorf("finished at %v, %v", r.FinishedAt, err)
	}
	if !next.IsRunning(runs) {
		t.Error("the container that runs is lost")
	}
	eventually(t, w, next, "always", func(r *Record) bool { return r != nil && r.Phase == Running && w.shim(always) != first })
}
