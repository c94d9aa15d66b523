package console

import (
	"time"

	"golang.org/x/sys/unix"
)

// bufferSize is more than a terminal hands over in one read.
const bufferSize = 32 << 10

// afterClose is more than the kernel keeps of what was written to a terminal (tty_buffer.c): past it,
// what comes was written by a process that stayed behind.
const afterClose = 1 << 20

// copyOutput copies the terminal to standard output until all have closed it (a read fails with EIO) or,
// after Close, until it is empty. When standard output is gone the terminal is still emptied, so that the
// container's processes do not block.
func (s *Session) copyOutput() {
	buf := make([]byte, bufferSize)
	closing, broken, left := false, false, afterClose
	for left > 0 {
		ready, stop := s.wait(s.master, unix.POLLIN, closing)
		if closing && !ready {
			return
		}
		if ready {
			n, err := unix.Read(s.master, buf)
			if n <= 0 && !again(err) {
				return
			}
			n = max(n, 0)
			broken = broken || !writeAll(s.stdout, buf[:n])
			if closing {
				left -= n
			}
		}
		closing = closing || stop
	}
}

// copyInput copies standard input to the terminal until it ends or Close is called.
func (s *Session) copyInput() {
	buf := make([]byte, bufferSize)
	for {
		ready, stop := s.wait(s.stdin, unix.POLLIN, false)
		if stop {
			return
		}
		if !ready {
			continue
		}
		n, err := unix.Read(s.stdin, buf)
		if again(err) {
			continue
		}
		if n <= 0 || !s.send(buf[:n]) {
			return
		}
	}
}

// send writes to the terminal. A container that does not read its input must not keep Close waiting.
func (s *Session) send(b []byte) bool {
	for len(b) > 0 {
		ready, stop := s.wait(s.master, unix.POLLOUT, false)
		if stop {
			return false
		}
		if !ready {
			continue
		}
		n, err := unix.Write(s.master, b)
		if err != nil && !again(err) {
			return false
		}
		b = b[max(n, 0):]
	}
	return true
}

// wait waits until fd is ready, an error or hang-up included, or Close is called; when closing, until fd
// is ready or has been silent for a while.
func (s *Session) wait(fd int, events int16, closing bool) (ready, stop bool) {
	fds := []unix.PollFd{{Fd: int32(fd), Events: events}, {Fd: int32(s.stop), Events: unix.POLLIN}}
	timeout := -1
	if closing {
		fds, timeout = fds[:1], int(settle/time.Millisecond)
	}
	for {
		if _, err := unix.Poll(fds, timeout); err != unix.EINTR {
			break
		}
	}
	return fds[0].Revents != 0, !closing && fds[1].Revents != 0
}

// writeAll writes all of b, to a descriptor that may be non-blocking.
func writeAll(fd int, b []byte) bool {
	for len(b) > 0 {
		n, err := unix.Write(fd, b)
		switch {
		case err == unix.EAGAIN:
			_, _ = unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}, -1)
		case err != nil && err != unix.EINTR:
			return false
		}
		b = b[max(n, 0):]
	}
	return true
}

func again(err error) bool { return err == unix.EINTR || err == unix.EAGAIN }
