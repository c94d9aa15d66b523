package integration

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
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
	path   string // of its socket
}

func (e *shimEvents) all() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.list)
}

func (e *shimEvents) address() string { return e.path }

func (s *shimDirect) listenEvents() {
	s.t.Helper()
	dir, err := os.MkdirTemp("", "dhowev")
	must(s.t, err)
	s.t.Cleanup(func() { os.RemoveAll(dir) })
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	must(s.t, err)
	must(s.t, unix.Bind(fd, &unix.SockaddrUnix{Name: dir + "/s"}))
	must(s.t, unix.Listen(fd, 8))
	s.events = &shimEvents{path: dir + "/s"}
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

// TestShimPublishBinary has no socket for events: containerd's program takes them, one after the other, and is run again
// when it fails.
func TestShimPublishBinary(t *testing.T) {
	dir := t.TempDir()
	program, log := filepath.Join(dir, "publisher"), filepath.Join(dir, "log")
	script := fmt.Sprintf("#!/bin/sh\ntest -e %s.failed || { touch %s.failed; exit 3; }\nread -r first\necho \"$*\" >>%s\ncase $5 in */exit) sleep 0.2;; esac\n", log, log, log)
	must(t, os.WriteFile(program, []byte(script), 0o755))
	s := newShimDirectWith(t, startup{publish: program, address: "/the/address"}, sleeps)
	s.create("")
	s.must("Start", s.target(""))
	s.must("Kill", s.kill("", unix.SIGKILL))
	s.wait("")
	s.must("Delete", s.target(""))
	s.must("Shutdown", s.target(""))
	await(t, "the shim's end", func() bool { return len(processesOf(s.namespace)) == 0 })
	var want []string
	for _, topic := range []string{"create", "start", "exit", "delete"} {
		want = append(want, "--address /the/address publish --topic /tasks/"+topic+" --namespace "+s.namespace)
	}
	if got := lines(readFile(t, log)); !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

// TestShimPublishToContainerd has containerd's own program take the events to a containerd.
func TestShimPublishToContainerd(t *testing.T) {
	h := newShimHost(t)
	events := h.events()
	s := newShimDirectWith(t, startup{publish: filepath.Join(h.Programs, "containerd"), address: h.Socket(), namespace: h.Namespace}, sleeps)
	s.create("")
	s.must("Start", s.target(""))
	s.must("Kill", s.kill("", unix.SIGKILL))
	s.wait("")
	s.must("Delete", s.target(""))
	await(t, "the events", func() bool { return strings.Contains(events(), "/tasks/delete") })
	if got := strings.Join(topics(events()), " "); got != "create start exit delete" {
		t.Errorf("got %s", got)
	}
	if !strings.Contains(events(), `"exit_status":137`) {
		t.Errorf("events: %s", events())
	}
}
