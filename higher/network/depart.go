package network

import (
	"net/netip"
	"slices"
	"sync"
)

// departures removes devices of containers that have ended beside everything else: the kernel takes 20 ms for a veth
// pair, most of them waiting. What a daemon that is killed has not removed, Restore does.
type departures struct {
	mu      sync.Mutex
	changed *sync.Cond // when devices have gone
	pending []departure
	busy    []departure
}

type departure struct {
	device    string
	addresses []netip.Addr
}

// leaveLater has the devices of endpoints removed.
func (m *Manager) leaveLater(endpoints []*Endpoint) {
	d := &m.departures
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, e := range endpoints {
		if e.Driver == driverBridge {
			d.pending = append(d.pending, departure{e.Host, e.addresses()})
		}
	}
	if len(d.pending) > 0 && len(d.busy) == 0 {
		d.next()
		go m.removeDevices()
	}
}

func (d *departures) next() { d.busy, d.pending = d.pending, nil }

// removeDevices works until nothing is pending, all that is at a time in one batch.
func (m *Manager) removeDevices() {
	d := &m.departures
	c, failed := openRTNL()
	d.mu.Lock()
	defer d.mu.Unlock()
	for len(d.busy) > 0 {
		var all []request
		for _, b := range d.busy {
			all = append(all, removeLink(b.device))
		}
		d.mu.Unlock()
		err := failed
		if c != nil {
			_, err = c.do(all...)
		}
		if err != nil {
			m.log.Warn("cannot remove the devices of containers that have ended", "error", err)
		}
		d.mu.Lock()
		d.next()
		d.changed.Broadcast()
	}
	if c != nil {
		c.Close()
	}
}

// settle waits until no device with one of some addresses is left; without any, for all devices. Somebody else could
// have been given the address.
func (d *departures) settle(addresses ...netip.Addr) {
	d.mu.Lock()
	defer d.mu.Unlock()
	concerns := func(b departure) bool {
		return len(addresses) == 0 || slices.ContainsFunc(b.addresses, func(a netip.Addr) bool { return slices.Contains(addresses, a) })
	}
	for slices.ContainsFunc(d.busy, concerns) || slices.ContainsFunc(d.pending, concerns) {
		d.changed.Wait()
	}
}

// Settle waits until the devices of all containers that were detached have gone.
func (m *Manager) Settle() { m.departures.settle() }
