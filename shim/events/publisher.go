// Package events hands the events of tasks on to containerd, in order, and keeps them for a containerd that is away.
package events

import (
	"log/slog"
	"sync"
	"time"

	"github.com/dhow-containers/dhow/shim/api"
	"github.com/dhow-containers/dhow/shim/wire"
)

const (
	callTimeout = 5 * time.Second // of one try
	maxQueue    = 2048
	maxTries    = 6 // the first and five more, after 1, 2, … seconds: as long as containerd's own shim waits
)

// Sender takes an event to containerd: Socket or Program.
type Sender interface {
	send(*api.Envelope) error
}

// Publisher sends events through one goroutine.
type Publisher struct {
	to        Sender
	namespace string
	log       *slog.Logger

	mu     sync.Mutex
	wake   sync.Cond
	queue  []*api.Envelope
	closed bool
	hurry  chan struct{} // closed by Close: a delay ends
	done   chan struct{}
}

// NewPublisher makes a publisher.
func NewPublisher(to Sender, namespace string, log *slog.Logger) *Publisher {
	p := &Publisher{to: to, namespace: namespace, log: log, hurry: make(chan struct{}), done: make(chan struct{})}
	p.wake.L = &p.mu
	go p.run()
	return p
}

// Publish queues an event; the order of calls is the order in which containerd sees them.
func (p *Publisher) Publish(e api.Event) {
	v := &api.Envelope{At: time.Now(), Namespace: p.namespace, Topic: e.Topic(), Event: wire.Pack(e.Type(), e)}
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.queue) >= maxQueue {
		p.log.Error("event dropped: too many wait for containerd", "topic", v.Topic)
		return
	}
	p.queue = append(p.queue, v)
	p.wake.Signal()
}

// Close sends what is queued, for at most d.
func (p *Publisher) Close(d time.Duration) {
	p.mu.Lock()
	p.closed = true
	p.wake.Signal()
	p.mu.Unlock()
	select {
	case <-p.done:
		return
	case <-time.After(d):
	}
	close(p.hurry)
}

func (p *Publisher) run() {
	defer close(p.done)
	for {
		p.mu.Lock()
		for len(p.queue) == 0 && !p.closed {
			p.wake.Wait()
		}
		if len(p.queue) == 0 {
			p.mu.Unlock()
			return
		}
		v := p.queue[0]
		p.queue = p.queue[1:]
		if len(p.queue) == 0 {
			p.queue = nil
		}
		p.mu.Unlock()
		p.deliver(v)
	}
}

// deliver sends one event. containerd may be on its way back.
func (p *Publisher) deliver(v *api.Envelope) {
	for try := 1; ; try++ {
		err := p.to.send(v)
		if err == nil {
			return
		}
		if try == maxTries {
			p.log.Error("event dropped", "topic", v.Topic, "error", err)
			return
		}
		select {
		case <-time.After(time.Duration(try) * time.Second):
		case <-p.hurry:
			return
		}
	}
}
