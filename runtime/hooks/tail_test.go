package hooks

import (
	"os"
	"testing"
	"time"
)

// TestTailAfterItsTime has the time be up before anybody has read.
func TestTailAfterItsTime(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if err := r.SetReadDeadline(time.Unix(1, 0)); err != nil {
		t.Fatal(err)
	}
	tail := readTail(r)
	<-tail.done
	if _, err := w.WriteString("the reason\n"); err != nil {
		t.Fatal(err)
	}
	if got := tail.text(0); got != "the reason" {
		t.Errorf("got %q", got)
	}
	if err := tail.stop(); err != nil {
		t.Error(err)
	}
}
