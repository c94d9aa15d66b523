package logfile

import (
	"sync"
	"time"
)

// Log is a log that is being written.
type Log struct {
	o    Options
	warn func(what string, err error)

	mu      sync.Mutex
	pending batch // what is not written yet
	files   files // guarded by mu, or with a ring by the goroutine that writes
	ring    *ring // nil: who writes is held up
}

// batch are entries, one after the other.
type batch struct {
	bytes []byte
	ends  []int // where each ends
}

func (b *batch) reset() { b.bytes, b.ends = b.bytes[:0], b.ends[:0] }

// buffers have what batches are made of, until the garbage collector takes it: an idle log has none.
var buffers = sync.Pool{New: func() any { return new(batch) }}

// Open makes a log, or goes on with one. warn is told what cannot be written.
func Open(o Options, warn func(what string, err error)) (*Log, error) {
	l := &Log{o: o, warn: warn, files: files{o: &o}}
	if err := l.files.open(); err != nil {
		return nil, err
	}
	if o.Ring > 0 {
		l.ring = newRing(l)
	}
	return l, nil
}

// Stream is for what a container writes to its stdout or stderr.
func (l *Log) Stream(name string) *Stream { return &Stream{log: l, name: name} }

// append encodes an entry. The log is locked.
func (l *Log) append(b *batch, e *entry) {
	before := len(b.bytes)
	if l.o.Driver == Local {
		b.bytes = appendLocal(b.bytes, e)
	} else {
		b.bytes = l.o.appendJSON(b.bytes, e)
	}
	if l.ring != nil && l.ring.full(before, len(b.bytes)) {
		b.bytes = b.bytes[:before]
		return
	}
	b.ends = append(b.ends, len(b.bytes))
	if l.ring == nil && len(b.bytes) >= flushAt {
		l.flush(b)
	}
}

// flushAt bounds what is collected for one write.
const flushAt = 64 << 10

func (l *Log) flush(b *batch) {
	if err := l.files.write(b); err != nil {
		l.warn("cannot write the log", err)
	}
	b.reset()
}

// Flush has all that has come so far written.
func (l *Log) Flush() {
	if l.ring != nil {
		l.ring.drain()
	}
}

// Close ends the log. The streams have been closed before.
func (l *Log) Close() error {
	if l.ring != nil {
		l.ring.close()
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.files.close()
}

// now is the time of an entry.
var now = time.Now
