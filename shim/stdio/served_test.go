package stdio_test

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/shim/api"
	"github.com/dhow-containers/dhow/shim/logfile"
	"github.com/dhow-containers/dhow/shim/stdio"
)

// served are streams that the shim serves, without a log.
func served(t *testing.T, input bool) *stdio.Streams {
	t.Helper()
	s := stdio.Served{Log: logfile.Options{Driver: logfile.None}, Stdin: input}
	return open(t, api.Stdio{Stdout: s.URI()})
}

// client attaches a client and returns its side.
func client(t *testing.T, s *stdio.Streams, o stdio.AttachOptions) (*os.File, *stdio.Client) {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	c, err := s.Attach(os.NewFile(uintptr(fds[1]), "client"), o)
	if err != nil {
		t.Fatal(err)
	}
	f := os.NewFile(uintptr(fds[0]), "client")
	t.Cleanup(func() { f.Close() })
	f.SetDeadline(time.Now().Add(20 * time.Second))
	return f, c
}

func TestServedURI(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a %?#", "log")
	s := stdio.Served{Log: logfile.Options{Driver: logfile.JSON, Path: path, Attrs: `{"tag":"&"}`, MaxSize: 5, MaxFiles: 2}}
	streams := open(t, api.Stdio{Stdout: s.URI()})
	if !stdio.IsServed(s.URI()) || !streams.Attachable() {
		t.Error("not served")
	}
	start(t, streams, "echo x").Wait()
	streams.Drain(t.Context())
	data, err := os.ReadFile(path)
	if err != nil || !strings.HasPrefix(string(data), `{"log":"x\n","stream":"stdout","attrs":{"tag":"&"},`) {
		t.Errorf("got %s, %v", data, err)
	}
	for _, uri := range []string{"dhow:///x", "dhow:///x?driver=y", "dhow:///x?driver=none&stdin=z", "dhow:///x?driver=none&max-size=-1"} {
		if _, err := stdio.Open(t.Context(), &api.Stdio{Stdout: uri}, stdio.Options{}); err == nil {
			t.Errorf("no error for %s", uri)
		}
	}
}

// TestDrainServesClients has a client read late, and Drain wait for it.
func TestDrainServesClients(t *testing.T) {
	s := served(t, false)
	f, c := client(t, s, stdio.AttachOptions{Stdout: true, Raw: true})
	cmd := start(t, s, "seq 100000")
	got := make(chan string)
	go func() { b, _ := io.ReadAll(f); got <- string(b) }()
	cmd.Wait()
	s.Drain(t.Context())
	if c.Wait() {
		t.Error("detached")
	}
	if text := <-got; strings.Count(text, "\n") != 100000 {
		t.Errorf("got %d bytes", len(text))
	}
}

// TestDeadClient has a client that is there and takes nothing: Drain gives it up with its context, and Close cuts it off.
func TestDeadClient(t *testing.T) {
	s := served(t, true)
	_, c := client(t, s, stdio.AttachOptions{Stdout: true, Stdin: true})
	cmd := start(t, s, "yes | head -c 800000")
	cmd.Wait()
	ctx, cancel := deadline(t)
	defer cancel()
	s.Drain(ctx)
	s.Close()
	c.Wait()
}

// TestClientGone notices a client that has closed its connection, though nothing is written.
func TestClientGone(t *testing.T) {
	for _, input := range []bool{false, true} {
		s := served(t, input)
		f, c := client(t, s, stdio.AttachOptions{Stdout: true, Stdin: input, CloseStdin: true})
		f.Close()
		c.Wait()
	}
}
