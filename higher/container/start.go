package container

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/dhow-containers/dhow/higher/container/oci"
	"github.com/dhow-containers/dhow/higher/network"
	"github.com/dhow-containers/dhow/higher/task"
	"github.com/dhow-containers/dhow/higher/volume"
	"github.com/moby/moby/api/types/events"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// ContainerStart starts a container that does not run.
func (m *Manager) ContainerStart(ctx context.Context, name string) error {
	c, err := m.get(name)
	if err != nil {
		return err
	}
	return c.startByClient(context.WithoutCancel(ctx))
}

func (c *container) startByClient(ctx context.Context) error {
	c.op.Lock()
	defer c.op.Unlock()
	if err := c.record().canStart(); err != nil {
		return err
	}
	c.mu.Lock()
	c.again = nil // delays of the restart policy begin anew
	c.mu.Unlock()
	return c.start(ctx, true)
}

// start starts a container; byClient forgets that it was stopped, and how often it was restarted. c.op is held.
//
// Nothing is written before the process runs: until then all that is made is in the bundle, or belongs to a container
// whose record does not say that it runs, and Restore takes it back.
func (c *container) start(ctx context.Context, byClient bool) error {
	run, err := c.launch(ctx)
	if err == nil {
		err = c.started(run, byClient)
	}
	if err != nil {
		return c.failed(ctx, err)
	}
	c.m.die("start-recorded")
	c.emit(events.ActionStart, nil)
	c.watch(run)
	return nil
}

// launch makes all that a running container has, or nothing.
func (c *container) launch(ctx context.Context) (_ *run, err error) {
	l := &launch{container: c, r: c.record()}
	defer func() {
		if err != nil {
			err = errors.Join(err, l.undo(ctx))
		}
	}()
	if err := l.prepare(ctx); err != nil {
		return nil, err
	}
	if err := l.create(ctx); err != nil {
		return nil, err
	}
	if err := c.unmountSources(); err != nil {
		return nil, err
	}
	c.m.die("start-created")
	if l.r.networked() {
		if err := c.attach(ctx, l.task.Pid()); err != nil {
			return nil, networkError(err)
		}
	}
	c.m.die("start-attached")
	run := &run{task: l.task, spec: l.spec, mounts: l.mounts, ended: make(chan struct{})}
	c.admitClients(ctx, run)
	if err := l.task.Start(ctx); err != nil {
		return nil, startError(err, "failed to start task for container: ")
	}
	c.m.die("start-started")
	return run, nil
}

// launch is a start under way.
type launch struct {
	*container
	r        *Record
	links    []network.Link
	env      []string
	rootfs   []task.Mount
	mounts   []volume.Mount
	mounted  bool
	reserved bool
	spec     *specs.Spec
	task     Task
}

// prepare makes what is needed before the process.
func (l *launch) prepare(ctx context.Context) (err error) {
	m := l.m
	if l.links, l.env, err = m.linksOf(l.r); err != nil {
		return err
	}
	if err := l.freshBundle(ctx); err != nil {
		return fmt.Errorf("cannot make the container's bundle: %w", err)
	}
	m.die("start-bundle")
	l.mounted = true
	if l.mounts, err = l.mountAll(ctx); err != nil {
		return err
	}
	m.die("start-mounted")
	if err := l.mountShm(); err != nil {
		return err
	}
	if l.rootfs, err = m.Images.Mounts(ctx, l.id); err != nil {
		return err
	}
	if l.r.networked() {
		l.reserved = true
		if err := l.reserve(ctx, l.links); err != nil {
			return networkError(err)
		}
	}
	m.die("start-reserved")
	return nil
}

// freshBundle makes an empty bundle. What is left in one is of a start that could not be taken back at the time.
func (l *launch) freshBundle(ctx context.Context) error {
	err := os.Mkdir(l.bundle(), 0o700)
	if !errors.Is(err, os.ErrExist) {
		return err
	}
	if _, err := l.m.Tasks.Clean(ctx, l.id, l.bundle()); err != nil {
		return err
	}
	return errors.Join(l.dropBundle(), os.Mkdir(l.bundle(), 0o700))
}

// create makes the task, with everything in it but its networks.
func (l *launch) create(ctx context.Context) (err error) {
	n, err := l.namespaces()
	if err != nil {
		return err
	}
	runtime, err := l.runtime()
	if err != nil {
		return err
	}
	if runtime != nil {
		if err := l.placeSubpaths(); err != nil {
			return err
		}
	}
	if err := l.makeSpec(ctx, n); err != nil {
		return err
	}
	if runtime != nil {
		if err := l.suitOthers(); err != nil {
			return err
		}
	}
	raw, err := json.Marshal(l.spec)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(l.bundle(), "config.json"), raw, 0o600); err != nil {
		return err
	}
	logs, err := logConfig(l.r)
	if err != nil {
		return err
	}
	c := l.r.Config
	uid, gid := l.ids().Root()
	l.task, err = l.m.Tasks.Create(ctx, task.CreateOptions{
		ID: l.id, Bundle: l.bundle(), Rootfs: l.rootfs, Terminal: c.Tty, Stdin: c.OpenStdin, StdinOnce: c.StdinOnce,
		Log: logs, IOUID: uid, IOGID: gid, Runtime: runtime,
	})
	if err != nil {
		before := "failed to create task for container: "
		if runtime != nil {
			before += "runtime " + runtime.Name + ": "
		}
		return startError(err, before)
	}
	return nil
}

