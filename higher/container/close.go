package container

import (
	"context"
	"sync"

	"github.com/dhow-containers/dhow/higher/api"
)

// Close ends the manager. Containers go on with LiveRestore; else they are stopped, and those that are always to run are
// started again by the next daemon.
func (m *Manager) Close(ctx context.Context) error {
	m.mu.Lock()
	m.closing = true
	m.mu.Unlock()
	if !m.now.Load().restore {
		m.stopAll(ctx)
	}
	m.cancel()
	done := make(chan struct{})
	go func() {
		m.work.Wait()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// stopAll stops every container that runs, all at once.
func (m *Manager) stopAll(ctx context.Context) {
	var wg sync.WaitGroup
	for _, c := range m.all() {
		if !c.record().Running() {
			continue
		}
		wg.Add(1)
		go func() {
			defer wg.Done()
			err := c.amend(func(r *Record) error { r.Terminating = true; return nil })
			if err == nil {
				err = c.stop(api.StopOptions{})
			}
			if err != nil {
				m.Log.Error("cannot stop a container", "container", c.id, "error", err)
			}
		}()
	}
	stopped := make(chan struct{})
	go func() {
		wg.Wait()
		close(stopped)
	}()
	select {
	case <-stopped:
	case <-ctx.Done():
	}
}

func (m *Manager) isClosing() bool {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.closing
}
