package stream

import (
	"errors"
	"io"
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// DefaultWidth is taken where there is no terminal.
const DefaultWidth = 80

// terminal is a descriptor that may be one.
type terminal struct {
	fd    int
	isTTY bool
	mu    sync.Mutex
	saved *unix.Termios
}

func newTerminal(f *os.File) terminal {
	fd := int(f.Fd())
	_, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	return terminal{fd: fd, isTTY: err == nil}
}

// IsTerminal tells whether the stream is a terminal.
func (t *terminal) IsTerminal() bool { return t.isTTY }

// Size returns rows and columns of the terminal, 0 when it is none.
func (t *terminal) Size() (height, width uint) {
	if !t.isTTY {
		return 0, 0
	}
	ws, err := unix.IoctlGetWinsize(t.fd, unix.TIOCGWINSZ)
	if err != nil {
		return 0, 0
	}
	return uint(ws.Row), uint(ws.Col)
}

// In is the standard input.
type In struct {
	io.Reader
	terminal
}

// NewIn returns f as standard input.
func NewIn(f *os.File) *In { return &In{Reader: f, terminal: newTerminal(f)} }

// Read is a plain input, for tests.
func Read(r io.Reader) *In { return &In{Reader: r, terminal: terminal{fd: -1}} }

// Raw passes every key on as it is typed: no echo, no lines, no signals. The terminal's output stays as it is, apart from
// line ends, which the container's terminal has made already (cfmakeraw(3)).
func (i *In) Raw() error {
	return i.set(func(t *unix.Termios) {
		t.Iflag &^= unix.IGNBRK | unix.BRKINT | unix.PARMRK | unix.ISTRIP | unix.INLCR | unix.IGNCR | unix.ICRNL | unix.IXON
		t.Oflag &^= unix.OPOST
		t.Lflag &^= unix.ECHO | unix.ECHONL | unix.ICANON | unix.ISIG | unix.IEXTEN
		t.Cflag &^= unix.CSIZE | unix.PARENB
		t.Cflag |= unix.CS8
		t.Cc[unix.VMIN], t.Cc[unix.VTIME] = 1, 0
	})
}

// NoEcho hides what is typed, for passwords.
func (i *In) NoEcho() error {
	return i.set(func(t *unix.Termios) { t.Lflag &^= unix.ECHO })
}

func (t *terminal) set(change func(*unix.Termios)) error {
	if !t.isTTY {
		return nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	old, err := unix.IoctlGetTermios(t.fd, unix.TCGETS)
	if err != nil {
		return err
	}
	if t.saved == nil {
		t.saved = old
	}
	now := *old
	change(&now)
	return unix.IoctlSetTermios(t.fd, unix.TCSETS, &now)
}

// Restore undoes Raw and NoEcho.
func (t *terminal) Restore() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.saved != nil {
		unix.IoctlSetTermios(t.fd, unix.TCSETS, t.saved)
		t.saved = nil
	}
}

// CheckTTY refuses a terminal for the container where the input is none and would be attached to it.
func (i *In) CheckTTY(attach, tty bool) error {
	if attach && tty && !i.isTTY {
		return errors.New("the input device is not a TTY")
	}
	return nil
}

// Out is the standard output.
type Out struct {
	io.Writer
	terminal
}

// NewOut returns f as standard output.
func NewOut(f *os.File) *Out { return &Out{Writer: f, terminal: newTerminal(f)} }

// Piped is a plain output.
func Piped(w io.Writer) *Out { return &Out{Writer: w, terminal: terminal{fd: -1}} }

// FD is the descriptor of the terminal, -1 if it is none.
func (o *Out) FD() int { return o.fd }

// Fd is FD as an os.File has it, which the display of progress asks for.
func (o *Out) Fd() uintptr { return uintptr(o.fd) }

// Discard is an output that shows nothing.
func Discard() *Out { return Piped(io.Discard) }
