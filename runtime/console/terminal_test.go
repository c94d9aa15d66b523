package console_test

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/runtime/console"
)

// runHelper is the program that a user runs on a terminal: a session with a shell on a second terminal.
func runHelper(mode string) int {
	master, slave, err := pty.Open()
	if err != nil {
		fmt.Println("helper:", err)
		return 1
	}
	s, err := console.Foreground(master)
	if err != nil {
		fmt.Println("helper:", err)
		return 1
	}
	defer func() { _ = s.Close() }()
	if mode == "forward" {
		s.Forward(func(sig os.Signal) { fmt.Printf("forwarded %v\r\n", sig) })
	}
	if mode == "panic" {
		panic("helper panics")
	}
	cmd := exec.Command("sh", "-c", `stty size; echo ready; while read a; do stty size; echo "got $a"; done`)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = slave, slave, slave
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		fmt.Println("helper:", err)
		return 1
	}
	_ = slave.Close()
	_ = cmd.Wait()
	return 0
}

// user is the other side of the helper's terminal.
type user struct {
	t      *testing.T
	cmd    *exec.Cmd
	screen *os.File // master end
	tty    *os.File // slave end, to look at its settings
	cooked unix.Termios
	seen   string
}

func startHelper(t *testing.T, mode string) *user {
	t.Helper()
	master, slave := openPty(t)
	if err := pty.Setsize(master, &pty.Winsize{Rows: 33, Cols: 77}); err != nil {
		t.Fatal(err)
	}
	u := &user{t: t, screen: master, tty: slave, cooked: settings(t, slave)}
	u.cmd = exec.Command(os.Args[0])
	u.cmd.Env = append(os.Environ(), helper+"="+mode)
	u.cmd.Stdin, u.cmd.Stdout, u.cmd.Stderr = slave, slave, slave
	u.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := u.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = u.cmd.Process.Kill(); _ = u.cmd.Wait() })
	return u
}

func settings(t *testing.T, tty *os.File) unix.Termios {
	t.Helper()
	s, err := unix.IoctlGetTermios(int(tty.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	return *s
}

// patience bounds every wait.
const patience = 20 * time.Second

// expect reads the screen until it shows text, and returns what was before it.
func (u *user) expect(text string) (before string) {
	u.t.Helper()
	deadline := time.Now().Add(patience)
	buf := make([]byte, 4096)
	for !strings.Contains(u.seen, text) {
		if time.Now().After(deadline) {
			u.t.Fatalf("no %q on the screen: %q", text, u.seen)
		}
		fds := []unix.PollFd{{Fd: int32(u.screen.Fd()), Events: unix.POLLIN}}
		if n, _ := unix.Poll(fds, 100); n > 0 {
			n, err := u.screen.Read(buf)
			if err != nil {
				u.t.Fatalf("no %q on the screen: %q, %v", text, u.seen, err)
			}
			u.seen += string(buf[:n])
		}
	}
	before, u.seen, _ = strings.Cut(u.seen, text)
	return before
}

func (u *user) checkRestored() {
	u.t.Helper()
	_ = u.cmd.Wait()
	if settings(u.t, u.tty) != u.cooked {
		u.t.Error("the terminal's settings are not what they were")
	}
}

func TestTerminal(t *testing.T) {
	u := startHelper(t, "run")
	u.expect("33 77\r\n")
	u.expect("ready\r\n")
	if settings(t, u.tty).Lflag&unix.ICANON != 0 {
		t.Error("the terminal is not raw")
	}
	if err := pty.Setsize(u.screen, &pty.Winsize{Rows: 44, Cols: 99}); err != nil {
		t.Fatal(err)
	}
	for end, said := time.Now().Add(patience), ""; !strings.Contains(said, "44 99\r\n"); { // SIGWINCH takes a moment
		if time.Now().After(end) {
			t.Fatalf("the size is %q", said)
		}
		_, _ = u.screen.WriteString("one\r")
		said = u.expect("got one\r\n")
	}
	_, _ = u.screen.WriteString("\x04") // end of file for the container's terminal, not for the user's
	u.checkRestored()
}

func TestTerminalRestoredBySignal(t *testing.T) {
	for _, sig := range []unix.Signal{unix.SIGTERM, unix.SIGHUP, unix.SIGINT, unix.SIGQUIT} {
		u := startHelper(t, "run")
		u.expect("ready\r\n")
		_ = u.cmd.Process.Signal(sig)
		u.checkRestored()
		if got := u.cmd.ProcessState.Sys().(syscall.WaitStatus); !got.Signaled() && got.ExitStatus() != 2 || got.Signaled() && got.Signal() != sig {
			t.Errorf("%v: ended by %v", sig, u.cmd.ProcessState)
		}
	}
}

func TestTerminalRestoredByPanic(t *testing.T) {
	u := startHelper(t, "panic")
	u.expect("helper panics")
	u.checkRestored()
}

func TestForwardSignals(t *testing.T) {
	u := startHelper(t, "forward")
	u.expect("ready\r\n")
	_ = u.cmd.Process.Signal(unix.SIGTERM)
	u.expect("forwarded terminated\r\n")
	_, _ = u.screen.WriteString("\x04")
	u.checkRestored()
}

func TestContinuedIsRawAgain(t *testing.T) {
	u := startHelper(t, "run")
	u.expect("ready\r\n")
	_ = u.cmd.Process.Signal(unix.SIGSTOP)
	if err := unix.IoctlSetTermios(int(u.tty.Fd()), unix.TCSETS, &u.cooked); err != nil {
		t.Fatal(err)
	}
	_ = u.cmd.Process.Signal(unix.SIGCONT)
	for end := time.Now().Add(patience); settings(t, u.tty).Lflag&unix.ICANON != 0; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the terminal is not raw again")
		}
	}
	_, _ = u.screen.WriteString("two\r")
	u.expect("got two\r\n")
	_, _ = u.screen.WriteString("\x04")
	u.checkRestored()
}