func networkError(err error) error { return wrapf(err, "failed to set up container networking") }

// undo takes back what a start that failed has made.
func (l *launch) undo(ctx context.Context) error {
	var all []error
	if l.task != nil {
		all = append(all, end(ctx, l.task))
	}
	if l.reserved {
		all = append(all, l.m.Networks.Detach(ctx, l.id))
	}
	if l.mounted {
		all = append(all, l.unmount(ctx))
	}
	if err := errors.Join(append(all, l.dropBundle())...); err != nil {
		l.m.Log.Warn("something is left of a start that failed", "container", l.id, "error", err)
	}
	return nil
}

// unmount takes away what is mounted on the host for a start.
func (c *container) unmount(ctx context.Context) error {
	return errors.Join(c.unmountAll(ctx), c.unmountShm())
}

// started makes the container one that runs.
func (c *container) started(run *run, byClient bool) error {
	now := time.Now().UTC()
	err := c.amend(func(r *Record) error {
		if err := r.move(Running); err != nil {
			return err
		}
		r.State.Pid, r.StartedAt, r.ExitCode, r.Error, r.OOMKilled = run.task.Pid(), now, 0, "", false
		if byClient {
			r.Stopped, r.RestartCount = false, 0
		}
		r.Terminating = false
		r.Health = newHealth(r.Config)
		c.m.showNetworks(r)
		c.run = run
		return nil
	})
	if err != nil {
		return errors.Join(err, c.abort(run))
	}
	return nil
}

// abort ends a container that runs but cannot be recorded, on a full disk for one.
func (c *container) abort(run *run) error {
	ctx := context.Background()
	c.mu.Lock()
	c.run = nil
	c.mu.Unlock()
	l := &launch{container: c, r: c.record(), reserved: c.record().networked(), mounted: true, task: run.task}
	return l.undo(ctx)
}

// failed records why a container did not start, and removes one with --rm.
func (c *container) failed(ctx context.Context, cause error) error {
	err := c.amend(func(r *Record) error {
		r.Error = cause.Error()
		if r.ExitCode = exitCode(cause); r.ExitCode == 0 {
			r.ExitCode = exitUnknown
		}
		return nil
	})
	c.turnAwayClients()
	if err == nil && c.record().HostConfig.AutoRemove && c.record().Phase != Restarting {
		err = c.remove(ctx, true)
	}
	if err != nil {
		c.m.Log.Warn("cannot record that a container did not start", "container", c.id, "error", err)
	}
	return cause
}

// logConfig is where the shim logs the output.
func logConfig(r *Record) (task.LogConfig, error) {
	attrs, err := logAttrs(r)
	l := r.HostConfig.LogConfig
	return task.LogConfig{Driver: l.Type, Path: r.LogPath, Options: l.Config, Attrs: attrs}, err
}

// makeSpec makes the configuration for the runtime.
func (l *launch) makeSpec(ctx context.Context, n *namespaces) error {
	in := &oci.Input{
		ID: l.id, Config: l.r.Config, HostConfig: l.r.HostConfig, Args: append([]string{l.r.Path}, l.r.Args...), Env: l.env,
		Rootfs: "rootfs", Root: func() (*os.File, error) { return l.openRoot(ctx) }, Mounts: l.mounts,
		NetNS: n.net, IpcNS: n.ipc, PidNS: n.pid, UserNS: n.user, ShmDir: n.shm, Init: l.m.Init, Defaults: l.m.Defaults,
		StopSignal: l.r.stopSignal(), StopTimeout: l.stopTimeout(),
	}
	if files := n.files; files != nil {
		in.Hosts, in.Hostname, in.ResolvConf = files.file("hosts"), files.file("hostname"), files.file("resolv.conf")
	}
	if n.hostname != nil {
		c := *in.Config
		c.Hostname, c.Domainname = n.hostname.Config.Hostname, n.hostname.Config.Domainname
		in.Config = &c
	}
	s, err := oci.Spec(in)
	if err != nil {
		return err
	}
	l.spec = s
	return l.m.confine(ctx, s.Process)
}

// confine has the profile of a process loaded, which somebody may have unloaded.
func (m *Manager) confine(ctx context.Context, p *specs.Process) error {
	if p.ApparmorProfile == "" || m.Confine == nil {
		return nil
	}
	return m.Confine(ctx, p.ApparmorProfile)
}
