package network

import (
	"testing"
	"time"
)

// Damage now and then is repaired at once; what is done again right after each repair, less and less often.
func TestPace(t *testing.T) {
	var p pace
	now := time.Now()
	for i := range 10 {
		if now = now.Add(2 * time.Second); p.wait(now) != 0 {
			t.Fatalf("repair %d waits", i)
		}
	}
	var waited []time.Duration
	for range 12 {
		delay := p.wait(now.Add(time.Millisecond))
		now = now.Add(time.Millisecond + delay)
		waited = append(waited, delay)
	}
	for i, want := range map[int]time.Duration{0: 0, 1: 0, 2: time.Second, 3: 2 * time.Second, 7: 32 * time.Second, 8: time.Minute, 11: time.Minute} {
		if waited[i] != want {
			t.Errorf("repair %d waits for %v, want %v", i, waited[i], want)
		}
	}
	if delay := p.wait(now.Add(2 * time.Second)); delay != 0 {
		t.Errorf("after some peace it waits for %v", delay)
	}
}
