package stdio

import (
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// openInput opens the fifo that the process reads. For a terminal, and for a process that waits, there is a copy in
// between, which begins with Begin: a client sends as soon as somebody opens the fifo, and when it is through tells
// containerd to close stdin, for which some have to know of the container already (ctr loses it otherwise).
func (s *Streams) openInput(path string, o Options) (err error) {
	switch {
	case path == "" && s.terminal:
		return nil
	case path == "":
		return s.null(0)
	case s.terminal:
		err = s.later(path)
	case o.Waits || o.UID != 0 || o.GID != 0: // the client's fifo keeps its owner
		if err = s.later(path); err == nil {
			s.child[0], s.feed, err = inputPipe(o)
		}
	default:
		err = s.direct(path)
	}
	if err != nil {
		return fmt.Errorf("cannot open stdin: %w", err)
	}
	return nil
}

// later leaves the opening to Begin.
func (s *Streams) later(path string) error {
	s.source = path
	return os.NewSyscallError("access", unix.Access(path, unix.R_OK))
}

// direct gives the process the fifo itself.
func (s *Streams) direct(path string) (err error) {
	if s.child[0], s.keeper, err = openReader(path); err != nil {
		return err
	}
	return unix.SetNonblock(int(s.child[0].Fd()), false)
}

// openReader opens a fifo, or a file, for reading. keeper is a writer of the fifo.
func openReader(path string) (reader, keeper *os.File, err error) {
	if reader, err = openAt(path, unix.O_RDONLY|unix.O_NONBLOCK); err != nil {
		return nil, nil, err
	}
	if isFifo(reader) {
		if keeper, err = openAt(path, unix.O_WRONLY|unix.O_NONBLOCK); err != nil {
			reader.Close()
			return nil, nil, err
		}
	}
	return reader, keeper, nil
}

// inputPipe makes a pipe whose write end can be waited for.
func inputPipe(o Options) (r, w *os.File, err error) {
	var p [2]int
	if err := unix.Pipe2(p[:], unix.O_CLOEXEC); err != nil {
		return nil, nil, os.NewSyscallError("pipe2", err)
	}
	r = os.NewFile(uintptr(p[0]), "pipe")
	if err = unix.SetNonblock(p[1], true); err == nil && (o.UID != 0 || o.GID != 0) {
		err = r.Chown(o.UID, o.GID)
	}
	if err != nil {
		r.Close()
		unix.Close(p[1])
		return nil, nil, err
	}
	return r, os.NewFile(uintptr(p[1]), "pipe"), nil
}

// Begin begins to copy the client's input, if that is needed.
func (s *Streams) Begin() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	to := s.feed
	if to == nil {
		to = s.master
	}
	if s.source == "" || to == nil {
		return nil
	}
	reader, keeper, err := openReader(s.source)
	if err != nil {
		return fmt.Errorf("cannot open stdin: %w", err)
	}
	s.source, s.stdin, s.keeper = "", reader, keeper
	if s.closed {
		s.closeKeeper()
	}
	go copyInput(to, reader, to == s.feed)
	return nil
}

// copyInput copies what the client sends, until it has closed its end and so has the keeper.
func copyInput(to, from *os.File, end bool) {
	io.CopyBuffer(struct{ io.Writer }{to}, struct{ io.Reader }{from}, make([]byte, 4<<10))
	from.Close()
	if end {
		to.Close()
	}
}

// CloseStdin lets the process see the end of its input when the client has closed it too.
func (s *Streams) CloseStdin() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	s.closeKeeper()
	if s.hub != nil && s.feed != nil {
		s.feed.Close()
		s.feed = nil
	}
}

// input is where clients' input goes: the pipe or the terminal.
func (s *Streams) input() *os.File {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.master != nil {
		return s.master
	}
	return s.feed
}

func (s *Streams) closeKeeper() {
	if s.keeper != nil {
		s.keeper.Close()
		s.keeper = nil
	}
}
