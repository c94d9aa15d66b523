package console_test

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/runtime/console"
)

func openPty(t *testing.T) (master, slave *os.File) {
	t.Helper()
	master, slave, err := pty.Open()
	if err != nil {
		t.Skipf("needs a pseudoterminal: %v", err)
	}
	t.Cleanup(func() { _ = master.Close(); _ = slave.Close() })
	return master, slave
}

// receive accepts one connection, in a goroutine, and receives one descriptor from it.
func receive(t *testing.T, path string) (result func() (name string, file *os.File, err error)) {
	t.Helper()
	short, err := os.OpenFile(filepath.Dir(path), unix.O_PATH, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(filepath.Dir(path)) // net cannot listen on long paths
	l, err := net.Listen("unix", filepath.Base(path))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close(); _ = short.Close() })
	done := make(chan struct{})
	var name string
	var file *os.File
	go func() {
		defer close(done)
		conn, e := l.Accept()
		if e != nil {
			err = e
			return
		}
		f, _ := conn.(*net.UnixConn).File()
		defer func() { _ = f.Close(); _ = conn.Close() }()
		buf := make([]byte, 4096)
		n, fd, e := console.RecvFD(int(f.Fd()), buf)
		if err = e; e == nil {
			name, file = string(buf[:n]), os.NewFile(uintptr(fd), "")
		}
	}()
	return func() (string, *os.File, error) { <-done; return name, file, err }
}

func TestSendMaster(t *testing.T) {
	for _, length := range []int{0, 107 - len("/tmp/"), 120, 200} {
		dir := t.TempDir()
		if length > 0 {
			dir = filepath.Join(dir, strings.Repeat("d", length))
			if err := os.MkdirAll(dir, 0o700); err != nil {
				t.Fatal(err)
			}
		}
		path := filepath.Join(dir, "console.sock")
		result := receive(t, path)
		master, slave := openPty(t)
		if err := console.SendMaster(path, master, "/dev/pts/ptmx"); err != nil {
			t.Fatal(err)
		}
		name, got, err := result()
		if err != nil || name != "/dev/pts/ptmx" {
			t.Fatalf("name %q, %v", name, err)
		}
		checkJoined(t, got, slave)
		_ = got.Close()
	}
}

// checkJoined checks that master, which must be close-on-exec, is the other end of slave.
func checkJoined(t *testing.T, master, slave *os.File) {
	t.Helper()
	if flags, err := unix.FcntlInt(master.Fd(), unix.F_GETFD, 0); err != nil || flags&unix.FD_CLOEXEC == 0 {
		t.Errorf("not close-on-exec: %v", err)
	}
	if _, err := slave.WriteString("x"); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 1)
	if _, err := master.Read(b); err != nil || b[0] != 'x' {
		t.Errorf("read %q, %v", b, err)
	}
}

func TestConnectErrors(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		path string
		want error
	}{
		{filepath.Join(dir, "missing"), unix.ENOENT},
		{file, unix.ECONNREFUSED},
		{filepath.Join(dir, strings.Repeat("n", 200), "sock"), unix.ENOENT},
		{filepath.Join(dir, strings.Repeat("n", 200)), unix.ENAMETOOLONG},
	} {
		_, err := console.Connect(tt.path)
		if !errors.Is(err, tt.want) || !strings.HasPrefix(err.Error(), "cannot connect to socket "+tt.path+": ") {
			t.Errorf("Connect(%s) = %v, want %v", tt.path, err, tt.want)
		}
	}
}

func TestRecvFDErrors(t *testing.T) {
	before := countFDs(t)
	for name, rights := range map[string][]byte{"none": nil, "two": unix.UnixRights(0, 1), "three": unix.UnixRights(0, 1, 2)} {
		pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		if err := unix.Sendmsg(pair[0], []byte("x"), rights, nil, 0); err != nil {
			t.Fatal(err)
		}
		if _, fd, err := console.RecvFD(pair[1], make([]byte, 16)); err == nil || fd != -1 {
			t.Errorf("%s: fd %d, %v", name, fd, err)
		}
		_ = unix.Close(pair[0])
		_ = unix.Close(pair[1])
	}
	if after := countFDs(t); after != before {
		t.Errorf("%d descriptors, then %d", before, after)
	}
}

func TestRecvFDEndOfFile(t *testing.T) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	_ = unix.Close(pair[0])
	if _, _, err := console.RecvFD(pair[1], make([]byte, 16)); err == nil {
		t.Error("no error")
	}
	_ = unix.Close(pair[1])
}

func countFDs(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}
