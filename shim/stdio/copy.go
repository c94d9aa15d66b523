package stdio

import (
	"context"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// sink is where output goes; several streams may share it. Without a file it swallows everything.
type sink struct {
	file *os.File

	mu    sync.Mutex
	users int // streams that still write to it
}

// Write writes all of b. When the client's end is gone for good, what the process writes is still taken from it, so
// that it does not stand still.
func (s *sink) Write(b []byte) (int, error) {
	if s.file != nil {
		if n, err := s.file.Write(b); err != nil {
			return n, err
		}
	}
	return len(b), nil
}

// release closes the file when the last user has let go: the client sees the end.
func (s *sink) release() {
	s.mu.Lock()
	s.users--
	last := s.users <= 0
	s.mu.Unlock()
	if last {
		s.close()
	}
}

// close ends also a write that nobody takes.
func (s *sink) close() {
	if s.file != nil {
		s.file.Close()
	}
}

// copier copies one stream of output.
type copier struct {
	from *os.File
	to   *sink
	done chan struct{}
}

// bufferSize holds more than a terminal gives in one read, and a page of a pipe.
const bufferSize = 8 << 10

func startCopy(from *os.File, to *sink) *copier {
	c := &copier{from, to, make(chan struct{})}
	go c.run()
	return c
}

// run copies until all writers are gone. A terminal says so with EIO.
func (c *copier) run() {
	defer close(c.done)
	defer c.to.release()
	buf, broken := make([]byte, bufferSize), false
	for {
		n, err := c.from.Read(buf)
		if n > 0 && !broken {
			_, e := c.to.Write(buf[:n])
			broken = e != nil
		}
		if err != nil {
			return
		}
	}
}

// drain waits until all that was written before is copied.
func (c *copier) drain(ctx context.Context) {
	for {
		select {
		case <-c.done:
			return
		case <-ctx.Done():
			return
		case <-time.After(settle):
			if c.empty() { // and yet not at its end: somebody else holds it
				return
			}
		}
	}
}

// empty says whether nothing is left to read.
func (c *copier) empty() bool {
	waiting := 1
	err := control(c.from, func(fd int) (err error) {
		waiting, err = unix.IoctlGetInt(fd, unix.TIOCINQ)
		return err
	})
	return err != nil || waiting == 0
}

// stop ends the copying.
func (c *copier) stop() {
	c.from.Close()
	c.to.close()
}
