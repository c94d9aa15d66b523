package task_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/containerd/errdefs"
	specs "github.com/opencontainers/runtime-spec/specs-go"

	"github.com/dhow-containers/dhow/higher/task"
)

var everything = task.AttachOptions{Stdin: true, Stdout: true, Stderr: true, CloseStdin: true}

// attach connects a client.
func (c *container) attach(o task.AttachOptions) (*net.UnixConn, *task.Attachment) {
	c.w.Helper()
	client, server := c.w.client()
	a, err := c.Attach(c.w.Context(), o, server)
	c.w.must(err)
	server.Close()
	return client, a
}

func withInput(o *task.CreateOptions) { o.Stdin = true }

func onTerminal(o *task.CreateOptions) { o.Stdin, o.Terminal = true, true }

// streams takes the frames of a client apart.
func streams(t testing.TB, r io.Reader) (text [3]string) {
	t.Helper()
	var header [8]byte
	var parts [3]bytes.Buffer
	for {
		_, err := io.ReadFull(r, header[:])
		if err == io.EOF {
			for i := range parts {
				text[i] = parts[i].String()
			}
			return text
		}
		if err != nil || header[0] > 2 {
			t.Fatalf("header %v: %v", header, err)
		}
		if _, err := io.CopyN(&parts[header[0]], r, int64(binary.BigEndian.Uint32(header[4:]))); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAttach(t *testing.T) {
	w := newWorld(t)
	c := w.create("cat; echo end >&2", withInput, nil)
	client, a := c.attach(everything)
	c.start()
	fmt.Fprintln(client, "hello")
	w.must(client.CloseWrite())
	if got := streams(t, client); got[1] != "hello\n" || got[2] != "end\n" {
		t.Errorf("got %q", got)
	}
	if detached, err := a.Wait(t.Context()); detached || err != nil {
		t.Errorf("got %v, %v", detached, err)
	}
	c.ends()
	if got := c.logged(); got != "hello\nend\n" && got != "end\nhello\n" { // of two pipes either may be read first
		t.Errorf("logged %q", got)
	}
	client, server := w.client()
	defer client.Close()
	if _, err := c.Attach(t.Context(), everything, server); !errdefs.IsFailedPrecondition(err) {
		t.Errorf("after the end: got %v", err)
	}
}

// TestManyClients has clients that want different things, two of which write.
func TestManyClients(t *testing.T) {
	w := newWorld(t)
	c := w.create("for i in 1 2; do read x; echo got $x; done; echo problem >&2", withInput, nil)
	one, _ := c.attach(task.AttachOptions{Stdin: true, Stdout: true})
	two, _ := c.attach(task.AttachOptions{Stdin: true, Stderr: true})
	three, _ := c.attach(task.AttachOptions{Stdout: true, Stderr: true, Raw: true})
	c.start()
	fmt.Fprintln(one, "a")
	buf := make([]byte, 100)
	if n, err := three.Read(buf); string(buf[:n]) != "got a\n" {
		t.Errorf("got %q, %v", buf[:n], err)
	}
	fmt.Fprintln(two, "b")
	if got := streams(t, one); got != [3]string{1: "got a\ngot b\n"} {
		t.Errorf("one got %q", got)
	}
	if got := streams(t, two); got != [3]string{2: "problem\n"} {
		t.Errorf("two got %q", got)
	}
	if got, err := io.ReadAll(three); err != nil || len(got) != len("got b\nproblem\n") { // in any order
		t.Errorf("three got %q, %v", got, err)
	}
}

// TestInput sends 100 MB through a container.
func TestInput(t *testing.T) {
	w := newWorld(t)
	c := w.create("wc -c", withInput, nil)
	client, _ := c.attach(everything)
	c.start()
	const size = 100 << 20
	go func() {
		chunk := make([]byte, 1<<20)
		for range size / len(chunk) {
			if _, err := client.Write(chunk); err != nil {
				t.Error(err)
				break
			}
		}
		client.CloseWrite()
	}()
	if got := streams(t, client); got[1] != fmt.Sprintln(size) {
		t.Errorf("got %q", got)
	}
}

// TestTerminal has a terminal resized, detached from by keys, and attached to again.
func TestTerminal(t *testing.T) {
	w := newWorld(t)
	c := w.create("stty -echo; echo ready; read x; stty size; read x; echo $x", onTerminal, func(s *specs.Spec) { s.Process.Terminal = true })
	client, a := c.attach(everything)
	c.start()
	expect(t, client, "ready\r\n")
	w.must(c.Resize(t.Context(), 77, 22))
	fmt.Fprint(client, "x\n")
	expect(t, client, "22 77\r\n")
	client.Write([]byte{16})
	client.Write([]byte{17})
	if got, err := io.ReadAll(client); err != nil || len(got) > 0 {
		t.Errorf("got %q, %v", got, err)
	}
	if detached, err := a.Wait(t.Context()); !detached || err != nil {
		t.Errorf("got %v, %v", detached, err)
	}
	o := everything
	o.DetachKeys = "a,ctrl-x"
	again, a := c.attach(o)
	fmt.Fprint(again, "ab\n") // held back, and then given
	if got, err := io.ReadAll(again); err != nil || string(got) != "ab\r\n" {
		t.Errorf("got %q, %v", got, err)
	}
	if detached, err := a.Wait(t.Context()); detached || err != nil {
		t.Errorf("got %v, %v", detached, err)
	}
	if got := c.logged(); got != "ready\r\n22 77\r\nab\r\n" {
		t.Errorf("logged %q", got)
	}
}

func expect(t testing.TB, r io.Reader, want string) {
	t.Helper()
	buf := make([]byte, len(want))
	if _, err := io.ReadFull(r, buf); err != nil || string(buf) != want {
		t.Fatalf("got %q, %v; want %q", buf, err, want)
	}
}

// TestEndOfInput has a client's end be that of its attachment, where it is not that of the process's input.
func TestEndOfInput(t *testing.T) {
	w := newWorld(t)
	c := w.create("read x; read y; echo $x $y", withInput, nil)
	c.start()
	for _, word := range []string{"one", "two"} {
		client, a := c.attach(task.AttachOptions{Stdin: true})
		fmt.Fprintln(client, word)
		w.must(client.CloseWrite())
		if detached, err := a.Wait(t.Context()); detached || err != nil {
			t.Errorf("got %v, %v", detached, err)
		}
	}
	c.ends()
	if got := c.logged(); got != "one two\n" {
		t.Errorf("logged %q", got)
	}
}

// TestNotASocket attaches a client whose bytes have to pass through this process, some of which were read ahead.
func TestNotASocket(t *testing.T) {
	w := newWorld(t)
	c := w.create("cat", withInput, nil)
	client, server := net.Pipe()
	a, err := c.Attach(t.Context(), everything, &ahead{Conn: server, text: []byte("read ")})
	w.must(err)
	c.start()
	go func() { fmt.Fprintln(client, "ahead"); client.(io.Closer).Close() }()
	if _, err := a.Wait(t.Context()); err != nil {
		t.Error(err)
	}
	c.ends()
	if got := c.logged(); got != "read ahead\n" {
		t.Errorf("logged %q", got)
	}
}

// ahead is a connection of which something was read.
type ahead struct {
	net.Conn
	text []byte
}

func (a *ahead) Socket() (net.Conn, []byte) { return a.Conn, a.text }

func TestReadAhead(t *testing.T) {
	w := newWorld(t)
	c := w.create("cat", withInput, nil)
	client, server := w.client()
	_, err := c.Attach(t.Context(), everything, &ahead{Conn: server, text: []byte("read ")})
	w.must(err)
	server.Close()
	c.start()
	fmt.Fprintln(client, "ahead")
	w.must(client.CloseWrite())
	if got := streams(t, client); got[1] != "read ahead\n" {
		t.Errorf("got %q", got)
	}
}

// TestSlowClient holds the container up once there is much that it has not taken, and loses nothing.
func TestSlowClient(t *testing.T) {
	w := newWorld(t)
	c := w.create("seq 1000000", func(o *task.CreateOptions) { o.Log.Options = map[string]string{"max-size": "-1"} }, nil) // 6.9 MB
	client, _ := c.attach(task.AttachOptions{Stdout: true})
	c.start()
	for size := int64(0); size < 1<<20; { // it is under way
		if info, err := os.Stat(c.log); err == nil {
			size = info.Size()
		}
	}
	before, err := os.Stat(c.log)
	w.must(err)
	time.Sleep(300 * time.Millisecond) // no event tells of what does not happen
	after, err := os.Stat(c.log)
	w.must(err)
	if after.Size() > before.Size()+40<<20 {
		t.Errorf("it goes on: %d, %d bytes", before.Size(), after.Size())
	}
	if got := streams(t, client); strings.Count(got[1], "\n") != 1_000_000 || !strings.HasSuffix(got[1], "\n1000000\n") {
		t.Errorf("got %d bytes", len(got[1]))
	}
	c.ends()
	if got := c.logged(); strings.Count(got, "\n") != 1_000_000 {
		t.Errorf("logged %d bytes", len(got))
	}
}

// TestClientsComeAndGo attaches and hangs up in all ways while a container writes: it does not stop, and the log is whole.
func TestClientsComeAndGo(t *testing.T) {
	w := newWorld(t)
	c := w.create("seq 200000; read x; echo end", withInput, nil)
	c.start()
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for range 25 {
				client, server := w.client()
				_, err := c.Attach(t.Context(), task.AttachOptions{Stdin: i%2 == 0, Stdout: true}, server)
				server.Close()
				if err != nil {
					t.Error(err)
				}
				if i%3 == 0 {
					client.SetReadDeadline(time.Now().Add(time.Millisecond)) // all may be written by now
					client.Read(make([]byte, 1000))
				}
				client.Close()
			}
		})
	}
	wg.Wait()
	last, _ := c.attach(task.AttachOptions{Stdin: true, Stdout: true})
	fmt.Fprintln(last, "go")
	io.Copy(io.Discard, last)
	c.ends()
	if got := c.logged(); strings.Count(got, "\n") != 200_001 || !strings.HasSuffix(got, "\n200000\nend\n") {
		t.Errorf("logged %d bytes", len(got))
	}
}

