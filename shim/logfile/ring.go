package logfile

import "sync"

// ring writes in the background, so that nobody waits for a disk (mode=non-blocking). Log.pending is what waits; what
// goes beyond the bound is lost.
type ring struct {
	log    *Log
	change sync.Cond // pending, busy or closed has changed
	busy   bool      // something is being written
	closed bool
	lost   int // entries
	done   chan struct{}
}

func newRing(l *Log) *ring {
	r := &ring{log: l, done: make(chan struct{})}
	r.change.L = &l.mu
	go r.run()
	return r
}

// full says whether an entry is one too many, and counts it.
func (r *ring) full(before, after int) bool {
	if before == 0 || after <= r.log.o.Ring {
		return false
	}
	r.lost++
	return true
}

func (r *ring) wake() { r.change.Broadcast() }

func (r *ring) run() {
	defer close(r.done)
	l, work := r.log, batch{}
	l.mu.Lock()
	defer l.mu.Unlock()
	for {
		for len(l.pending.ends) == 0 && !r.closed {
			r.change.Wait()
		}
		if len(l.pending.ends) == 0 {
			return
		}
		work, l.pending = l.pending, work
		r.busy = true
		l.mu.Unlock()
		l.flush(&work)
		if cap(work.bytes) > flushAt {
			work = batch{}
		}
		l.mu.Lock()
		r.busy = false
		r.change.Broadcast()
	}
}

// drain waits until all is written.
func (r *ring) drain() {
	r.log.mu.Lock()
	defer r.log.mu.Unlock()
	for len(r.log.pending.ends) > 0 || r.busy {
		r.change.Wait()
	}
}

func (r *ring) close() {
	r.log.mu.Lock()
	r.closed = true
	r.change.Broadcast()
	r.log.mu.Unlock()
	<-r.done
	if r.lost > 0 {
		r.log.warn("the log was too slow for max-buffer-size", lostError(r.lost))
	}
}
