package container

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/containerd/errdefs"
	"github.com/dhow-containers/dhow/higher/task"
	"github.com/moby/sys/mountinfo"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// Restore takes over the containers of a daemon before this one, however that ended. It is called once, before anything
// else is done with the Manager.
func (m *Manager) Restore(ctx context.Context) error {
	found := m.survey(ctx)
	for _, f := range found {
		m.Volumes.Refer(f.c.id, f.c.record().Mounts, f.run != nil)
		if err := f.c.unmountSources(); err != nil {
			m.Log.Error("cannot unmount what was mounted for a start", "container", f.c.id, "error", err)
		}
	}
	if err := m.restoreNetworks(ctx, found); err != nil {
		return err
	}
	var started []*container
	for _, f := range found {
		if f.settle(ctx) {
			started = append(started, f.c)
		}
	}
	for _, f := range found { // nobody shall be told that these still run
		if f.run == nil || !f.run.task.Over() {
			continue
		}
		select {
		case <-f.run.ended:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	m.sweep(ctx)
	m.startAgain(started)
	return nil
}

// survivor is what is found of a container.
type survivor struct {
	c      *container
	bundle bool       // there is one
	run    *run       // its task still is there
	exit   *task.Exit // it ended since its record was written
}

// survey finds out, for several containers at once, which have tasks.
func (m *Manager) survey(ctx context.Context) []*survivor {
	m.mu.RLock()
	var all []*survivor
	for _, c := range m.byID {
		all = append(all, &survivor{c: c})
	}
	m.mu.RUnlock()
	var wg sync.WaitGroup
	slots := make(chan struct{}, 16)
	for _, s := range all {
		wg.Add(1)
		slots <- struct{}{}
		go func() {
			defer func() { <-slots; wg.Done() }()
			if err := s.look(ctx); err != nil {
				m.Log.Error("cannot find out how a container is", "container", s.c.id, "error", err)
			}
		}()
	}
	wg.Wait()
	return all
}

// look finds the task of a container, or how it has ended. A task of one that is not recorded as running is of a start
// that no client was told of: it goes.
func (s *survivor) look(ctx context.Context) error {
	c, r := s.c, s.c.record()
	runs := r.Phase == Running || r.Phase == Paused
	_, err := os.Stat(c.bundle())
	if errors.Is(err, os.ErrNotExist) {
		if runs { // the host was started anew
			exit := whenUnknown(task.Exit{})
			s.exit = &exit
		}
		return nil
	}
	s.bundle = true
	t, err := c.m.Tasks.Load(ctx, c.id, c.bundle())
	if err == nil && runs {
		s.run = &run{task: t, ended: make(chan struct{}), mounts: r.Mounts}
		s.run.spec, err = readSpec(c.bundle())
		return err
	}
	if err == nil {
		if err := end(ctx, t); err != nil {
			return err
		}
	}
	exit, clean := c.m.Tasks.Clean(ctx, c.id, c.bundle())
	if runs {
		exit = whenUnknown(exit)
		s.exit = &exit
	}
	if errdefs.IsNotFound(clean) {
		clean = nil
	}
	return clean
}

// end ends a task in whatever state.
func end(ctx context.Context, t Task) error {
	if err := t.Kill(ctx, sigkill, true); err == nil {
		if _, err := t.Wait(ctx); err != nil {
			return err
		}
	}
	_, err := t.Delete(ctx)
	return err
}

func readSpec(bundle string) (*specs.Spec, error) {
	raw, err := os.ReadFile(filepath.Join(bundle, "config.json"))
	if err != nil {
		return nil, err
	}
	s := &specs.Spec{}
	if err := json.Unmarshal(raw, s); err != nil {
		return nil, fmt.Errorf("cannot read config.json: %w", err)
	}
	return s, nil
}

// restoreNetworks tells the networks which containers run.
func (m *Manager) restoreNetworks(ctx context.Context, found []*survivor) (err error) {
	running := map[string]*os.File{}
	defer func() {
		for _, f := range running {
			if f != nil {
				err = errors.Join(err, f.Close())
			}
		}
	}()
	for _, s := range found {
		if s.run == nil || !s.c.record().networked() {
			continue
		}
		netns, err := s.c.record().openNetns(s.run.task.Pid())
		if errors.Is(err, os.ErrNotExist) {
			continue // it has ended, and its shim tells how
		}
		if err != nil {
			m.Log.Error("cannot open the network namespace of a container", "container", s.c.id, "error", err)
			continue
		}
		running[s.c.id] = netns
	}
	return m.Networks.Restore(ctx, running)
}

// settle goes on with a container where it was left, and says whether it is to be started.
func (s *survivor) settle(ctx context.Context) (start bool) {
	c, r := s.c, s.c.record()
	switch {
	case s.run != nil:
		c.mu.Lock()
		c.run = s.run
		c.mu.Unlock()
		c.watch(s.run)
	case r.Phase == Creating, r.Phase == Removing:
		if err := c.discard(ctx); err != nil {
			c.m.Log.Error("cannot remove a container that is half made or half removed", "container", c.id, "error", err)
		}
	case s.exit != nil:
		return s.settleExit(ctx)
	default:
		if s.bundle {
			if err := errors.Join(c.unmount(ctx), c.dropBundle()); err != nil {
				c.m.Log.Warn("something is left of a start that was cut short", "container", c.id, "error", err)
			}
		}
		return c.startsWithDaemon()
	}
	return false
}

// settleExit is for a container that ended while there was no daemon.
func (s *survivor) settleExit(ctx context.Context) (start bool) {
	c := s.c
	if err := errors.Join(c.unmount(ctx), c.dropBundle()); err != nil {
		c.m.Log.Warn("something is left of a container that has ended", "container", c.id, "error", err)
	}
	if err := c.recordExit(*s.exit, nil); err != nil {
		c.m.Log.Error("cannot record that a container has ended", "container", c.id, "error", err)
	}
	c.emitDie(s.exit)
	c.op.Lock()
	defer c.op.Unlock()
	r := c.record()
	if !r.Stopped && wants(r.HostConfig.RestartPolicy, r.ExitCode, r.RestartCount) {
		return true
	}
	c.autoRemove(ctx)
	return false
}

// startsWithDaemon says whether a container that does not run is started when the daemon is.
func (c *container) startsWithDaemon() bool {
	r := c.record()
	p := r.HostConfig.RestartPolicy
	switch {
	case r.Phase == Restarting:
		return true
	case r.Phase != Exited:
		return false
	case p.IsAlways():
		return true
	case p.IsUnlessStopped():
		return !r.Stopped
	case p.IsOnFailure():
		return r.Terminating && wants(p, r.ExitCode, r.RestartCount)
	}
	return false
}

// sweep removes what belongs to no container: of a create that was cut short, snapshots and directories.
func (m *Manager) sweep(ctx context.Context) {
	snapshots, err := m.Images.Containers(ctx)
	if err != nil {
		m.Log.Error("cannot list snapshots", "error", err)
	}
	for _, id := range snapshots {
		if m.unknown(id) {
			if err := errors.Join(m.Images.Release(ctx, id), m.Images.Return(ctx, id)); err != nil {
				m.Log.Error("cannot remove the snapshot of no container", "container", id, "error", err)
			}
		}
	}
	for _, root := range []string{m.DataRoot, m.ExecRoot} {
		m.sweepDirectory(ctx, filepath.Join(root, "containers"))
	}
}

func (m *Manager) unknown(id string) bool {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.byID[id] == nil
}

func (m *Manager) sweepDirectory(ctx context.Context, dir string) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		m.Log.Error("cannot look for what is left of containers", "error", err)
		return
	}
	for _, e := range entries {
		if !m.unknown(e.Name()) {
			continue
		}
		path := filepath.Join(dir, e.Name())
		if dir == filepath.Join(m.ExecRoot, "containers") {
			if err := m.endStray(ctx, e.Name(), path); err != nil {
				m.Log.Error("cannot end a container that is not known", "container", e.Name(), "error", err)
				continue
			}
		}
		if err := removeUnmounted(path); err != nil {
			m.Log.Error("cannot remove what is left of a container", "path", path, "error", err)
		}
	}
}

