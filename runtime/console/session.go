package console

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// settle is how long a terminal must be silent, once Close is called, to be taken for empty. What a
// process has written reaches the master end from a kernel worker, a moment after the process is gone.
const settle = 50 * time.Millisecond

// Session joins the caller's standard streams to a container's terminal.
type Session struct {
	master  int
	stdin   int
	stdout  int
	cooked  *unix.Termios // settings of stdin to go back to; nil when it is not a terminal
	stop    int           // eventfd that is readable once Close is called
	signals chan os.Signal
	forward atomic.Pointer[func(os.Signal)]
	output  sync.WaitGroup // master to stdout
	others  sync.WaitGroup // stdin to master, signals
	restore sync.Once
	close   sync.Once
	err     error // of close
}

// Foreground starts to copy standard input to the terminal and the terminal to standard output. When
// standard input is a terminal it is made raw, and its size is given to the container's, now and whenever
// it changes. The session has master to itself, in non-blocking mode, until Close, which the caller must
// call (by defer, so that a panic too leaves the caller's terminal as it was).
//
// The signals that end a program (HUP, INT, QUIT, TERM) first restore the terminal, unless Forward takes
// them. When standard input ends, nothing more is sent; the container's terminal stays open.
func Foreground(master *os.File) (*Session, error) {
	return foreground(int(master.Fd()), unix.Stdin, unix.Stdout)
}

func foreground(master, stdin, stdout int) (s *Session, err error) {
	s = &Session{master: master, stdin: stdin, stdout: stdout, signals: make(chan os.Signal, 16)}
	if err := unix.SetNonblock(master, true); err != nil {
		return nil, fmt.Errorf("cannot use terminal: %w", err)
	}
	if s.stop, err = unix.Eventfd(0, unix.EFD_CLOEXEC); err != nil {
		return nil, fmt.Errorf("cannot make an eventfd: %w", err)
	}
	signal.Notify(s.signals, unix.SIGHUP, unix.SIGINT, unix.SIGQUIT, unix.SIGTERM, unix.SIGWINCH, unix.SIGCONT)
	if err := s.takeTerminal(); err != nil {
		signal.Stop(s.signals)
		return nil, errors.Join(err, unix.Close(s.stop))
	}
	s.output.Go(s.copyOutput)
	s.others.Go(s.copyInput)
	s.others.Go(s.handleSignals)
	return s, nil
}

// takeTerminal makes standard input raw and passes its size on, if it is a terminal.
func (s *Session) takeTerminal() error {
	if _, err := termios(s.stdin); err != nil {
		return nil
	}
	if err := copySize(s.stdin, s.master); err != nil {
		return err
	}
	cooked, err := makeRaw(s.stdin)
	s.cooked = cooked
	return err
}

// Forward has f called with the signals that would end this program, from one goroutine: typically to
// send them to the container's process instead.
func (s *Session) Forward(f func(os.Signal)) { s.forward.Store(&f) }

// Wait returns when all processes of the container have closed the terminal and everything they wrote to
// it is on standard output.
func (s *Session) Wait() { s.output.Wait() }

// Close ends the session once the container's process is done: it copies what the terminal still holds,
// and restores the caller's terminal. A process that stays behind with the terminal open does not hold
// it up, unless it writes without a pause. Close may be called more than once.
func (s *Session) Close() error {
	s.close.Do(func() {
		one := [8]byte{7: 1, 0: 1} // not 0 in either byte order
		_, err := unix.Write(s.stop, one[:])
		s.output.Wait()
		signal.Stop(s.signals)
		close(s.signals)
		s.others.Wait()
		s.err = errors.Join(err, s.restoreTerminal(), unix.Close(s.stop))
	})
	return s.err
}

func (s *Session) restoreTerminal() (err error) {
	s.restore.Do(func() {
		if s.cooked == nil {
			return
		}
		if err = setTermios(s.stdin, s.cooked); err != nil {
			err = fmt.Errorf("cannot restore the terminal: %w", err)
		}
	})
	return err
}

func (s *Session) handleSignals() {
	for sig := range s.signals {
		f := s.forward.Load()
		switch {
		case sig == unix.SIGWINCH || sig == unix.SIGCONT:
			s.refresh(sig)
		case f != nil:
			(*f)(sig)
		default:
			s.die(sig.(unix.Signal))
		}
	}
}

// refresh follows the caller's terminal: its new size; after a stop, during which a shell has set it for
// itself, raw mode as well. A terminal that is gone is noticed by the copying.
func (s *Session) refresh(sig os.Signal) {
	if s.cooked == nil {
		return
	}
	if sig == unix.SIGCONT {
		_, _ = makeRaw(s.stdin)
	}
	_ = copySize(s.stdin, s.master)
}

// die does what the signal would have done, after the terminal is as it was.
func (s *Session) die(sig unix.Signal) {
	_ = s.restoreTerminal()
	signal.Reset(sig)
	_ = unix.Kill(unix.Getpid(), sig)
}
