package integration

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// A connection inside of the container goes on.
func TestCheckpointTCP(t *testing.T) {
	onlyDhow(t, "leaves the loopback device of what it restores down")
	t.Parallel()
	s := newSaved(t, []string{"talk"})
	s.Do("checkpoint", "--image-path", s.images, s.id).Failed("tcp-established").Exited(1)
	s.awaitNumbers(3)
	s.checkpoint("--tcp-established").Exited(0)
	s.restore("--tcp-established").Exited(0)
	s.goesOn()
}

// So does one with a server outside, in a network namespace that outlives the container. The server sees
// one connection.
func TestCheckpointTCPWithTheOutside(t *testing.T) {
	t.Parallel()
	needRoot(t)
	path, address, accepted := echoServer(t)
	s := newSaved(t, []string{"talk", address}, Namespace(specs.NetworkNamespace, path))
	s.checkpoint("--tcp-established").Exited(0)
	s.restore("--tcp-established").Exited(0)
	s.goesOn()
	if n := accepted(); n != 1 {
		t.Errorf("the server has accepted %d connections", n)
	}
}

// echoServer answers in a network namespace of its own, which has a path.
func echoServer(t *testing.T) (path, address string, accepted func() int) {
	t.Helper()
	var l net.Listener
	var ns *os.File
	inNetwork(t, func() {
		var err error
		ns, err = os.Open("/proc/thread-self/ns/net")
		must(t, err)
		var plain net.ListenConfig
		plain.SetMultipathTCP(false)
		l, err = plain.Listen(context.Background(), "tcp4", "127.0.0.1:0")
		must(t, err)
	})
	t.Cleanup(func() { l.Close(); ns.Close() })
	count := make(chan int, 1)
	count <- 0
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			count <- 1 + <-count
			go echo(conn)
		}
	}()
	return fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), ns.Fd()), l.Addr().String(), func() int {
		n := <-count
		count <- n
		return n
	}
}

func loopbackUp() error {
	sock, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM, 0)
	if err != nil {
		return err
	}
	defer unix.Close(sock)
	lo, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	lo.SetUint16(unix.IFF_UP)
	return unix.IoctlIfreq(sock, unix.SIOCSIFFLAGS, lo)
}

func echo(conn net.Conn) {
	defer conn.Close()
	in := bufio.NewReader(conn)
	for {
		line, err := in.ReadString('\n')
		if err == nil {
			_, err = conn.Write([]byte(line))
		}
		if err != nil {
			return
		}
	}
}

// A socket outside that the container sends to is connected again. criu finds it in the container's network
// namespace, so that is the host's, and by its name.
func TestCheckpointExternalUnixSocket(t *testing.T) {
	t.Parallel()
	needRoot(t)
	dir, err := os.MkdirTemp("", "dhow-sock-")
	must(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	l, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: filepath.Join(dir, "s"), Net: "unixgram"})
	must(t, err)
	t.Cleanup(func() { l.Close() })
	next := func() string {
		buf := make([]byte, 100)
		must(t, l.SetReadDeadline(time.Now().Add(patience)))
		n, err := l.Read(buf)
		must(t, err)
		return string(buf[:n])
	}
	s := newSaved(t, []string{"send", filepath.Join(dir, "s")}, Bind(dir, dir), NoNamespace(specs.NetworkNamespace))
	s.Do("checkpoint", "--image-path", s.images, s.id).Failed().Exited(1)
	s.checkpoint("--ext-unix-sk").Exited(0)
	last := s.numbers()[len(s.numbers())-1]
	for next() != last { // what was sent before
	}
	s.restore("--ext-unix-sk").Exited(0)
	next()
	for range 3 {
		next()
	}
	s.goesOn()
}

// The namespace is restored empty, and a createRuntime hook can fill it: it finds the process.
func TestCheckpointEmptyNetwork(t *testing.T) {
	t.Parallel()
	seen := filepath.Join(t.TempDir(), "hook")
	s := newSaved(t, []string{"count"}, func(b *Bundle) {
		b.Spec.Hooks = &specs.Hooks{CreateRuntime: []specs.Hook{{Path: underTest.probe, Args: []string{"probe", "hook", seen}}}}
	})
	before := len(readFile(t, seen))
	s.checkpoint("--empty-ns", "network").Exited(0)
	s.restore("--empty-ns", "network").Exited(0)
	if after := readFile(t, seen); len(after) <= before || !strings.Contains(after, s.id) {
		t.Errorf("the hook saw %q", after)
	}
	s.Do("checkpoint", "--empty-ns", "pid", s.id).Failed("pid").Exited(1)
	s.goesOn()
}

// A detached restore sends the terminal, with what was on it alive.
func TestCheckpointTerminal(t *testing.T) {
	t.Parallel()
	r := newCRIU(t)
	b, id, images := newBundle(t, probe("tty"), terminal), r.ID(), filepath.Join(t.TempDir(), "images")
	path, receive := consoleSocket(t)
	r.Detached("run", "-d", "--console-socket", path, "--bundle", b.Dir, id).Exited(0)
	master := receive()
	out := newWatcher("3")
	go out.drain(master)
	out.await(t)
	res := r.Do("checkpoint", "--image-path", images, id)
	(&saved{t: t, images: images}).explain(res, "dump.log")
	res.Exited(0)
	must(t, master.Close())
	r.Detached("restore", "-d", "--image-path", images, "--bundle", b.Dir, id).Failed("console").Exited(1)

	path, receive = consoleSocket(t)
	res = r.Detached("restore", "-d", "--console-socket", path, "--image-path", images, "--bundle", b.Dir, id)
	(&saved{t: t, images: images}).explain(res, "restore.log")
	res.Exited(0)
	master = receive()
	again := newWatcher("typed word")
	go again.drain(master)
	_, err := master.WriteString("word\n")
	must(t, err)
	again.await(t)
}

// In the foreground, the caller's terminal serves that of the container.
func TestCheckpointForegroundTerminal(t *testing.T) {
	t.Parallel()
	r := newCRIU(t)
	b, id, images := newBundle(t, probe("tty"), terminal), r.ID(), filepath.Join(t.TempDir(), "images")
	out := newWatcher("3")
	_, wait := onPty(t, r, out, pty.Winsize{Rows: 20, Cols: 70}, "run", "--bundle", b.Dir, id)
	out.await(t)
	r.Do("checkpoint", "--image-path", images, id).Exited(0)
	wait()
	again := newWatcher("typed word")
	master, wait := onPty(t, r, again, pty.Winsize{Rows: 20, Cols: 70}, "restore", "--image-path", images, "--bundle", b.Dir, id)
	_, err := master.WriteString("word\n")
	must(t, err)
	again.await(t)
	r.Must("kill", id, "KILL")
	if code := wait(); code != 137 {
		t.Errorf("exit %d", code)
	}
}
