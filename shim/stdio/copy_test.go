package stdio

import (
	"testing"
	"time"
)

// slow is an output whose writes take until it is let go.
type slow struct{ writes, goOn chan struct{} }

func (s *slow) Write(b []byte) (int, error) { s.writes <- struct{}{}; <-s.goOn; return len(b), nil }
func (s *slow) release()                    {}
func (s *slow) close()                      {}

// TestDrainWaitsForAWrite has a stream that somebody else holds open, with nothing left in it: what was read of it is
// still being written.
func TestDrainWaitsForAWrite(t *testing.T) {
	r, w, err := newPipe(Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	to := &slow{make(chan struct{}), make(chan struct{})}
	c := startCopy(r, to)
	defer c.stop()
	if _, err := w.WriteString("last words"); err != nil {
		t.Fatal(err)
	}
	<-to.writes
	drained := make(chan struct{})
	go func() { c.drain(t.Context()); close(drained) }()
	select {
	case <-drained:
		t.Error("drained before the write was done")
	case <-time.After(4 * settle):
	}
	close(to.goOn)
	<-drained
}
