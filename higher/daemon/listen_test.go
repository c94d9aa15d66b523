package daemon

import (
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/dhow-containers/dhow/higher/config"
)

func listen(t *testing.T, hosts ...string) ([]net.Listener, error) {
	t.Helper()
	c := config.Default()
	c.Hosts, c.Group = hosts, strconv.Itoa(os.Getgid())
	all, err := Listen(c, slog.New(slog.DiscardHandler))
	t.Cleanup(func() {
		for _, l := range all {
			l.Close()
		}
	})
	return all, err
}

func TestListenUnix(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root, which gives sockets away")
	}
	path := filepath.Join(t.TempDir(), "run", "d.sock")
	if _, err := listen(t, "unix://"+path); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o660 {
		t.Errorf("mode %v, %v: want 0660", info.Mode(), err)
	}
	if _, err := listen(t, "unix://"+path); err == nil || !strings.Contains(err.Error(), "another daemon listens there") {
		t.Errorf("a second daemon got %v", err)
	}
}

// A daemon that was killed leaves its socket.
func TestListenReplacesDeadSocket(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root, which gives sockets away")
	}
	path := filepath.Join(t.TempDir(), "d.sock")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	l.(*net.UnixListener).SetUnlinkOnClose(false)
	l.Close()
	if _, err := listen(t, "unix://"+path); err != nil {
		t.Error(err)
	}
}

func TestListenRefuses(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, host := range []string{"unix://" + file, "fd://", "fd://9"} {
		if _, err := listen(t, host); err == nil || !strings.Contains(err.Error(), host) {
			t.Errorf("%s: got %v", host, err)
		}
	}
	if text, _ := os.ReadFile(file); string(text) != "mine" {
		t.Error("a file that is no socket was replaced")
	}
}

func TestListenUnknownGroup(t *testing.T) {
	if _, err := groupID("no such group"); err == nil || !strings.Contains(err.Error(), "--group") {
		t.Errorf("got %v", err)
	}
}
