package stdio_test

import (
	"bytes"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/shim/api"
	"github.com/dhow-containers/dhow/shim/stdio"
)

func fifo(t *testing.T, name string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := unix.Mkfifo(path, 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

func open(t *testing.T, r api.Stdio) *stdio.Streams {
	t.Helper()
	s, err := stdio.Open(t.Context(), &r, stdio.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// start runs a shell script with the streams, as the container would.
func start(t *testing.T, s *stdio.Streams, script string) *exec.Cmd {
	t.Helper()
	fds := *s.Child()
	cmd := exec.Command("sh", "-c", script)
	var files [3]*os.File
	for i, fd := range fds {
		dup, err := unix.FcntlInt(fd, unix.F_DUPFD_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		files[i] = os.NewFile(uintptr(dup), "")
		defer files[i].Close()
	}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = files[0], files[1], files[2]
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if err := s.Started(nil); err != nil {
		t.Fatal(err)
	}
	return cmd
}

// reader opens a fifo as a client does.
func reader(t *testing.T, path string) *os.File {
	t.Helper()
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	f := os.NewFile(uintptr(fd), path)
	t.Cleanup(func() { f.Close() })
	f.SetReadDeadline(time.Now().Add(20 * time.Second))
	return f
}

func all(t *testing.T, f *os.File) string {
	t.Helper()
	b, err := io.ReadAll(f)
	if err != nil {
		t.Error(err)
	}
	return string(b)
}

// TestFifos has a process with all three streams on fifos, which it has to itself.
func TestFifos(t *testing.T) {
	in, out, errs := fifo(t, "in"), fifo(t, "out"), fifo(t, "err")
	stdout, stderr := reader(t, out), reader(t, errs)
	s := open(t, api.Stdio{Stdin: in, Stdout: out, Stderr: errs})
	cmd := start(t, s, "readlink /proc/self/fd/1; cat; echo problem >&2")
	w, err := os.OpenFile(in, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	w.WriteString("hello\n")
	w.Close()
	s.CloseStdin()
	if got, want := all(t, stdout), out+"\nhello\n"; got != want {
		t.Errorf("stdout %q, want %q", got, want)
	}
	if got := all(t, stderr); got != "problem\n" {
		t.Errorf("stderr %q", got)
	}
	cmd.Wait()
}

// TestInputStaysOpen has a client come, write, go away, and come back: only CloseStdin ends the input.
func TestInputStaysOpen(t *testing.T) {
	in, out := fifo(t, "in"), fifo(t, "out")
	stdout := reader(t, out)
	s := open(t, api.Stdio{Stdin: in, Stdout: out})
	cmd := start(t, s, "read a; echo 1 $a; read b; echo 2 $b; read c || echo end")
	for _, word := range []string{"one", "two"} {
		w, err := os.OpenFile(in, os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		w.WriteString(word + "\n")
		w.Close()
	}
	buf, got := make([]byte, 100), ""
	for !strings.Contains(got, "2 two\n") {
		n, err := stdout.Read(buf)
		if err != nil {
			t.Fatalf("got %q: %v", got, err)
		}
		got += string(buf[:n])
	}
	s.CloseStdin()
	if got += all(t, stdout); got != "1 one\n2 two\nend\n" {
		t.Errorf("got %q", got)
	}
	cmd.Wait()
}

// TestInputWaits has a process that waits: nobody takes the client's input before Begin.
func TestInputWaits(t *testing.T) {
	in, out := fifo(t, "in"), fifo(t, "out")
	stdout := reader(t, out)
	s, err := stdio.Open(t.Context(), &api.Stdio{Stdin: in, Stdout: out}, stdio.Options{Waits: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	cmd := start(t, s, "cat; echo end")
	if fd, err := unix.Open(in, unix.O_WRONLY|unix.O_NONBLOCK, 0); err != unix.ENXIO {
		unix.Close(fd)
		t.Errorf("the fifo has a reader: %v", err)
	}
	if err := s.Begin(); err != nil {
		t.Fatal(err)
	}
	w, err := os.OpenFile(in, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	big := strings.Repeat("0123456789abcde\n", 20000)
	go func() { w.WriteString(big); w.Close(); s.CloseStdin() }()
	if got := all(t, stdout); got != big+"end\n" {
		t.Errorf("got %d bytes", len(got))
	}
	cmd.Wait()
}

// TestReaderGoesAway has a client detach: the process is not killed by SIGPIPE and loses nothing.
func TestReaderGoesAway(t *testing.T) {
	out, gate := fifo(t, "out"), fifo(t, "gate")
	first := reader(t, out)
	s := open(t, api.Stdio{Stdout: out})
	cmd := start(t, s, "echo one; read x < "+gate+"; echo two; seq 100000")
	buf := make([]byte, 100)
	if n, err := first.Read(buf); err != nil || string(buf[:n]) != "one\n" {
		t.Fatal(n, err)
	}
	first.Close()
	if err := os.WriteFile(gate, []byte("go\n"), 0); err != nil {
		t.Fatal(err)
	}
	time.Sleep(50 * time.Millisecond) // so that it writes while nobody is there
	got := all(t, reader(t, out))
	if !strings.HasPrefix(got, "two\n1\n2\n") || !strings.HasSuffix(got, "\n100000\n") || strings.Count(got, "\n") != 100001 {
		t.Errorf("got %d bytes", len(got))
	}
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
}

// TestWaitsForReader has a client that opens its fifo late, and one that never comes.
func TestWaitsForReader(t *testing.T) {
	out := fifo(t, "out")
	opened := make(chan *stdio.Streams)
	go func() {
		s, err := stdio.Open(context.Background(), &api.Stdio{Stdout: out}, stdio.Options{})
		if err != nil {
			t.Error(err)
		}
		opened <- s
	}()
	select {
	case <-opened:
		t.Fatal("did not wait")
	case <-time.After(50 * time.Millisecond):
	}
	stdout := reader(t, out)
	s := <-opened
	t.Cleanup(s.Close)
	cmd := start(t, s, "echo late")
	cmd.Wait()
	if got := all(t, stdout); got != "late\n" {
		t.Errorf("got %q", got)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := stdio.Open(ctx, &api.Stdio{Stdout: fifo(t, "never")}, stdio.Options{}); err == nil {
		t.Error("no error without a reader")
	}
}

// TestFile appends both streams to a file that the process cannot reach.
func TestFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a", "b", "log")
	s := open(t, api.Stdio{Stdout: "file://" + path})
	cmd := start(t, s, "readlink /proc/self/fd/1 >&2; seq 50000")
	cmd.Wait()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	s.Drain(ctx)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.HasPrefix(data, []byte("pipe:")) || bytes.Count(data, []byte("\n")) != 50001 {
		t.Errorf("got %d lines: %.60q", bytes.Count(data, []byte("\n")), data)
	}
}

// TestDrainIsBounded has somebody stay behind with the stream open, silent.
func TestDrainIsBounded(t *testing.T) {
	s := open(t, api.Stdio{Stdout: "file://" + filepath.Join(t.TempDir(), "log")})
	cmd := start(t, s, "sleep 20 &")
	cmd.Wait()
	begin := time.Now()
	s.Drain(t.Context())
	if d := time.Since(begin); d > 10*time.Second {
		t.Errorf("took %v", d)
	}
}

func TestRefused(t *testing.T) {
	dir := t.TempDir()
	for _, r := range []api.Stdio{
		{Stdout: "gopher://x"}, {Stdout: dir + "/missing"}, {Stdin: dir + "/missing"}, {Stderr: dir + "/missing"},
		{Stdout: "file:///proc/no/such"},
	} {
		if s, err := stdio.Open(t.Context(), &r, stdio.Options{}); err == nil {
			s.Close()
			t.Errorf("no error for %+v", r)
		}
	}
}

func TestNoDescriptorsLeft(t *testing.T) {
	count := func() int { e, _ := os.ReadDir("/proc/self/fd"); return len(e) }
	in, out := fifo(t, "in"), fifo(t, "out")
	reader(t, out)
	before := count()
	for range 10 {
		for _, r := range []api.Stdio{{Stdin: in, Stdout: out, Stderr: out}, {Stdout: "file://" + filepath.Join(t.TempDir(), "log")}, {}} {
			s, err := stdio.Open(t.Context(), &r, stdio.Options{})
			if err != nil {
				t.Fatal(err)
			}
			s.Started(nil)
			s.Drain(t.Context())
			s.Close()
		}
	}
	if after := count(); after > before {
		t.Errorf("%d descriptors, %d before", after, before)
	}
}

// TestTerminal joins a terminal to fifos, with a size.
func TestTerminal(t *testing.T) {
	in, out := fifo(t, "in"), fifo(t, "out")
	stdout := reader(t, out)
	s := open(t, api.Stdio{Terminal: true, Stdin: in, Stdout: out})
	if s.Child() != nil {
		t.Error("descriptors beside the terminal")
	}
	master, slave, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("sh", "-c", "stty -echo; echo ready; read x; stty size; seq 20000; echo $x")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = slave, slave, slave
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	slave.Close()
	if err := s.Started(master); err != nil {
		t.Fatal(err)
	}
	if err := s.Begin(); err != nil {
		t.Fatal(err)
	}
	if err := s.Resize(77, 22); err != nil {
		t.Error(err)
	}
	buf := make([]byte, len("ready\r\n")) // of which the terminal may give a part at first
	if _, err := io.ReadFull(stdout, buf); err != nil || string(buf) != "ready\r\n" {
		t.Fatalf("%q %v", buf, err)
	}
	w, err := os.OpenFile(in, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	w.WriteString("word\n")
	w.Close()
	got := all(t, stdout)
	if !strings.HasPrefix(got, "22 77\r\n1\r\n") || !strings.HasSuffix(got, "20000\r\nword\r\n") || strings.Count(got, "\n") != 20002 {
		t.Errorf("got %d bytes: %.40q", len(got), got)
	}
	cmd.Wait()
}

func deadline(t *testing.T) (context.Context, context.CancelFunc) {
	t.Helper()
	return context.WithTimeout(t.Context(), 100*time.Millisecond)
}
