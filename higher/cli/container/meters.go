package container

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"sync"

	types "github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
)

// meters measure containers, each in its goroutine.
type meters struct {
	ctx    context.Context
	client *client.Client
	stream bool

	mu  sync.Mutex
	all []*meter
}

// meter is the measuring of one container.
type meter struct {
	name string
	stop context.CancelFunc

	once  sync.Once
	ready chan struct{} // closed at the first figure or error

	mu   sync.Mutex
	last *types.StatsResponse
	err  error
}

func newMeters(ctx context.Context, c *client.Client, stream bool) *meters {
	return &meters{ctx: ctx, client: c, stream: stream}
}

func (m *meters) add(name string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if slices.ContainsFunc(m.all, func(x *meter) bool { return x.name == name }) {
		return
	}
	ctx, stop := context.WithCancel(m.ctx)
	x := &meter{name: name, stop: stop, ready: make(chan struct{})}
	m.all = append(m.all, x)
	go x.run(ctx, m.client, m.stream)
}

func (m *meters) remove(name string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.all = slices.DeleteFunc(m.all, func(x *meter) bool {
		if x.name == name {
			x.stop()
		}
		return x.name == name
	})
}

func (m *meters) list() []*meter {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.all)
}

// first waits until there is something of each.
func (m *meters) first() {
	for _, x := range m.list() {
		<-x.ready
	}
}

func (m *meters) errors() error {
	var errs []error
	for _, x := range m.list() {
		x.mu.Lock()
		errs = append(errs, x.err)
		x.mu.Unlock()
	}
	return errors.Join(errs...)
}

// rows are the last figures of all.
func (m *meters) rows(noTrunc bool) []*usage {
	var rows []*usage
	for _, x := range m.list() {
		x.mu.Lock()
		if x.err == nil {
			rows = append(rows, &usage{asked: x.name, s: x.last, noTrunc: noTrunc})
		}
		x.mu.Unlock()
	}
	return rows
}

func (x *meter) run(ctx context.Context, c *client.Client, stream bool) {
	defer x.once.Do(func() { close(x.ready) })
	r, err := c.ContainerStats(ctx, x.name, client.ContainerStatsOptions{Stream: stream, IncludePreviousSample: !stream})
	if err != nil {
		x.set(nil, err)
		return
	}
	defer r.Body.Close()
	for d := json.NewDecoder(r.Body); ; {
		s := &types.StatsResponse{}
		if err := d.Decode(s); err != nil {
			if stream {
				x.set(nil, err) // it is gone
			}
			return
		}
		x.set(s, nil)
		x.once.Do(func() { close(x.ready) })
	}
}

func (x *meter) set(s *types.StatsResponse, err error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.last, x.err = s, err
}