// TestUnread has a container end while a client still sends: the client gets all output and then an end, no error.
func TestUnread(t *testing.T) {
	w := newWorld(t)
	c := w.create("echo over", withInput, nil)
	client, _ := c.attach(everything)
	go func() {
		for _, err := client.Write(make([]byte, 4096)); err == nil; _, err = client.Write(make([]byte, 4096)) {
		}
	}()
	c.start()
	c.ends()
	if _, err := c.Delete(t.Context()); err != nil {
		t.Error(err)
	}
	if got := streams(t, client); got[1] != "over\n" {
		t.Errorf("got %q", got)
	}
}

// TestAlone has a container write much while nobody is attached.
func TestAlone(t *testing.T) {
	w := newWorld(t)
	const line = "0123456789012345678901234567890123456789012345678901234567890123456789012345678\n"
	c := w.create("yes "+line[:len(line)-1]+" | head -n 1000000", func(o *task.CreateOptions) {
		o.Log.Options = map[string]string{"max-size": "10m", "max-file": "2"}
	}, nil)
	begin := time.Now()
	c.start()
	c.ends()
	t.Logf("80 MB in %v", time.Since(begin))
	if got := c.logged(); got == "" || strings.TrimSuffix(got, line) == got {
		t.Errorf("logged %d bytes", len(got))
	}
}

// TestDrivers has a container without a log, and one that does not wait for it.
func TestDrivers(t *testing.T) {
	w := newWorld(t)
	c := w.create("echo x", func(o *task.CreateOptions) { o.Log.Driver = "none" }, nil)
	client, _ := c.attach(task.AttachOptions{Stdout: true})
	c.start()
	if got := streams(t, client); got[1] != "x\n" {
		t.Errorf("got %q", got)
	}
	if _, err := os.Stat(c.log); err == nil {
		t.Error("there is a log")
	}
	c = w.create("seq 1000", func(o *task.CreateOptions) {
		o.Log.Options = map[string]string{"mode": "non-blocking", "max-buffer-size": "2m"}
		o.Log.Attrs = map[string]string{"tag": "a\"b"}
	}, nil)
	c.start()
	c.ends()
	if got := c.logged(); strings.Count(got, "\n") != 1000 {
		t.Errorf("logged %d bytes", len(got))
	}
	if data, _ := os.ReadFile(c.log); !strings.Contains(string(data), `"attrs":{"tag":"a\"b"}`) {
		t.Error("no attributes")
	}
}
