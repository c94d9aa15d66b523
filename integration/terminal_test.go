package integration

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"
	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

func terminal(b *Bundle) { b.Spec.Process.Terminal = true }

// onPty runs a command under a terminal of the given size; what it prints goes to the watcher.
func onPty(t *testing.T, r *cli, out *watcher, size pty.Winsize, args ...string) (master *os.File, wait func() int) {
	t.Helper()
	cmd := r.Command(args...)
	master, err := pty.StartWithSize(cmd, &size)
	must(t, err)
	t.Cleanup(func() { _ = master.Close() })
	copied := make(chan struct{})
	go func() {
		defer close(copied)
		out.drain(master)
	}()
	return master, func() int {
		timer := time.AfterFunc(patience, func() { _ = cmd.Process.Kill() })
		defer timer.Stop()
		_ = cmd.Wait() // the exit code says it
		<-copied
		return exitCode(cmd.ProcessState)
	}
}

func TestForegroundTerminal(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	b := newBundle(t, Shell("tty; stty size; [ -t 0 ] && [ -t 1 ] && [ -t 2 ] && echo all; exit 5"), terminal)
	out := newWatcher("")
	_, wait := onPty(t, r, out, pty.Winsize{Rows: 33, Cols: 101}, "run", "--bundle", b.Dir, r.ID())
	code := wait()
	if got := strings.Fields(out.String()); code != 5 || strings.Join(got, " ") != "/dev/pts/0 33 101 all" {
		t.Errorf("exit %d, printed %q", code, out.String())
	}
}

func TestTerminalFollowsResize(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	b := newBundle(t, Shell("trap 'stty size; exit 0' WINCH; echo ready; while :; do sleep 0.05; done"), terminal)
	out := newWatcher("ready")
	master, wait := onPty(t, r, out, pty.Winsize{Rows: 20, Cols: 70}, "run", "--bundle", b.Dir, r.ID())
	out.await(t)
	must(t, pty.Setsize(master, &pty.Winsize{Rows: 44, Cols: 111}))
	if code := wait(); code != 0 || !strings.Contains(out.String(), "44 111") {
		t.Errorf("exit %d, printed %q", code, out.String())
	}
}

func TestTerminalInputAndInterrupt(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	b := newBundle(t, Shell("trap 'echo interrupted; exit 9' INT; read line; echo got $line; while :; do sleep 0.05; done"), terminal)
	out := newWatcher("got hello")
	master, wait := onPty(t, r, out, pty.Winsize{Rows: 20, Cols: 70}, "run", "--bundle", b.Dir, r.ID())
	_, err := master.WriteString("hello\n")
	must(t, err)
	out.await(t)
	_, err = master.WriteString("\x03") // ^C becomes SIGINT inside: the outer terminal is raw
	must(t, err)
	if code := wait(); code != 9 || !strings.Contains(out.String(), "interrupted") {
		t.Errorf("exit %d, printed %q", code, out.String())
	}
}

func TestJobControl(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	b := newBundle(t, Shell("set -m; sleep 1000 & kill -STOP %1; jobs; kill %1; echo done"), terminal)
	out := newWatcher("")
	_, wait := onPty(t, r, out, pty.Winsize{Rows: 20, Cols: 70}, "run", "--bundle", b.Dir, r.ID())
	if code := wait(); code != 0 || strings.Contains(out.String(), "can't access tty") || !strings.Contains(out.String(), "done") {
		t.Errorf("exit %d, printed %q", code, out.String())
	}
}

// The outer terminal gets back the modes it had.
func TestTerminalModesAreRestored(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	b := newBundle(t, terminal)
	master, tty, err := pty.Open()
	must(t, err)
	defer master.Close()
	defer tty.Close()
	before, err := unix.IoctlGetTermios(int(tty.Fd()), unix.TCGETS)
	must(t, err)
	cmd := r.Command("run", "--bundle", b.Dir, r.ID())
	cmd.Stdin, cmd.Stdout, cmd.Stderr = tty, tty, tty
	r.DoCommand(cmd).Exited(0)
	after, err := unix.IoctlGetTermios(int(tty.Fd()), unix.TCGETS)
	must(t, err)
	if *before != *after {
		t.Errorf("modes before %+v, after %+v", before, after)
	}
}

