package container

import (
	"context"
	"errors"
	"slices"
	"testing"

	types "github.com/moby/moby/api/types/container"

	"github.com/dhow-containers/dhow/higher/api"
	"github.com/dhow-containers/dhow/higher/apparmor"
)

// The profile is there before each process, and what cannot be confined does not run.
func TestConfine(t *testing.T) {
	w := newWorld(t)
	facts := *w.opts.Defaults.Host
	facts.AppArmor = true
	defaults := *w.opts.Defaults
	defaults.Host = &facts
	var asked []string
	var failure error
	w.opts.Defaults = &defaults
	w.opts.Confine = func(_ context.Context, profile string) error {
		asked = append(asked, profile)
		return failure
	}
	m := w.daemon()
	ctx := context.Background()
	shows := func(name, want string) {
		t.Helper()
		if r, err := m.ContainerInspect(ctx, name, false); err != nil || r.AppArmorProfile != want {
			t.Errorf("inspect says %q of %s, want %q: %v", r.AppArmorProfile, name, want, err)
		}
	}
	create(t, m, "c1", types.Config{}, types.HostConfig{})
	shows("c1", "")
	if err := m.ContainerStart(ctx, "c1"); err != nil {
		t.Fatal(err)
	}
	shows("c1", apparmor.Default)
	id, err := m.ExecCreate(ctx, "c1", &types.ExecCreateRequest{Cmd: []string{"true"}})
	if err != nil {
		t.Fatal(err)
	}
	_ = m.ExecStart(ctx, id, &types.ExecStartRequest{Detach: true}, api.Streams{}) // the fake shim can run none
	create(t, m, "c2", types.Config{}, types.HostConfig{SecurityOpt: []string{"apparmor=mine"}})
	shows("c2", "mine")
	if want := []string{apparmor.Default, apparmor.Default}; !slices.Equal(asked, want) {
		t.Errorf("asked for %q, want %q", asked, want)
	}
	create(t, m, "c3", types.Config{}, types.HostConfig{})
	failure = errors.New("no parser")
	if err := m.ContainerStart(ctx, "c3"); !errors.Is(err, failure) {
		t.Errorf("a container that cannot be confined was started: %v", err)
	}
	if left := w.leftovers(m); len(left) > 0 {
		t.Error(left)
	}
}
