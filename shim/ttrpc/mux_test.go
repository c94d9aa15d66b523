package ttrpc_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dhow-containers/dhow/shim/ttrpc"
	"github.com/dhow-containers/dhow/shim/wire"
)

func dialMux(t *testing.T) *ttrpc.Mux {
	t.Helper()
	m, err := ttrpc.DialMux(serve(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m
}

// TestMux makes many calls at a time, beside one that waits.
func TestMux(t *testing.T) {
	m := dialMux(t)
	ctx, cancel := context.WithCancel(t.Context())
	waits := make(chan error)
	go func() { waits <- m.Call(ctx, "a.B", "Wait", nil, nil) }()
	var wg sync.WaitGroup
	for i := range 500 {
		wg.Go(func() {
			q := wire.Func(func(e *wire.Encoder) { e.Uint(1, uint64(i+1)) })
			var got text
			if err := m.Call(t.Context(), "a.B", "Echo", q, &got); err != nil || string(got.b) != string(wire.Marshal(q)) {
				t.Errorf("got %q, %v", got.b, err)
			}
		})
	}
	wg.Wait()
	var answer *ttrpc.Error
	if err := m.Call(t.Context(), "a.B", "Missing", nil, nil); !errors.As(err, &answer) || answer.Code != ttrpc.NotFound {
		t.Errorf("got %v", err)
	}
	cancel()
	if err := <-waits; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// TestMuxDeadline has the server know of a deadline.
func TestMuxDeadline(t *testing.T) {
	m := dialMux(t)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	err := m.Call(ctx, "a.B", "Wait", nil, nil)
	if err == nil || !strings.Contains(err.Error(), "deadline exceeded") {
		t.Errorf("got %v", err)
	}
}

// TestMuxClosed ends calls with the connection.
func TestMuxClosed(t *testing.T) {
	m := dialMux(t)
	waits := make(chan error)
	go func() { waits <- m.Call(t.Context(), "a.B", "Wait", nil, nil) }()
	m.Close()
	if err := <-waits; !errors.Is(err, ttrpc.ErrClosed) {
		t.Errorf("got %v", err)
	}
	<-m.Done()
	if err := m.Call(t.Context(), "a.B", "Echo", nil, nil); !errors.Is(err, ttrpc.ErrClosed) {
		t.Errorf("got %v", err)
	}
}
