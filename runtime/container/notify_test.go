package container

import (
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// A process of the container that does not stop sending does not keep its runtime from seeing that init has ended.
func TestNotifyUnderAFlood(t *testing.T) {
	n, client := notifySocket(t)
	for range 4 {
		go func() {
			for sendMessage(client, "STATUS=x") == nil {
			}
		}()
	}
	if line := readyWithin(t, n, endedProcess(t)); line != "" {
		t.Errorf("ready says %q", line)
	}
	if err := sendMessage(client, "STATUS=x"); err != unix.EPIPE {
		t.Errorf("one more message: %v, want EPIPE", err)
	}
}

// What an init says before it ends is heard.
func TestNotifyOfAnEndedInit(t *testing.T) {
	n, client := notifySocket(t)
	for _, message := range []string{"STATUS=x", "READY=1\nMAINPID=1"} {
		if err := sendMessage(client, message); err != nil {
			t.Fatal(err)
		}
	}
	if line := readyWithin(t, n, endedProcess(t)); line != "READY=1" {
		t.Errorf("ready says %q", line)
	}
}

func readyWithin(t *testing.T, n *notifier, pidfd int) string {
	t.Helper()
	got := make(chan string, 1)
	go func() {
		line, err := n.ready(pidfd)
		if err != nil {
			t.Error(err)
		}
		got <- string(line)
	}()
	select {
	case line := <-got:
		return line
	case <-time.After(20 * time.Second):
		t.Fatal("ready does not end")
		return ""
	}
}

// notifySocket is a notifier with its container's end, and a client's connection to it.
func notifySocket(t *testing.T) (n *notifier, client int) {
	n = &notifier{inside: socketFor(t), host: -1}
	address := &unix.SockaddrUnix{Name: filepath.Join(t.TempDir(), "s")}
	if err := unix.Bind(n.inside, address); err != nil {
		t.Fatal(err)
	}
	client = socketFor(t)
	if err := unix.Connect(client, address); err != nil {
		t.Fatal(err)
	}
	return n, client
}

func socketFor(t *testing.T) int {
	fd, err := dgram()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	return fd
}

// endedProcess is a descriptor that polls as the pidfd of a process that has ended.
func endedProcess(t *testing.T) int {
	fd, err := unix.Eventfd(1, unix.EFD_CLOEXEC)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	return fd
}

func sendMessage(fd int, message string) error {
	return unix.Send(fd, []byte(message), unix.MSG_NOSIGNAL)
}
