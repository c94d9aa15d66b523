package integration

import (
	"io"
	"strings"
	"sync"
	"testing"
	"time"
)

// watcher keeps output and closes seen once it holds a word.
type watcher struct {
	want string
	seen chan struct{}

	mu   sync.Mutex
	text strings.Builder
	done bool
}

func newWatcher(want string) *watcher { return &watcher{want: want, seen: make(chan struct{})} }

func (w *watcher) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.text.Write(p)
	if !w.done && strings.Contains(w.text.String(), w.want) {
		w.done = true
		close(w.seen)
	}
	return len(p), nil
}

func (w *watcher) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.String()
}

// drain reads until the other end is gone, which a terminal reports as EIO.
func (w *watcher) drain(r io.Reader) {
	buf := make([]byte, 4096)
	for {
		n, err := r.Read(buf)
		_, _ = w.Write(buf[:n])
		if err != nil {
			return
		}
	}
}

// await fails the test if the word does not come.
func (w *watcher) await(t *testing.T) {
	t.Helper()
	select {
	case <-w.seen:
	case <-time.After(patience):
		t.Fatalf("still waiting for %q in %q", w.want, w.String())
	}
}
