package network

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"sync"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/events"
	types "github.com/moby/moby/api/types/network"
)

// A Manager is the daemon's part for networks. It works in the network namespace of the thread that opened it, which
// is to be the process's.
type Manager struct {
	config     Config
	store      *store
	events     func(events.Message)
	log        *slog.Logger
	rtnl       *rtnl
	fw         *firewall // nil with --iptables=false
	directory  directory
	departures departures

	mu        sync.Mutex
	networks  map[string]*entry   // by id
	sandboxes map[string]*Sandbox // by container
	serial    uint64
	ports     portTable
	nextPort  int // where the search for a port goes on that nobody named
}

// Open makes the predefined networks and their bridge, and loads what there was. Restore has to be called before
// containers are attached.
func Open(ctx context.Context, o Options) (*Manager, error) {
	if err := o.Config.validate(); err != nil {
		return nil, err
	}
	s, err := openStore(o.DB, o.StateDir)
	if err != nil {
		return nil, err
	}
	m := &Manager{config: o.Config, store: s, events: o.Events, log: o.Log, networks: map[string]*entry{}, sandboxes: map[string]*Sandbox{}, ports: portTable{}}
	m.departures.changed = sync.NewCond(&m.departures.mu)
	if m.log == nil {
		m.log = slog.Default()
	}
	if m.rtnl, err = openRTNL(); err != nil {
		return nil, err
	}
	if err := m.open(); err != nil {
		return nil, errors.Join(err, m.Close())
	}
	return m, nil
}

func (m *Manager) open() error {
	if err := m.loadAll(); err != nil {
		return err
	}
	if m.config.Bridge != "none" {
		if err := m.enableForwarding(); err != nil {
			return err
		}
	}
	if err := m.predefine(); err != nil {
		return err
	}
	for _, w := range m.networks {
		if err := m.ensureBridge(w); err != nil {
			if w.Name == types.NetworkBridge {
				return err
			}
			m.log.Error("a network is out of order", "network", w.Name, "error", err)
		}
	}
	return m.loadSandboxes()
}

// Close ends what runs in the daemon: names and ports of the user's side. What the kernel has stays.
func (m *Manager) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, b := range m.sandboxes {
		b.stopServing()
	}
	m.departures.settle()
	if m.fw != nil {
		m.fw.Close()
	}
	return m.rtnl.Close()
}

func (m *Manager) loadAll() error {
	records, err := m.store.networks()
	if err != nil {
		return err
	}
	for _, n := range records {
		w, err := newEntry(n)
		if err != nil {
			return fmt.Errorf("cannot load network %s: %w", n.Name, err)
		}
		m.networks[n.ID] = w
	}
	return nil
}

// loadSandboxes takes the addresses of the containers that a daemon before us has attached.
func (m *Manager) loadSandboxes() error {
	all, err := m.store.sandboxes()
	if err != nil {
		return err
	}
	slices.SortFunc(all, func(a, b *Sandbox) int { return int(int64(a.Serial - b.Serial)) })
	for _, b := range all {
		m.serial = b.Serial
		m.sandboxes[b.Container.ID] = b
		b.Endpoints = slices.DeleteFunc(b.Endpoints, func(e *Endpoint) bool { return m.networks[e.NetworkID] == nil })
		for _, e := range b.Endpoints {
			m.networks[e.NetworkID].adopt(b.Container.ID, e)
		}
	}
	return nil
}

func (w *entry) adopt(container string, e *Endpoint) {
	w.endpoints[container] = e
	for _, p := range []netip.Prefix{e.IPv4, e.IPv6} {
		if pool := w.poolOf(p.Addr()); p.IsValid() && pool != nil {
			pool.used[p.Addr()] = true
		}
	}
}

// find looks a network up as Docker does: by id, by name, by the beginning of its id.
func (m *Manager) find(term string) (*entry, error) {
	if w := m.networks[term]; w != nil {
		return w, nil
	}
	if term == types.NetworkDefault {
		term = types.NetworkBridge
	}
	var byID []*entry
	for _, w := range m.networks {
		if w.Name == term {
			return w, nil
		}
		if strings.HasPrefix(w.ID, term) && term != "" {
			byID = append(byID, w)
		}
	}
	switch len(byID) {
	case 1:
		return byID[0], nil
	case 0:
		return nil, errdefs.ErrNotFound.WithMessage(fmt.Sprintf("network %s not found", term))
	}
	return nil, errdefs.ErrInvalidArgument.WithMessage(fmt.Sprintf("network %s is ambiguous (%d matches found based on ID prefix)", term, len(byID)))
}

// Sandbox returns a copy of what a container holds, or nil.
func (m *Manager) Sandbox(container string) *Sandbox {
	m.mu.Lock()
	defer m.mu.Unlock()
	b := m.sandboxes[container]
	if b == nil {
		return nil
	}
	return &Sandbox{Container: b.Container, Endpoints: slices.Clone(b.Endpoints), Ports: b.Ports, Serial: b.Serial, Attached: b.Attached}
}

func (m *Manager) emit(action events.Action, w *entry, more map[string]string) {
	if m.events == nil {
		return
	}
	attributes := map[string]string{"name": w.Name, "type": w.Driver}
	for k, v := range more {
		attributes[k] = v
	}
	m.events(events.Message{Type: events.NetworkEventType, Action: action, Actor: events.Actor{ID: w.ID, Attributes: attributes}, Scope: "local"})
}
