package container

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/dhow-containers/dhow/higher/task"
	"github.com/moby/moby/api/types/events"
	"golang.org/x/sys/unix"
)

const sigkill = unix.SIGKILL

// watch follows a container that runs, until its end.
func (c *container) watch(run *run) {
	c.startHealth(run)
	go c.watchOOM(run)
	c.m.background(func() {
		exit, err := run.task.Wait(c.m.ctx)
		if c.m.ctx.Err() != nil {
			return // the daemon ends; the container goes on
		}
		if err != nil {
			exit = c.lost(run, err)
		}
		c.ended(run, exit)
	})
}

// watchOOM tells of processes that the kernel kills for want of memory.
func (c *container) watchOOM(run *run) {
	for range run.task.OOM() {
		if err := c.note(func(r *Record) error { r.OOMKilled = true; return nil }); err == nil {
			c.emit(events.ActionOOM, nil)
		}
	}
}

// lost finds out how a container has ended whose shim is gone.
func (c *container) lost(run *run, cause error) task.Exit {
	c.m.Log.Warn("the shim of a container is gone", "container", c.id, "error", cause)
	exit, err := c.m.Tasks.Clean(context.Background(), c.id, c.bundle())
	if err != nil {
		c.m.Log.Error("cannot clean up behind a container", "container", c.id, "error", err)
	}
	return whenUnknown(exit)
}

// whenUnknown is how a container counts as ended that nobody has seen end.
func whenUnknown(exit task.Exit) task.Exit {
	if exit.At.IsZero() {
		exit.At, exit.Status = time.Now(), 128+uint32(sigkill)
	}
	return exit
}

// ended handles the end of a container's process: how it was is written down, what the container had is taken back, and
// then it is said. Until then nobody can start or remove it.
//
// If the daemon is killed meanwhile, Restore goes on: a container with a bundle that does not run has something left.
func (c *container) ended(run *run, exit task.Exit) {
	c.op.Lock()
	defer c.op.Unlock()
	c.mu.Lock()
	current := c.run == run
	c.mu.Unlock()
	if !current {
		return
	}
	ctx := context.Background()
	c.stopHealth(run)
	c.m.die("exit-seen")
	plan := c.planRestart(exit)
	if err := c.recordExit(exit, plan); err != nil {
		c.m.Log.Error("cannot record that a container has ended", "container", c.id, "error", err)
	}
	c.m.die("exit-recorded")
	c.takeBack(ctx, run)
	c.m.die("exit-cleaned")
	close(run.ended)
	c.notifyStopped()
	c.emitDie(&exit)
	if plan != nil {
		c.startLater(plan)
		return
	}
	c.autoRemove(ctx)
}

func (c *container) emitDie(exit *task.Exit) {
	c.emit(events.ActionDie, map[string]string{
		"exitCode": strconv.Itoa(int(exit.Status)), "execDuration": strconv.Itoa(int(exit.At.Sub(c.record().StartedAt).Seconds())),
	})
}

// takeBack releases what a run had: the shim, networks, volumes, the bundle.
func (c *container) takeBack(ctx context.Context, run *run) {
	parted := make(chan error, 1)
	go func() { parted <- c.m.Networks.Detach(ctx, c.id) }()
	_, err := run.task.Delete(ctx)
	if err != nil {
		if _, clean := c.m.Tasks.Clean(ctx, c.id, c.bundle()); clean == nil {
			err = nil
		}
	}
	err = errors.Join(err, c.unmount(ctx), <-parted, c.dropBundle())
	if err != nil {
		c.m.Log.Warn("something is left of a container that has ended", "container", c.id, "error", err)
	}
}

// recordExit writes how a container has ended. One that is about to be removed needs no such record: without it, it
// counts as running, and Restore finds out and removes it.
func (c *container) recordExit(exit task.Exit, plan *again) error {
	c.mu.Lock()
	vanishes := plan == nil && !c.keep && c.record().HostConfig.AutoRemove
	c.mu.Unlock()
	return c.replace(!vanishes, func(r *Record) error {
		to := Exited
		if plan != nil {
			to = Restarting
			r.RestartCount++
		}
		if err := r.move(to); err != nil {
			return err
		}
		r.State.Pid, r.ExitCode, r.FinishedAt, r.Error = 0, int(exit.Status), exit.At.UTC(), ""
		r.OOMKilled = r.OOMKilled || exit.OOMKilled
		r.Live, r.Ports = nil, nil
		c.run = nil
		return nil
	})
}

// autoRemove does what --rm asks for; not while the container is restarted.
func (c *container) autoRemove(ctx context.Context) {
	c.mu.Lock()
	keep := c.keep
	c.mu.Unlock()
	if keep || !c.record().HostConfig.AutoRemove {
		return
	}
	if err := c.remove(ctx, true); err != nil {
		c.m.Log.Error("cannot remove a container that has ended", "container", c.id, "error", err)
	}
}
