package image

import (
	"sync"
	"time"
)

// sweepDelay is how long garbage may lie, so that many removals are swept up at once.
const sweepDelay = time.Second

// sweeper runs a garbage collection a while after the first of a series of removals.
type sweeper struct {
	run func()

	mu      sync.Mutex
	timer   *time.Timer // nil while nothing is to be swept
	closed  bool
	running sync.WaitGroup
}

func newSweeper(run func()) *sweeper { return &sweeper{run: run} }

// soon has what was removed swept up, later.
func (s *sweeper) soon() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.timer != nil || s.closed {
		return
	}
	s.running.Add(1)
	s.timer = time.AfterFunc(sweepDelay, func() {
		defer s.running.Done()
		s.mu.Lock()
		s.timer = nil
		s.mu.Unlock()
		s.run()
	})
}

// close waits for a sweep that has begun. One that was to come is left to the next process; then swept is false.
func (s *sweeper) close() (swept bool) {
	s.mu.Lock()
	s.closed = true
	swept = s.timer == nil
	if s.timer != nil && s.timer.Stop() {
		s.timer = nil
		s.running.Done()
	}
	s.mu.Unlock()
	s.running.Wait()
	return swept
}
