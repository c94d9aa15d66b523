package events

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/moby/moby/api/types/events"
)

func all(*events.Message) bool { return true }

// collect reads events until n have come.
func collect(t *testing.T, b *Bus, since time.Time, n int, match func(*events.Message) bool) (actions []events.Action) {
	t.Helper()
	enough := errors.New("enough")
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	err := b.Subscribe(ctx, since, time.Time{}, match, func(m events.Message) error {
		if actions = append(actions, m.Action); len(actions) == n {
			return enough
		}
		return nil
	})
	if !errors.Is(err, enough) {
		t.Fatalf("got %v and %v", actions, err)
	}
	return actions
}

func TestHistoryThenNew(t *testing.T) {
	b := &Bus{}
	since := time.Now()
	b.Publish("container", "create", "1", nil)
	if got := collect(t, b, since, 1, all); got[0] != "create" {
		t.Errorf("got %v", got)
	}
	for i := 0; i < 2*historyLength; i++ {
		b.Publish("container", "start", "1", nil)
	}
	if len(b.history) != historyLength {
		t.Errorf("%d events kept", len(b.history))
	}
}

func TestUntilInThePastEnds(t *testing.T) {
	b := &Bus{}
	b.Publish("image", "pull", "x", nil)
	var n int
	err := b.Subscribe(context.Background(), time.Unix(0, 1), time.Now(), all, func(events.Message) error { n++; return nil })
	if err != nil || n != 1 {
		t.Errorf("%d events, %v", n, err)
	}
}

// With only until, all that is known is told: what a client asks for who wants to see what has been.
func TestOnlyUntil(t *testing.T) {
	b, n := new(Bus), 0
	b.Publish("container", "start", "a", nil)
	err := b.Subscribe(context.Background(), time.Time{}, time.Now(), all, func(events.Message) error { n++; return nil })
	if err != nil || n != 1 {
		t.Errorf("got %d events, %v", n, err)
	}
}

func TestSlowSubscriberIsDropped(t *testing.T) {
	b := &Bus{}
	in, goOn := make(chan struct{}), make(chan struct{})
	got := make(chan error, 1)
	go func() {
		got <- b.Subscribe(context.Background(), time.Unix(0, 1), time.Time{}, all, func(m events.Message) error {
			if m.Action == "create" {
				close(in)
				<-goOn
			}
			return nil
		})
	}()
	b.Publish("container", "create", "1", nil)
	<-in
	for i := 0; i < backlog+1; i++ {
		b.Publish("container", "start", "1", nil)
	}
	close(goOn)
	if err := <-got; !errors.Is(err, ErrSlow) {
		t.Errorf("got %v", err)
	}
}

func TestFilter(t *testing.T) {
	m := &events.Message{Type: "container", Action: "health_status: healthy", Scope: "local", Actor: events.Actor{
		ID: "c0ffee", Attributes: map[string]string{"name": "web", "image": "busybox:latest", "tier": "front"},
	}}
	for _, c := range []struct {
		key, value string
		want       bool
	}{
		{"event", "health_status", true}, {"event", "health_status: healthy", true}, {"event", "die", false},
		{"type", "container", true}, {"type", "image", false},
		{"container", "web", true}, {"container", "c0f", true}, {"container", "db", false}, {"network", "web", false},
		{"image", "busybox", true}, {"image", "busybox:latest", true}, {"image", "busy", false},
		{"label", "tier", true}, {"label", "tier=front", true}, {"label", "tier=back", false},
		{"scope", "local", true}, {"service", "x", false},
	} {
		if got := Filter(map[string][]string{c.key: {c.value}})(m); got != c.want {
			t.Errorf("%s=%s: %v", c.key, c.value, got)
		}
	}
}
