package stdio

import (
	"context"
	"io"
	"os"
	"sync"
	"sync/atomic"
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
	busy atomic.Bool // it may have read what it has not written yet
}

// chunks are what streams are read into, until the garbage collector takes them: a stream that is silent has none.
var chunks = sync.Pool{New: func() any { return new([chunkSize]byte) }}

const chunkSize = 32 << 10

func startCopy(from *os.File, to output) *copier {
	c := &copier{from: from, to: to, done: make(chan struct{})}
	go c.run()
	return c
}

// run copies until all writers are gone. A terminal says so with EIO.
func (c *copier) run() {
	defer close(c.done)
	defer c.to.release()
	raw, err := c.from.SyscallConn()
	for broken := false; err == nil; {
		err = receive(raw, &c.busy, func(b []byte) {
			if !broken {
				_, e := c.to.Write(b)
				broken = e != nil
			}
		})
	}
}

// receive waits for something to read, and hands it to f; io.EOF at the end. It is busy, if somebody wants to know, from
// before it reads until there is nothing to read.
func receive(raw syscall.RawConn, busy *atomic.Bool, f func([]byte)) error {
	var chunk *[chunkSize]byte
	var n int
	var failed error
	err := raw.Read(func(fd uintptr) bool {
		setBusy(busy, true)
		chunk = chunks.Get().(*[chunkSize]byte)
		for {
			if n, failed = unix.Read(int(fd), chunk[:]); failed != unix.EINTR {
				break
			}
		}
		if failed == unix.EAGAIN {
			chunks.Put(chunk)
			setBusy(busy, false)
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

func setBusy(busy *atomic.Bool, is bool) {
	if busy != nil {
		busy.Store(is)
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
			if c.heldByOthers() && !c.busy.Load() { // in this order: what is read in between makes it busy
				return
			}
		}
	}
}

// heldByOthers says whether nothing is left to read, and yet the stream is not at its end. A terminal that is asked so
// first takes what is on its way in the kernel.
func (c *copier) heldByOthers() bool {
	fds := []unix.PollFd{{Events: unix.POLLIN}}
	err := control(c.from, func(fd int) error {
		fds[0].Fd = int32(fd)
		_, err := unix.Poll(fds, 0)
		return err
	})
	return err == nil && fds[0].Revents == 0
}

// stop ends the copying.
func (c *copier) stop() {
	c.from.Close()
	c.to.close()
}
