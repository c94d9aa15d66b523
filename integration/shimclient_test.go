package integration

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/shim/wire"
)

// shimClient is the client of a container, or of an exec in it, at the other end of its fifos.
type shimClient struct {
	t      *testing.T
	dir    string
	stdin  *os.File
	stdout *os.File
	seen   strings.Builder
}

// newShimClient makes fifos in, out and err, and opens out and err: its stdout has both.
func newShimClient(t *testing.T) *shimClient {
	t.Helper()
	c := &shimClient{t: t, dir: t.TempDir()}
	for _, name := range []string{"in", "out"} {
		must(t, unix.Mkfifo(c.path(name), 0o600))
	}
	c.attach()
	return c
}

func (c *shimClient) path(name string) string { return filepath.Join(c.dir, name) }

// attach opens the output, for the first time or again after detach.
func (c *shimClient) attach() {
	c.t.Helper()
	fd, err := unix.Open(c.path("out"), unix.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	must(c.t, err)
	c.stdout = os.NewFile(uintptr(fd), "out")
	c.t.Cleanup(func() { c.stdout.Close() })
}

// fields are those of Create, or of Exec, from number first on.
func (c *shimClient) fields(first int, terminal bool) func(*wire.Encoder) {
	return func(e *wire.Encoder) {
		e.Bool(first, terminal)
		e.String(first+1, c.path("in"))
		e.String(first+2, c.path("out"))
		if !terminal {
			e.String(first+3, c.path("out"))
		}
	}
}

// typed is what the user of the client writes.
func (c *shimClient) typed(text string) {
	c.t.Helper()
	if c.stdin == nil {
		var err error
		c.stdin, err = os.OpenFile(c.path("in"), os.O_WRONLY, 0)
		must(c.t, err)
		stdin := c.stdin
		c.t.Cleanup(func() { stdin.Close() })
	}
	_, err := c.stdin.WriteString(text)
	must(c.t, err)
}

// until reads up to a word, and returns all that was read since the last time.
func (c *shimClient) until(word string) string {
	c.t.Helper()
	must(c.t, c.stdout.SetReadDeadline(time.Now().Add(patience)))
	buf := make([]byte, 64<<10)
	for !strings.Contains(c.seen.String(), word) {
		n, err := c.stdout.Read(buf)
		c.seen.Write(buf[:n])
		if err != nil {
			c.t.Fatalf("no %q in %q: %v", word, lastLines(c.seen.String(), 5), err)
		}
	}
	text := c.seen.String()
	c.seen.Reset()
	return text
}

// withFifos creates and starts the container with a client.
func (s *shimDirect) withFifos() *shimClient { s.t.Helper(); return s.withClient(false) }

func (s *shimDirect) withClient(terminal bool) *shimClient {
	s.t.Helper()
	c := newShimClient(s.t)
	s.create("", c.fields(4, terminal))
	s.must("Start", s.target(""))
	return c
}
