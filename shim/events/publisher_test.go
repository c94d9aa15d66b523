package events_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/shim/api"
	"github.com/dhow-containers/dhow/shim/events"
	"github.com/dhow-containers/dhow/shim/ttrpc"
	"github.com/dhow-containers/dhow/shim/wire"
)

// containerd takes events on a socket.
type containerd struct {
	mu     sync.Mutex
	topics []string
	server *ttrpc.Server
}

func listen(t *testing.T, path string) *containerd {
	t.Helper()
	unix.Unlink(path)
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err == nil {
		err = errors.Join(unix.Bind(fd, &unix.SockaddrUnix{Name: path}), unix.Listen(fd, 8))
	}
	if err != nil {
		t.Fatal(err)
	}
	c := &containerd{}
	if c.server, err = ttrpc.NewServer(fd); err != nil {
		t.Fatal(err)
	}
	c.server.Register("containerd.services.events.ttrpc.v1.Events", map[string]ttrpc.Method{
		"Forward": func(_ context.Context, b []byte) (wire.Message, error) {
			c.mu.Lock()
			defer c.mu.Unlock()
			c.topics = append(c.topics, topic(b))
			return nil, nil
		}})
	go c.server.Serve()
	return c
}

func topic(request []byte) (s string) {
	wire.Fields(request, func(_ int, v wire.Value) error {
		return wire.Fields(v.Bytes, func(number int, v wire.Value) error {
			if number == 2 || number == 3 {
				s += v.String() + " "
			}
			return nil
		})
	})
	return s
}

func TestOrder(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	c := listen(t, path)
	defer c.server.Close()
	p := events.NewPublisher(events.NewSocket(path), "ns", slog.New(slog.NewTextHandler(io.Discard, nil)))
	var want []string
	for i := range 50 {
		e := []api.Event{api.TaskOOM("c"), api.TaskStart("c", 1), api.TaskPaused("c")}[i%3]
		p.Publish(e)
		want = append(want, fmt.Sprintf("ns %s ", e.Topic()))
	}
	p.Close(30 * time.Second)
	if !slices.Equal(c.topics, want) {
		t.Errorf("got %q", c.topics)
	}
}

// TestLateContainerd has containerd come a second after the event.
func TestLateContainerd(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	p := events.NewPublisher(events.NewSocket(path), "ns", slog.New(slog.NewTextHandler(io.Discard, nil)))
	p.Publish(api.TaskOOM("c"))
	time.Sleep(100 * time.Millisecond)
	c := listen(t, path)
	defer c.server.Close()
	p.Close(30 * time.Second)
	if len(c.topics) != 1 {
		t.Errorf("got %q", c.topics)
	}
}

// TestCloseIsBounded has no containerd at all.
func TestCloseIsBounded(t *testing.T) {
	p := events.NewPublisher(events.NewSocket(filepath.Join(t.TempDir(), "s")), "ns", slog.New(slog.NewTextHandler(io.Discard, nil)))
	p.Publish(api.TaskOOM("c"))
	start := time.Now()
	p.Close(50 * time.Millisecond)
	if d := time.Since(start); d > 2*time.Second {
		t.Errorf("took %v", d)
	}
}
