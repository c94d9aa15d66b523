package socket_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/shim/socket"
)

// TestPass passes a descriptor, at a short path and at one that fits into no address.
func TestPass(t *testing.T) {
	for _, dir := range []string{t.TempDir(), filepath.Join(t.TempDir(), strings.Repeat("long", 40))} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, "s")
		fd, err := socket.Listen(path, unix.SOCK_SEQPACKET)
		if err != nil {
			t.Fatal(err)
		}
		listener, err := socket.File(fd, "listener")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := socket.Listen(path, unix.SOCK_SEQPACKET); !errors.Is(err, socket.ErrServed) {
			t.Errorf("got %v", err)
		}
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("mode %v, %v", info.Mode(), err)
		}
		if conn, err := socket.Accept(listener); err == nil { // Listen has looked whether somebody is there
			conn.Close()
		}
		pass(t, path, listener)
		listener.Close()
		if socket.Served(path, unix.SOCK_SEQPACKET) {
			t.Error("served by nobody")
		}
		if fd, err = socket.Listen(path, unix.SOCK_SEQPACKET); err != nil { // over what is left
			t.Fatal(err)
		}
		unix.Close(fd)
	}
}

func pass(t *testing.T, path string, listener *os.File) {
	t.Helper()
	fd, err := socket.Dial(path, unix.SOCK_SEQPACKET)
	if err != nil {
		t.Fatal(err)
	}
	client, err := socket.File(fd, "client")
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	server, err := socket.Accept(listener)
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if err := socket.Send(client, []byte("hello"), int(w.Fd())); err != nil {
		t.Fatal(err)
	}
	w.Close()
	message, fd, err := socket.Receive(server)
	if err != nil || string(message) != "hello" || fd < 0 {
		t.Fatalf("got %q, %d, %v", message, fd, err)
	}
	passed := os.NewFile(uintptr(fd), "passed")
	passed.WriteString("through")
	passed.Close()
	if b, err := io.ReadAll(r); err != nil || string(b) != "through" {
		t.Errorf("got %q, %v", b, err)
	}
	client.Close()
	if _, _, err := socket.Receive(server); err != io.EOF {
		t.Errorf("got %v", err)
	}
}
