package engine

import (
	"bytes"
	"context"
	"io"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/creack/pty"

	"github.com/dhow-containers/dhow/integration"
)

// screen is a client on a terminal, and all that it has printed.
type screen struct {
	t    *testing.T
	file *os.File
	done chan int

	mu  sync.Mutex
	out bytes.Buffer
}

// on runs a command line of a client on a terminal of 24 rows and 80 columns.
func on(t *testing.T, c *integration.Client, args ...string) *screen {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), integration.EnginePatience)
	cmd := c.Command(ctx, args...)
	cmd.Env = append(cmd.Env, "TERM=xterm")
	file, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 24, Cols: 80})
	if err != nil {
		t.Fatal(err)
	}
	s := &screen{t: t, file: file, done: make(chan int, 1)}
	go func() {
		_, _ = io.Copy(s, file) // its end is an error
		_ = cmd.Wait()
		s.done <- cmd.ProcessState.ExitCode()
		cancel()
	}()
	t.Cleanup(func() { cancel(); file.Close() })
	return s
}

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.out.Write(p)
}

func (s *screen) shows(text string) {
	s.t.Helper()
	await(s.t, "the terminal to show "+text, func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return strings.Contains(s.out.String(), text)
	})
}

func (s *screen) types(text string) {
	s.t.Helper()
	if _, err := s.file.WriteString(text); err != nil {
		s.t.Fatal(err)
	}
}

// ends waits for the client's end.
func (s *screen) ends(code int) {
	s.t.Helper()
	select {
	case got := <-s.done:
		if got != code {
			s.t.Errorf("exit %d, want %d; on the screen: %q", got, code, s.out.String())
		}
	case <-time.After(integration.EnginePatience):
		s.t.Fatalf("the client does not end; on the screen: %q", s.out.String())
	}
}

func TestTerminal(t *testing.T) {
	d := sharedDaemon(t)
	s := on(t, d.docker, "run", "-it", "--rm", "busybox", "sh")
	s.shows("# ")
	s.types("stty size; echo $((6*7))x\n")
	s.shows("42x")
	if err := pty.Setsize(s.file, &pty.Winsize{Rows: 30, Cols: 100}); err != nil {
		t.Fatal(err)
	}
	await(t, "the new size", func() bool {
		s.types("stty size\n")
		s.mu.Lock()
		defer s.mu.Unlock()
		return strings.Contains(s.out.String(), "30 100")
	})
	s.types("exit 6\n")
	s.ends(6)
}

func TestDetachAndAttach(t *testing.T) {
	d := sharedDaemon(t)
	remover(t, d, "shell")
	s := on(t, d.docker, "run", "-it", "--name", "shell", "busybox", "sh")
	s.shows("# ")
	s.types("x=kept\n")
	s.types("\x10\x11") // ctrl-p ctrl-q
	s.ends(0)
	if got := d.state(t, "shell", "{{.State.Status}}"); got != "running" {
		t.Fatalf("after detaching: %s", got)
	}
	s = on(t, d.docker, "attach", "shell")
	s.types("echo $x-$((2*3))\n")
	s.shows("kept-6")
	s.types("exit 3\n")
	s.ends(3)
}

func TestExecTerminal(t *testing.T) {
	d := sharedDaemon(t)
	remover(t, d, "host")
	d.must(t, "run", "-d", "--name", "host", "busybox", "sleep", "1000")
	s := on(t, d.docker, "exec", "-it", "host", "sh")
	s.shows("# ")
	s.types("tty; echo $((3*3))y\n")
	s.shows("9y")
	s.types("exit 2\n")
	s.ends(2)
}
