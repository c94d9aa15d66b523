package integration

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// inNetwork calls f in a network namespace of its own that has a loopback device: programs that f starts are in it.
func inNetwork(t *testing.T, f func()) {
	t.Helper()
	var err error
	onThread(func() {
		if err = unix.Unshare(unix.CLONE_NEWNET); err == nil {
			err = loopbackUp()
		}
		if err == nil {
			f()
		}
	})
	must(t, err)
	if t.Failed() {
		t.FailNow()
	}
}

// onThread calls f on a thread of its own that ends with it.
func onThread(f func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread()
		f()
	}()
	<-done
}

// criuServer starts a server of criu's and returns when it listens. wait gives its end.
func criuServer(t *testing.T, args ...string) (wait func() error) {
	t.Helper()
	dir, err := criuOnce()
	must(t, err)
	ready, theirs, err := os.Pipe()
	must(t, err)
	defer ready.Close()
	cmd := exec.Command(filepath.Join(dir, "criu"), append(args, "--status-fd", "3", "-v4")...)
	cmd.ExtraFiles = []*os.File{theirs}
	must(t, cmd.Start())
	must(t, theirs.Close())
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	must(t, awaitByte(ready))
	return func() error {
		select {
		case err := <-ended:
			return err
		case <-time.After(patience):
			return os.ErrDeadlineExceeded
		}
	}
}

// awaitByte waits for the zero byte that says that pages are served.
func awaitByte(ready *os.File) error {
	buf := make([]byte, 2)
	err := ready.SetReadDeadline(time.Now().Add(patience))
	if err != nil {
		return err
	}
	if n, err := ready.Read(buf); n != 1 || buf[0] != 0 {
		return fmt.Errorf("read %d bytes, %v: %w", n, buf, err)
	}
	return nil
}

// The memory goes to a page server.
func TestCheckpointPageServer(t *testing.T) {
	t.Parallel()
	s := newSaved(t, []string{"count"})
	must(t, os.Mkdir(s.images, 0o700))
	inNetwork(t, func() {
		res := s.Do("checkpoint", "--image-path", s.images, "--page-server", "127.0.0.1:7799", s.id).Failed().Exited(1)
		if underTest.kind == Dhow {
			res.Failed("cannot connect to the page server 127.0.0.1:7799")
		}
		s.awaitNumbers(3)
		served := t.TempDir()
		wait := criuServer(t, "page-server", "--images-dir", served, "--address", "127.0.0.1", "--port", "7799", "-o", "server.log")
		s.checkpoint("--page-server", "127.0.0.1:7799").Exited(0)
		if err := wait(); err != nil {
			t.Errorf("the page server: %v", err)
		}
		if own, err := filepath.Glob(filepath.Join(s.images, "pages-*.img")); err != nil || own != nil {
			t.Errorf("pages outside of the server: %v, %v", own, err)
		}
		pages, err := filepath.Glob(filepath.Join(served, "page*.img"))
		must(t, err)
		for _, file := range pages {
			must(t, CopyFile(filepath.Join(s.images, filepath.Base(file)), file))
		}
	})
	s.restore().Exited(0)
	s.goesOn()
}

// Memory is restored when it is used, by a server that reads the image files.
func TestRestoreLazyPages(t *testing.T) {
	t.Parallel()
	s := newSaved(t, []string{"count"})
	s.checkpoint().Exited(0)
	work := t.TempDir()
	res := s.restore("--lazy-pages", "--work-path", work).Failed().Exited(1) // nobody serves
	skipWithoutUserfaultfd(t, res.Stderr)
	s.gone()
	wait := criuServer(t, "lazy-pages", "--images-dir", s.images, "--work-dir", work, "-o", "server.log")
	s.restore("--lazy-pages", "--work-path", work).Exited(0)
	s.awaitNumbers(3)
	if err := wait(); err != nil {
		t.Errorf("the server of pages: %v", err)
	}
	s.goesOn()
}

// skipWithoutUserfaultfd looks at what a runtime says, ours or runc.
func skipWithoutUserfaultfd(t *testing.T, message string) {
	t.Helper()
	if strings.Contains(message, "has no userfaultfd") || strings.Contains(message, "missing features: [LazyPages]") {
		skip(t, "the kernel has no userfaultfd for criu")
	}
}

// With --lazy-pages the memory stays where it is, and criu says by --status-fd that it serves it.
func TestCheckpointStatusFD(t *testing.T) {
	t.Parallel()
	s := newSaved(t, []string{"count"})
	inNetwork(t, func() {
		ready, theirs, err := os.Pipe()
		must(t, err)
		defer ready.Close()
		cmd := s.Command("checkpoint", "--lazy-pages", "--page-server", "127.0.0.1:7799", "--status-fd", "5", "--image-path", s.images, s.id)
		cmd.ExtraFiles = []*os.File{nil, nil, theirs}
		var out strings.Builder
		cmd.Stderr = &out
		must(t, cmd.Start())
		must(t, theirs.Close())
		ended := make(chan error, 1)
		go func() { ended <- cmd.Wait() }()
		if err := awaitByte(ready); err != nil {
			end := <-ended
			skipWithoutUserfaultfd(t, out.String())
			t.Fatalf("%v; %v: %s", err, end, out.String())
		}
		for _, child := range childrenOf(cmd.Process.Pid) {
			unix.Kill(child, unix.SIGKILL)
		}
		if err := <-ended; err == nil {
			t.Error("a checkpoint whose criu is killed has succeeded")
		}
	})
}
