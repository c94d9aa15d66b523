package stdio

import (
	"context"
	"io"
	"os"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// output is where a stream is copied to.
type output interface {
	Write(b []byte) (int, error)
	release() // the stream has ended
	close()   // ends also a write that nobody takes
}

// sink is a file that output goes to; several streams may share it. Without a file it swallows everything.
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

func (s *sink) close() {
	if s.file != nil {
		s.file.Close()
	}
}

// copier copies one stream of output.
type copier struct {
	from *os.File
	to   output
	done chan struct{}
}

// chunks are what streams are read into, until the garbage collector takes them: a stream that is silent has none.
var chunks = sync.Pool{New: func() any { return new([chunkSize]byte) }}

const chunkSize = 32 << 10

func startCopy(from *os.File, to output) *copier {
	c := &copier{from, to, make(chan struct{})}
	go c.run()
	return c
}

// run copies until all writers are gone. A terminal says so with EIO.
func (c *copier) run() {
	defer close(c.done)
	defer c.to.release()
	raw, err := c.from.SyscallConn()
	for broken := false; err == nil; {
		err = receive(raw, func(b []byte) {
			if !broken {
				_, e := c.to.Write(b)
				broken = e != nil
			}
		})
	}
}

// receive waits for something to read, and hands it to f; io.EOF at the end.
func receive(raw syscall.RawConn, f func([]byte)) error {
	var chunk *[chunkSize]byte
	var n int
	var failed error
	err := raw.Read(func(fd uintptr) bool {
		chunk = chunks.Get().(*[chunkSize]byte)
		for {
			if n, failed = unix.Read(int(fd), chunk[:]); failed != unix.EINTR {
				break
			}
		}
		if failed == unix.EAGAIN {
			chunks.Put(chunk)
			return false
		}
		return true
	})
	if err != nil {
		return err
	}
	if n > 0 {
		f(chunk[:n])
	}
	chunks.Put(chunk)
	if failed == nil && n == 0 {
		return io.EOF
	}
	return failed
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