func TestTerminalWithoutATerminal(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	b := newBundle(t, terminal)
	r.Detached("create", "--bundle", b.Dir, r.ID()).Failed("console").Exited(1) // nowhere to send it
	b = newBundle(t)
	r.Detached("create", "--console-socket", "/no/such/socket", "--bundle", b.Dir, r.ID()).Failed("console").Exited(1)
}

// consoleSocket listens where a detached container sends its terminal, and hands the master end on.
func consoleSocket(t *testing.T) (path string, receive func() *os.File) {
	t.Helper()
	dir, err := os.MkdirTemp("", "dhow-sock-") // t.TempDir may be too long for a socket address
	must(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	path = filepath.Join(dir, "console")
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	must(t, err)
	t.Cleanup(func() { _ = l.Close() })
	must(t, l.SetDeadline(time.Now().Add(patience)))
	return path, func() *os.File {
		conn, err := l.AcceptUnix()
		must(t, err)
		defer conn.Close()
		return receiveFile(t, conn)
	}
}

func receiveFile(t *testing.T, conn *net.UnixConn) *os.File {
	t.Helper()
	data, oob := make([]byte, 4096), make([]byte, unix.CmsgSpace(4))
	_, n, _, _, err := conn.ReadMsgUnix(data, oob)
	must(t, err)
	messages, err := unix.ParseSocketControlMessage(oob[:n])
	must(t, err)
	if len(messages) != 1 {
		t.Fatalf("%d control messages on the console socket", len(messages))
	}
	fds, err := unix.ParseUnixRights(&messages[0])
	must(t, err)
	f := os.NewFile(uintptr(fds[0]), "master")
	t.Cleanup(func() { _ = f.Close() })
	return f
}

func TestDetachedTerminal(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	b := newBundle(t, Shell("tty; stty size; read x; echo got $x"), terminal, Process(func(p *specs.Process) {
		p.ConsoleSize = &specs.Box{Height: 17, Width: 77}
	}))
	path, receive := consoleSocket(t)
	id := r.ID()
	r.Detached("run", "--detach", "--console-socket", path, "--bundle", b.Dir, id).Exited(0)
	master := receive()
	out := newWatcher("got word")
	go out.drain(master)
	_, err := master.WriteString("word\n")
	must(t, err)
	out.await(t)
	if !strings.Contains(out.String(), "/dev/pts/0") || !strings.Contains(out.String(), "17 77") {
		t.Errorf("the terminal printed %q", out.String())
	}
}

// /dev/console is the container's own terminal.
func TestDevConsole(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	b := newBundle(t, Shell("echo through > /dev/console; stat -c %F /dev/console"), terminal)
	out := newWatcher("")
	_, wait := onPty(t, r, out, pty.Winsize{Rows: 20, Cols: 70}, "run", "--bundle", b.Dir, r.ID())
	if code := wait(); code != 0 || !strings.Contains(out.String(), "through") || !strings.Contains(out.String(), "character special") {
		t.Errorf("exit %d, printed %q", code, out.String())
	}
}

// The container's user owns its terminal, else a program that reopens it fails.
func TestTerminalOfAUser(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	b := newBundle(t, Shell("echo mine > $(tty)"), terminal, User(1000, 1000))
	out := newWatcher("")
	_, wait := onPty(t, r, out, pty.Winsize{Rows: 20, Cols: 70}, "run", "--bundle", b.Dir, r.ID())
	if code := wait(); code != 0 || !strings.Contains(out.String(), "mine") {
		t.Errorf("exit %d, printed %q", code, out.String())
	}
}
