// Package events is the engine's event bus: what happened to containers, images, networks and volumes, as GET /events
// tells it (https://docs.docker.com/reference/api/engine/version/v1.51/#tag/System/operation/SystemEvents).
package events

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/moby/moby/api/types/events"
)

const (
	historyLength = 256  // past events that are kept, as Docker keeps them
	backlog       = 1024 // events that a subscriber may be behind
)

// ErrSlow says that a subscriber was dropped because it did not keep up.
var ErrSlow = errors.New("events were dropped: the client reads too slowly")

// Bus hands events to its subscribers. Publishing never waits for one. The zero Bus is ready.
type Bus struct {
	mu          sync.Mutex
	history     []events.Message // at most historyLength, oldest first
	subscribers map[*subscriber]struct{}
}

// subscriber is one reader; its channel is closed when it fell behind.
type subscriber struct{ c chan events.Message }

// Publish records that something happened now. attributes is not kept by the caller.
func (b *Bus) Publish(t events.Type, action events.Action, id string, attributes map[string]string) {
	if attributes == nil {
		attributes = map[string]string{}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now() // under the lock: in the order of the history
	m := events.Message{
		Type: t, Action: action, Scope: "local", Actor: events.Actor{ID: id, Attributes: attributes},
		Time: now.Unix(), TimeNano: now.UnixNano(),
	}
	if len(b.history) == historyLength {
		b.history = append(b.history[:0:0], b.history[1:]...)
	}
	b.history = append(b.history, m)
	for s := range b.subscribers {
		select {
		case s.c <- m:
		default:
			delete(b.subscribers, s)
			close(s.c)
		}
	}
}

// Subscribe calls emit for the events since a time that are still known, or with only until for all that are, and for those to come,
// until ctx ends, the time until has come, if it is not zero, or emit fails. Only events that match are handed on.
func (b *Bus) Subscribe(ctx context.Context, since, until time.Time, match func(*events.Message) bool, emit func(events.Message) error) error {
	s := &subscriber{c: make(chan events.Message, backlog)}
	past := b.add(s, since, !since.IsZero() || !until.IsZero())
	defer b.remove(s)
	if !until.IsZero() {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, until)
		defer cancel()
	}
	hand := func(m events.Message) error {
		if !until.IsZero() && m.TimeNano > until.UnixNano() || !match(&m) {
			return nil
		}
		return emit(m)
	}
	for _, m := range past {
		if err := hand(m); err != nil {
			return err
		}
	}
	for {
		select {
		case <-ctx.Done():
			return nil
		case m, ok := <-s.c:
			if !ok {
				return ErrSlow
			}
			if err := hand(m); err != nil {
				return err
			}
		}
	}
}

// add adds a subscriber and returns the past events since a time, or since ever, if they are wanted.
func (b *Bus) add(s *subscriber, since time.Time, wanted bool) (past []events.Message) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.subscribers == nil {
		b.subscribers = map[*subscriber]struct{}{}
	}
	b.subscribers[s] = struct{}{}
	if !wanted {
		return nil
	}
	for _, m := range b.history {
		if since.IsZero() || m.TimeNano >= since.UnixNano() {
			past = append(past, m)
		}
	}
	return past
}

func (b *Bus) remove(s *subscriber) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.subscribers, s)
}

// Subscribers counts those that listen now.
func (b *Bus) Subscribers() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.subscribers)
}
