package integration

import (
	"context"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/shim/ttrpc"
	"github.com/dhow-containers/dhow/shim/wire"
)

// shimEvents takes the events that a shim publishes: topic, and the exec for which it is.
type shimEvents struct {
	mu     sync.Mutex
	list   []string
	server *ttrpc.Server
}

func (e *shimEvents) all() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.list)
}

func (e *shimEvents) address() string { return e.server.Address() }

func (s *shimDirect) listenEvents() {
	s.t.Helper()
	dir, err := os.MkdirTemp("", "dhowev")
	must(s.t, err)
	s.t.Cleanup(func() { os.RemoveAll(dir) })
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	must(s.t, err)
	must(s.t, unix.Bind(fd, &unix.SockaddrUnix{Name: dir + "/s"}))
	must(s.t, unix.Listen(fd, 8))
	s.events = &shimEvents{}
	s.events.server, err = ttrpc.NewServer(fd)
	must(s.t, err)
	s.events.server.Register("containerd.services.events.ttrpc.v1.Events", map[string]ttrpc.Method{"Forward": s.events.take})
	go s.events.server.Serve()
}

// take notes an event: its topic, and who it is about if that is not the container.
func (e *shimEvents) take(_ context.Context, request []byte) (wire.Message, error) {
	topic, who := "", ""
	err := wire.Fields(request, func(_ int, v wire.Value) error {
		return wire.Fields(v.Bytes, func(n int, v wire.Value) error {
			switch n {
			case 3:
				topic = strings.TrimPrefix(v.String(), "/tasks/")
			case 4:
				var a wire.Any
				if err := wire.Unmarshal(v.Bytes, &a); err != nil {
					return err
				}
				return wire.Fields(a.Value, func(n int, v wire.Value) error {
					if n == 2 && (strings.HasPrefix(topic, "exec") || topic == "exit") && v.String() != "c1" {
						who = ":" + v.String()
					}
					if n == 4 && topic == "exit" {
						who += "=" + strconv.FormatUint(v.Uint, 10)
					}
					return nil
				})
			}
			return nil
		})
	})
	e.mu.Lock()
	defer e.mu.Unlock()
	e.list = append(e.list, topic+who)
	return nil, err
}

// expect waits for exactly these events.
func (s *shimDirect) expect(want ...string) {
	s.t.Helper()
	for end := time.Now().Add(patience); len(s.events.all()) < len(want) && time.Now().Before(end); {
		time.Sleep(5 * time.Millisecond)
	}
	if got := s.events.all(); !slices.Equal(got, want) {
		s.t.Errorf("events\ngot  %q\nwant %q", got, want)
	}
}
