package ttrpc_test

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/shim/ttrpc"
	"github.com/dhow-containers/dhow/shim/wire"
)

// patience bounds calls that take no time on an idle machine.
const patience = 30 * time.Second

type conflict struct{ error }

func (conflict) Conflict() {}

// serve starts a server with a few methods and returns its address.
func serve(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "s")
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(unix.Bind(fd, &unix.SockaddrUnix{Name: path}), unix.Listen(fd, 8)); err != nil {
		t.Fatal(err)
	}
	s, err := ttrpc.NewServer(fd)
	if err != nil {
		t.Fatal(err)
	}
	s.Register("a.B", map[string]ttrpc.Method{
		"Echo": func(_ context.Context, b []byte) (wire.Message, error) {
			return wire.Func(func(e *wire.Encoder) { e.Bytes(1, b) }), nil
		},
		"Missing": func(context.Context, []byte) (wire.Message, error) {
			return nil, ttrpc.Errorf(ttrpc.NotFound, "no %s", "x")
		},
		"Conflict": func(context.Context, []byte) (wire.Message, error) { return nil, conflict{errors.New("busy")} },
		"Plain":    func(context.Context, []byte) (wire.Message, error) { return nil, errors.New("plain") },
		"Wait":     func(ctx context.Context, _ []byte) (wire.Message, error) { <-ctx.Done(); return nil, ctx.Err() },
	})
	done := make(chan struct{})
	go func() { s.Serve(); close(done) }()
	t.Cleanup(func() { s.Close(); <-done })
	return "unix://" + path
}

type text struct{ b []byte }

func (t *text) Field(number int, v wire.Value) error { t.b = v.Bytes; return nil }

func dial(t *testing.T, address string) *ttrpc.Client {
	t.Helper()
	c, err := ttrpc.Dial(address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func TestCalls(t *testing.T) {
	address := serve(t)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			c, err := ttrpc.Dial(address)
			if err != nil {
				t.Error(err)
				return
			}
			defer c.Close()
			for i := range 100 {
				m := wire.Func(func(e *wire.Encoder) { e.Uint(1, uint64(i+1)) })
				var got text
				if err := c.Call("a.B", "Echo", m, &got, patience); err != nil || string(got.b) != string(wire.Marshal(m)) {
					t.Errorf("got %q, %v", got.b, err)
				}
			}
		})
	}
	wg.Wait()
}

func TestErrors(t *testing.T) {
	c := dial(t, serve(t))
	for _, test := range []struct {
		service, method string
		code            ttrpc.Code
		message         string
	}{
		{"a.B", "Missing", ttrpc.NotFound, "no x"},
		{"a.B", "Conflict", ttrpc.FailedPrecondition, "busy"},
		{"a.B", "Plain", ttrpc.Unknown, "plain"},
		{"a.B", "None", ttrpc.Unimplemented, "None"},
		{"c.D", "Echo", ttrpc.Unimplemented, "c.D"},
	} {
		var got *ttrpc.Error
		err := c.Call(test.service, test.method, nil, nil, patience)
		if !errors.As(err, &got) || got.Code != test.code || !strings.Contains(got.Message, test.message) {
			t.Errorf("%s: got %#v", test.method, err)
		}
	}
}

// TestTooLarge sends a message that is too long and then one that is not: the connection goes on.
func TestTooLarge(t *testing.T) {
	c := dial(t, serve(t))
	huge := wire.Func(func(e *wire.Encoder) { e.Bytes(1, make([]byte, 4<<20)) })
	var got *ttrpc.Error
	if err := c.Call("a.B", "Echo", huge, nil, patience); !errors.As(err, &got) || got.Code != ttrpc.ResourceExhausted {
		t.Errorf("got %v", err)
	}
	if err := c.Call("a.B", "Echo", nil, nil, patience); err != nil {
		t.Error(err)
	}
}

// TestDeadline has the server end a call whose time is up, and a stream refused.
func TestDeadline(t *testing.T) {
	address := serve(t)
	conn, err := net.Dial("unix", strings.TrimPrefix(address, "unix://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	request := wire.Marshal(wire.Func(func(e *wire.Encoder) { e.String(1, "a.B"); e.String(2, "Wait"); e.Int(4, int64(time.Millisecond)) }))
	for _, flags := range []byte{0, 1, 2} {
		frame := binary.BigEndian.AppendUint32(nil, uint32(len(request)))
		frame = append(binary.BigEndian.AppendUint32(frame, 1), 1, flags)
		if _, err := conn.Write(append(frame, request...)); err != nil {
			t.Fatal(err)
		}
		conn.SetReadDeadline(time.Now().Add(patience))
		buf := make([]byte, 512)
		n, err := conn.Read(buf)
		if err != nil || n < 10 || buf[8] != 2 {
			t.Fatalf("flags %d: %d bytes, %v", flags, n, err)
		}
		want := "deadline"
		if flags == 2 {
			want = "no unary method"
		}
		if !strings.Contains(string(buf[:n]), want) {
			t.Errorf("flags %d: got %q", flags, buf[:n])
		}
	}
}

// TestGarbage closes connections that make no sense, and the server lives on.
func TestGarbage(t *testing.T) {
	address := serve(t)
	for _, data := range []string{"", "x", "\x00\x00\x00\x05\x00\x00\x00\x01\x01\x00abc", "\x00\x00\x00\x02\x00\x00\x00\x01\x01\x00\xff\xff"} {
		conn, err := net.Dial("unix", strings.TrimPrefix(address, "unix://"))
		if err != nil {
			t.Fatal(err)
		}
		conn.Write([]byte(data))
		conn.Close()
	}
	if err := dial(t, address).Call("a.B", "Echo", nil, nil, patience); err != nil {
		t.Error(err)
	}
}
