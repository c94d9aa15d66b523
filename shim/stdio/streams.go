package stdio

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/shim/api"
)

// Options are what the streams need to know of their surroundings.
type Options struct {
	ID, Namespace string // of the process, for a logging program
	UID, GID      int    // owner of pipes: Options.IoUid and IoGid
	Loggers       Loggers
	Waits         bool // the process waits, as the init of a created container does: its input is for Begin
	Warn          func(what string, err error)
}

func (o *Options) warn(what string, err error) {
	if o.Warn != nil {
		o.Warn(what, err)
	}
}

// Streams are the standard streams of one process.
type Streams struct {
	child  [3]*os.File // the process's own, until Started
	closes []func()    // what to release at the end
	copies []*copier   // of output
	logger Logger

	terminal bool
	stdout   output // terminal: where the output goes
	hub      *hub   // nil: the client serves the streams

	mu     sync.Mutex
	master *os.File
	source string   // path of an input that is copied, until Begin
	feed   *os.File // where it is copied to, without a terminal
	stdin  *os.File // where it is copied from
	keeper *os.File // end of the stdin fifo that keeps the process from an end of file
	closed bool     // CloseStdin was called
}

// Open prepares the streams. It waits, until ctx ends, for a client that has yet to open its end of a fifo.
func Open(ctx context.Context, r *api.Stdio, o Options) (s *Streams, err error) {
	s = &Streams{terminal: r.Terminal}
	defer func() {
		if err != nil {
			s.Close()
			s = nil
		}
	}()
	if IsServed(r.Stdout) {
		return s, s.serveOurselves(r.Stdout, o)
	}
	scheme, path, err := splitURI(r.Stdout)
	if err != nil {
		return s, err
	}
	if err := s.openInput(r.Stdin, o); err != nil {
		return s, err
	}
	switch scheme {
	case "", "fifo":
		err = s.fifos(ctx, path, r.Stderr, o)
	case "file":
		err = s.file(path, o)
	case "binary", "binary-v2":
		err = s.binary(r.Stdout, scheme == "binary-v2", o)
	default:
		err = fmt.Errorf("cannot open stdout: unknown STDIO scheme %s", scheme)
	}
	return s, err
}

// splitURI tells how stdout is to be served. A plain path is no URI.
func splitURI(stdout string) (scheme, path string, err error) {
	if !strings.Contains(stdout, "://") {
		return "", stdout, nil
	}
	u, err := url.Parse(stdout)
	if err != nil {
		return "", "", fmt.Errorf("cannot open stdout: %w", err)
	}
	return u.Scheme, u.Path, nil
}

// null gives the process /dev/null.
func (s *Streams) null(fd int) error {
	f, err := openAt("/dev/null", unix.O_RDWR)
	s.child[fd] = f
	return err
}

// fifos opens the client's fifos for output. A terminal has no stderr.
func (s *Streams) fifos(ctx context.Context, stdout, stderr string, o Options) error {
	if s.terminal {
		if stdout == "" {
			s.stdout = &sink{users: 1}
			return nil
		}
		f, err := s.openOutput(ctx, stdout)
		if err != nil {
			return fmt.Errorf("cannot open stdout: %w", err)
		}
		s.stdout = &sink{file: f, users: 1}
		return nil
	}
	for fd, path := range map[int]string{1: stdout, 2: stderr} {
		if err := s.output(ctx, fd, path, o); err != nil {
			return fmt.Errorf("cannot open %s: %w", [3]string{1: "stdout", 2: "stderr"}[fd], err)
		}
	}
	return nil
}

// output opens one stream for the process: the fifo itself where that is safe.
func (s *Streams) output(ctx context.Context, fd int, path string, o Options) error {
	if path == "" {
		return s.null(fd)
	}
	f, err := s.openOutput(ctx, path)
	if err != nil {
		return err
	}
	if isFifo(f) && o.UID == 0 && o.GID == 0 {
		s.child[fd] = f
		return unix.SetNonblock(int(f.Fd()), false)
	}
	return s.pipe(&sink{file: f, users: 1}, o, fd)
}

// openOutput opens a fifo, or a file, for writing, and keeps a reader on a fifo until Close.
func (s *Streams) openOutput(ctx context.Context, path string) (*os.File, error) {
	f, err := openWriter(ctx, path)
	if err != nil {
		return nil, err
	}
	if isFifo(f) {
		reader, err := openAt(path, unix.O_RDONLY|unix.O_NONBLOCK)
		if err != nil {
			f.Close()
			return nil, err
		}
		s.closes = append(s.closes, func() { reader.Close() })
	}
	return f, nil
}

// file appends both streams to one file.
func (s *Streams) file(path string, o Options) error {
	f, err := openLog(path)
	if err != nil {
		return fmt.Errorf("cannot open stdout: %w", err)
	}
	if s.terminal {
		s.stdout = &sink{file: f, users: 1}
		return nil
	}
	return s.pipe(&sink{file: f, users: 2}, o, 1, 2)
}

// pipe makes pipes whose output is copied to to.
func (s *Streams) pipe(to output, o Options, fds ...int) error {
	for _, fd := range fds {
		r, w, err := newPipe(o)
		if err != nil {
			to.close()
			return err
		}
		s.child[fd] = w
		s.copies = append(s.copies, startCopy(r, to))
	}
	return nil
}

// Child are the descriptors for the process.
func (s *Streams) Child() *[3]uintptr {
	if s.terminal {
		return nil
	}
	var fds [3]uintptr
	for i, f := range s.child {
		fds[i] = f.Fd()
	}
	return &fds
}

// Started lets go of the process's own descriptors, and serves its terminal if it has one.
func (s *Streams) Started(master *os.File) error {
	for i, f := range s.child {
		if f != nil {
			f.Close()
			s.child[i] = nil
		}
	}
	if master == nil {
		return nil
	}
	return s.serve(master)
}

// Resize sets the size of the terminal, if there is one.
func (s *Streams) Resize(width, height uint32) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.master == nil {
		return nil
	}
	return control(s.master, func(fd int) error {
		return unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Row: uint16(height), Col: uint16(width)})
	})
}

// settle is how long copied output must be silent, after the process has ended, to be taken for complete while others
// still hold the stream open: a terminal's output takes a moment in the kernel.
const settle = 50 * time.Millisecond

// Drain waits, at most until ctx ends, for what the process has written to be with the client. Somebody else who holds
// the stream open does not hold it up.
func (s *Streams) Drain(ctx context.Context) {
	for _, c := range s.copies {
		c.drain(ctx)
	}
	if s.hub != nil {
		s.hub.end(ctx)
	}
}

// Close releases everything.
func (s *Streams) Close() {
	s.CloseStdin()
	s.Started(nil)
	if s.hub != nil {
		s.hub.close()
	}
	for _, c := range s.copies {
		c.stop()
	}
	s.mu.Lock()
	closeAll([]*os.File{s.master, s.stdin, s.feed})
	s.master, s.source = nil, ""
	s.mu.Unlock()
	if s.stdout != nil {
		s.stdout.close()
	}
	for _, f := range s.closes {
		f()
	}
	s.closes = nil
	if s.hub != nil && s.hub.log != nil {
		for _, c := range s.copies {
			<-c.done
		}
		if err := s.hub.log.Close(); err != nil {
			s.hub.warn("cannot close the log", err)
		}
	}
	if s.logger != nil {
		s.logger.Close()
	}
}

var errTerminal = errors.New("internal error: a terminal for a process that has none")