// removeUnmounted removes a directory, and not what is mounted below it: that may be the files of a volume.
func removeUnmounted(dir string) error {
	mounts, err := mountinfo.GetMounts(mountinfo.PrefixFilter(dir))
	if err != nil {
		return fmt.Errorf("cannot list the mounts in %s: %w", dir, err)
	}
	for _, mount := range slices.Backward(mounts) { // the last one made is on top
		if strings.HasPrefix(mount.Mountpoint, dir+"/") {
			if err := detach(mount.Mountpoint); err != nil {
				return err
			}
		}
	}
	return os.RemoveAll(dir)
}

// endStray ends the task of a bundle that no record knows.
func (m *Manager) endStray(ctx context.Context, id, bundle string) error {
	if t, err := m.Tasks.Load(ctx, id, bundle); err == nil {
		if end(ctx, t) == nil {
			return nil
		}
	}
	_, err := m.Tasks.Clean(ctx, id, bundle)
	if errdefs.IsNotFound(err) {
		return nil
	}
	return err
}

// startAgain starts, beside everything else, the containers that start with the daemon. Those that others are linked to,
// or whose namespaces others join, come first.
func (m *Manager) startAgain(all []*container) {
	if len(all) == 0 {
		return
	}
	m.background(func() {
		for _, c := range inOrder(all) {
			if m.isClosing() {
				return
			}
			if err := m.restartOne(c); err != nil {
				m.Log.Error("cannot start a container again", "container", c.id, "error", err)
			}
		}
	})
}

func (m *Manager) restartOne(c *container) error {
	c.op.Lock()
	defer c.op.Unlock()
	r := c.record()
	if r.Phase != Restarting && r.Phase != Exited {
		return nil
	}
	err := c.start(context.Background(), false)
	if err != nil && c.record().Phase == Restarting {
		c.giveUp()
	}
	return err
}

// inOrder has what a container depends on before it.
func inOrder(all []*container) []*container {
	byID := map[string]*container{}
	for _, c := range all {
		byID[c.id] = c
	}
	var ordered []*container
	seen := map[string]bool{}
	var visit func(c *container)
	visit = func(c *container) {
		if c == nil || seen[c.id] {
			return
		}
		seen[c.id] = true
		r := c.record()
		for _, l := range r.Links {
			visit(byID[l.ID])
		}
		h := r.HostConfig
		for _, id := range []string{h.NetworkMode.ConnectedContainer(), h.IpcMode.Container(), h.PidMode.Container()} {
			visit(byID[id])
		}
		ordered = append(ordered, c)
	}
	for _, c := range all {
		visit(c)
	}
	return ordered
}
