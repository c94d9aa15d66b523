package container

import (
	"context"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/containerd/errdefs"
	"github.com/dhow-containers/dhow/higher/api"
	"github.com/dhow-containers/dhow/higher/task"
	types "github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/events"
)

// Defaults of health checks, and bounds of what is kept.
const (
	checkInterval  = 30 * time.Second
	checkTimeout   = 30 * time.Second
	startInterval  = 5 * time.Second
	checkRetries   = 3
	checksKept     = 5
	checkOutputMax = 4096
)

// monitor checks a container's health, from start to end or pause.
type monitor struct {
	cancel context.CancelFunc
	done   chan struct{}
}

// probe is the command of a health check; nil if there is none.
func probe(c *types.Config) []string {
	h := c.Healthcheck
	if h == nil || len(h.Test) < 2 {
		return nil
	}
	switch h.Test[0] {
	case "CMD":
		return h.Test[1:]
	case "CMD-SHELL":
		shell := []string(c.Shell)
		if len(shell) == 0 {
			shell = []string{"/bin/sh", "-c"}
		}
		return slices.Concat(shell, h.Test[1:])
	}
	return nil
}

// newHealth is that of a container that has just started; nil if it is not checked.
func newHealth(c *types.Config) *types.Health {
	if probe(c) == nil {
		return nil
	}
	return &types.Health{Status: types.Starting, Log: []*types.HealthcheckResult{}}
}

// startHealth begins checking, if there is anything to check.
func (c *container) startHealth(run *run) {
	if probe(c.record().Config) == nil {
		return
	}
	ctx, cancel := context.WithCancel(c.m.ctx)
	h := &monitor{cancel, make(chan struct{})}
	c.mu.Lock()
	run.health = h
	c.mu.Unlock()
	go func() {
		defer close(h.done)
		c.checkHealth(ctx, run)
	}()
}

// stopHealth ends the checks, one under way included.
func (c *container) stopHealth(run *run) {
	c.mu.Lock()
	h := run.health
	run.health = nil
	c.mu.Unlock()
	if h != nil {
		h.cancel()
		<-h.done
	}
}

// checkHealth checks again and again.
func (c *container) checkHealth(ctx context.Context, run *run) {
	t := time.NewTimer(nextCheck(c.record(), time.Now()))
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		result := c.check(ctx, run)
		if ctx.Err() != nil {
			return
		}
		if err := c.judge(result); err != nil {
			c.m.Log.Warn("cannot record a container's health", "container", c.id, "error", err)
		}
		t.Reset(nextCheck(c.record(), time.Now()))
	}
}

// nextCheck is how long until the next check: in the start period more often, until one has succeeded.
func nextCheck(r *Record, now time.Time) time.Duration {
	h := r.Config.Healthcheck
	rest := h.StartPeriod - now.Sub(r.StartedAt)
	if rest <= 0 || r.Health == nil || r.Health.Status != types.Starting {
		return orElse(h.Interval, checkInterval)
	}
	return min(orElse(h.StartInterval, startInterval), rest)
}

func orElse(d, other time.Duration) time.Duration {
	if d == 0 {
		return other
	}
	return d
}

// check runs the command once.
func (c *container) check(ctx context.Context, run *run) *types.HealthcheckResult {
	r := c.record()
	result := &types.HealthcheckResult{Start: time.Now()}
	out := &limitedBuffer{}
	e := c.newExec(&types.ExecCreateRequest{
		Cmd: probe(r.Config), AttachStdout: true, AttachStderr: true, User: r.Config.User, WorkingDir: r.Config.WorkingDir,
	})
	err := e.begin()
	if err == nil {
		err = e.probe(ctx, run, orElse(r.Config.Healthcheck.Timeout, checkTimeout), out)
	}
	result.End = time.Now()
	switch err := e.fail(err); {
	case err == nil:
		result.ExitCode, result.Output = e.code(), out.String()
	default:
		result.ExitCode, result.Output = -1, err.Error()
		if text := out.String(); text != "" {
			result.Output += ": " + text
		}
	}
	return result
}

// code is the exit code of an exec that has ended.
func (e *exec) code() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return *e.exitCode
}

// probe runs an exec, and kills it if it takes too long.
func (e *exec) probe(ctx context.Context, run *run, timeout time.Duration, out *limitedBuffer) error {
	background := context.WithoutCancel(ctx)
	e.emit(events.ActionExecStart, true, nil)
	o := &task.AttachOptions{Stdout: true, Stderr: true, Raw: true}
	p, err := e.make(background, run, nil, o)
	if err != nil {
		return err
	}
	a, err := p.Attach(background, *o, out)
	if err == nil {
		err = p.Start(background)
	}
	if err != nil {
		_, _ = p.Delete(background)
		return err
	}
	e.mu.Lock()
	e.process, e.pid = p, p.Pid()
	close(e.up)
	e.mu.Unlock()
	go e.watch(p)
	t := time.NewTimer(timeout)
	defer t.Stop()
	select {
	case <-e.done:
		_, err := a.Wait(background)
		return err
	case <-t.C:
		err = api.Errorf(errdefs.ErrUnknown, "Health check exceeded timeout (%v)", timeout)
	case <-ctx.Done():
		err = ctx.Err()
	}
	if kill := p.Kill(background, sigkill); kill == nil {
		<-e.done
	}
	return err
}

// judge notes the result of a check, and what it makes of the container. It is not written: the next change of state is
// soon enough.
func (c *container) judge(result *types.HealthcheckResult) error {
	var before, after types.HealthStatus
	err := c.note(func(r *Record) error {
		if r.Phase != Running || r.Health == nil {
			return notRunning(c.id)
		}
		before = r.Health.Status
		r.Health = assess(r.Health, result, r.Config.Healthcheck, r.StartedAt)
		after = r.Health.Status
		return nil
	})
	if err == nil && before != after {
		c.emit(events.Action(string(events.ActionHealthStatus)+": "+string(after)), nil)
	}
	return err
}

// assess is a container's health after one more check.
func assess(old *types.Health, result *types.HealthcheckResult, h *types.HealthConfig, started time.Time) *types.Health {
	next := &types.Health{Status: old.Status, FailingStreak: old.FailingStreak, Log: append(slices.Clone(old.Log), result)}
	if len(next.Log) > checksKept {
		next.Log = next.Log[len(next.Log)-checksKept:]
	}
	retries := h.Retries
	if retries <= 0 {
		retries = checkRetries
	}
	switch {
	case result.ExitCode == 0:
		next.Status, next.FailingStreak = types.Healthy, 0
	case old.Status == types.Starting && result.Start.Sub(started) < h.StartPeriod:
		// failures of the start period do not count
	default:
		if next.FailingStreak++; next.FailingStreak >= retries {
			next.Status = types.Unhealthy
		}
	}
	return next
}

// limitedBuffer is the client of a health check: it keeps the beginning of the output.
type limitedBuffer struct {
	mu   sync.Mutex
	text []byte
	more bool
}

func (b *limitedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	keep := min(len(p), checkOutputMax-len(b.text))
	b.text = append(b.text, p[:keep]...)
	b.more = b.more || keep < len(p)
	return len(p), nil
}

func (b *limitedBuffer) Read([]byte) (int, error) { return 0, io.EOF }
func (b *limitedBuffer) Close() error             { return nil }

func (b *limitedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.more {
		return string(b.text) + "..."
	}
	return string(b.text)
}
