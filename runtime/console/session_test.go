package console_test

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/runtime/console"
)

// helper is set in the process that a test starts to be the user of a session.
const helper = "CONSOLE_TEST_HELPER"

func TestMain(m *testing.M) {
	if mode := os.Getenv(helper); mode != "" {
		os.Exit(runHelper(mode))
	}
	os.Exit(m.Run())
}

// session runs a shell script on a terminal, as a container would, joined to stdin; it returns a session
// and what its output becomes once closed.
func session(t *testing.T, script string, stdin *os.File) (*console.Session, *exec.Cmd, func() string) {
	t.Helper()
	master, slave := openPty(t)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("sh", "-c", script)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = slave, slave, slave
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_ = slave.Close()
	s, err := console.ForegroundOn(master, stdin, w)
	if err != nil {
		t.Fatal(err)
	}
	var all []byte
	var reader sync.WaitGroup
	reader.Go(func() { all, _ = io.ReadAll(r) })
	return s, cmd, func() string {
		_ = w.Close()
		reader.Wait()
		return string(all)
	}
}

func TestNoOutputLost(t *testing.T) {
	for _, how := range []string{"wait", "close"} {
		s, cmd, output := session(t, "stty -opost; seq 1 200000", devNull(t))
		if how == "wait" {
			s.Wait()
		}
		_ = cmd.Wait()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		var want strings.Builder
		for i := range 200000 {
			fmt.Fprintln(&want, i+1)
		}
		if got := output(); got != want.String() {
			t.Errorf("%s: got %d bytes, want %d", how, len(got), want.Len())
		}
	}
}

func TestInputFromPipe(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	read := filepath.Join(t.TempDir(), "read")
	s, cmd, output := session(t, "stty -echo; echo ready; read a; echo got $a; touch "+read+"; read -r b || echo end", r)
	if _, err := w.WriteString("hello\n"); err != nil {
		t.Fatal(err)
	}
	_ = w.Close() // the terminal stays open: the second read goes on
	for end := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		if _, err := os.Stat(read); err == nil || time.Now().After(end) {
			break
		}
	}
	time.Sleep(100 * time.Millisecond) // in which the input must not come to its end
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	_ = s.Close()
	if got := output(); !strings.Contains(got, "got hello\r\n") || strings.Contains(got, "end") {
		t.Errorf("got %q", got)
	}
}

// TestCloseIsBounded has a process stay behind with the terminal open, silent or never silent.
func TestCloseIsBounded(t *testing.T) {
	for _, rest := range []string{"sleep 60", "yes"} {
		s, cmd, output := session(t, "trap '' HUP; echo main; setsid "+rest+" & echo $!", devNull(t))
		_ = cmd.Wait()
		_ = s.Close() // for yes, this returns at all
		got := output()
		if !strings.HasPrefix(got, "main\r\n") {
			t.Errorf("%s: got %.100q", rest, got)
		}
		killAll(t, got)
	}
}

// killAll ends the process that stayed behind, whose id is the second line of output.
func killAll(t *testing.T, output string) {
	t.Helper()
	var pid int
	for _, line := range strings.Split(output, "\r\n") {
		if _, err := fmt.Sscanf(line, "%d", &pid); err == nil && pid > 1 {
			if err := unix.Kill(pid, unix.SIGKILL); err != nil {
				t.Errorf("Close has waited for process %d: %v", pid, err)
			}
			return
		}
	}
	t.Errorf("no process id in %.100q", output)
}

// TestCloseWithFullInput has a container that does not read what it is sent.
func TestCloseWithFullInput(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	go func() { _, _ = w.Write(bytes.Repeat([]byte("x"), 1<<20)) }()
	s, cmd, output := session(t, "stty raw -echo; sleep 0.3", r)
	_ = cmd.Wait()
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	_ = r.Close()
	output()
}

func TestCloseTwice(t *testing.T) {
	s, cmd, _ := session(t, "true", devNull(t))
	_ = cmd.Wait()
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

func TestNoDescriptorLeft(t *testing.T) {
	stdin := devNull(t)
	before := countFDs(t)
	for range 5 {
		master, slave, err := pty.Open()
		if err != nil {
			t.Skip(err)
		}
		s, err := console.ForegroundOn(master, stdin, stdin)
		if err != nil {
			t.Fatal(err)
		}
		_ = slave.Close()
		_ = s.Close()
		_ = master.Close()
	}
	if after := countFDs(t); after > before {
		t.Errorf("%d descriptors, then %d", before, after)
	}
}

func devNull(t *testing.T) *os.File {
	t.Helper()
	f, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}
