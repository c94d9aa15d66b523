package hooks

import (
	"os"
	"strings"
	"time"
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
		t.kept = append(t.kept, buf[:n]...)
		if extra := len(t.kept) - tailSize; extra > 0 {
			t.kept = append(t.kept[:0], t.kept[extra:]...)
			t.cut = true
		}
		if err != nil {
			return
		}
	}
}

// text returns what was kept, in a form fit for an error, once the pipe has ended or limit has passed.
func (t *tail) text(limit time.Duration) string {
	_ = t.pipe.SetReadDeadline(time.Now().Add(limit)) // a pipe has deadlines
	<-t.done
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
