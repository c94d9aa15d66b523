package hooks

import (
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// tailSize is how much of a hook's output is kept: its end.
const tailSize = 4 << 10

// tail reads a pipe and keeps the end of what came.
type tail struct {
	pipe *os.File
	kept []byte
	cut  bool // more came than was kept
	done chan struct{}
}

func readTail(pipe *os.File) *tail {
	t := &tail{pipe: pipe, done: make(chan struct{})}
	go t.read()
	return t
}

func (t *tail) read() {
	defer close(t.done)
	buf := make([]byte, tailSize)
	for {
		n, err := t.pipe.Read(buf)
		t.keep(buf[:n])
		if err != nil {
			return
		}
	}
}

func (t *tail) keep(b []byte) {
	t.kept = append(t.kept, b...)
	if extra := len(t.kept) - tailSize; extra > 0 {
		t.kept = append(t.kept[:0], t.kept[extra:]...)
		t.cut = true
	}
}

// rest takes what the pipe holds when the time is up: on a busy machine that is before anybody got to read it.
func (t *tail) rest() {
	raw, err := t.pipe.SyscallConn()
	if err != nil {
		return
	}
	buf := make([]byte, 64<<10) // a whole pipe
	_ = raw.Control(func(fd uintptr) {
		if n, err := unix.Read(int(fd), buf); err == nil { // it does not block: it has deadlines
			t.keep(buf[:n])
		}
	})
}

// text returns what was kept, in a form fit for an error, once the pipe has ended or limit has passed.
func (t *tail) text(limit time.Duration) string {
	_ = t.pipe.SetReadDeadline(time.Now().Add(limit)) // a pipe has deadlines
	<-t.done
	t.rest()
	s := strings.TrimSpace(strings.Map(printable, strings.ToValidUTF8(string(t.kept), "?")))
	if t.cut {
		s = "…" + s
	}
	return s
}

// stop ends the reading, whoever still holds the other end.
func (t *tail) stop() error {
	err := t.pipe.Close()
	<-t.done
	return err
}

// printable keeps terminal control sequences out of error messages.
func printable(r rune) rune {
	if r < ' ' && r != '\n' && r != '\t' || r >= 0x7f && r < 0xa0 {
		return '?'
	}
	return r
}
