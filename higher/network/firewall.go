package network

import (
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/google/nftables"
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// tableName is our table, of family inet. Nobody else's is ever touched.
const tableName = "dhow"

// firewall is our table and what is in it. Every change is one transaction, see nft(8); what a transaction of a few
// elements cannot do because somebody has changed the table, a new table does.
type firewall struct {
	log *slog.Logger

	mu       sync.Mutex
	strict   strict
	made     bool // the table is there, or should be
	networks map[string]netRules
	ports    map[portKey]portTarget
	links    map[linkKey]bool
	own      map[uint32]bool // our sockets' addresses: their changes are no damage
	conn     *nftables.Conn
	socket   *netlink.Conn // of conn
	watch    *watcher
}

// strict says of which families forwarding is on because of us: then others' packets are not forwarded.
type strict struct{ v4, v6 bool }

// netRules is a bridge as the table sees it.
type netRules struct {
	bridge                    string
	icc, masquerade, internal bool
	subnets                   []netip.Prefix
}

func rulesOf(w *entry) netRules {
	n := netRules{bridge: w.bridge, icc: w.icc, internal: w.Internal, masquerade: w.masquerade && !w.Internal}
	for _, p := range w.pools {
		n.subnets = append(n.subnets, p.subnet)
	}
	return n
}

// A change is what a transaction adds and removes.
type change struct {
	add, remove []element
}

// openFirewall starts to listen for what others do to the table; it makes nothing yet.
func openFirewall(log *slog.Logger) (*firewall, error) {
	f := &firewall{log: log, networks: map[string]netRules{}, ports: map[portKey]portTarget{}, links: map[linkKey]bool{}, own: map[uint32]bool{}}
	var err error
	f.watch, err = watchTable(f)
	return f, err
}

func (f *firewall) Close() {
	f.watch.Close()
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.conn != nil {
		f.conn.CloseLasting()
	}
}

// rebuild replaces the table by one that holds all that is known.
func (f *firewall) rebuild() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.rebuildLocked()
}

func (f *firewall) rebuildLocked() error {
	f.made = true
	err := f.transact(func(c *nftables.Conn) error {
		t := newTable(c, f.strict)
		return t.addElements(c, f.elements())
	})
	if err != nil {
		return fmt.Errorf("cannot set up the nftables table inet %s: %w", tableName, err)
	}
	return nil
}

// elements is everything that the table's sets hold.
func (f *firewall) elements() []element {
	var all []element
	for _, n := range f.networks {
		all = append(all, n.elements()...)
	}
	for k, v := range f.ports {
		all = append(all, k.element(v))
	}
	for k := range f.links {
		all = append(all, k.element())
	}
	return all
}

// apply makes a change that is already in the maps.
func (f *firewall) apply(ch change) error {
	if len(ch.add)+len(ch.remove) == 0 {
		return nil
	}
	err := f.transact(func(c *nftables.Conn) error {
		t := theTable()
		return errors.Join(t.removeElements(c, ch.remove), t.addElements(c, ch.add))
	})
	if err == nil {
		return nil
	}
	f.log.Debug("the nftables table is not as it was left", "error", err)
	return f.rebuildLocked()
}

// transact commits what fill puts in, all or nothing. The socket stays open: to close one waits for what was deleted to
// be freed, for milliseconds. After an error it is replaced, as answers may be left in it.
func (f *firewall) transact(fill func(*nftables.Conn) error) error {
	if f.conn == nil {
		if err := f.dial(); err != nil {
			return err
		}
	}
	err := f.socket.SetDeadline(time.Now().Add(30 * time.Second))
	if err == nil {
		err = fill(f.conn)
	}
	if err == nil {
		err = f.conn.Flush()
	}
	if err != nil {
		f.conn.CloseLasting()
		f.conn, f.socket = nil, nil
	}
	return err
}

func (f *firewall) dial() error {
	conn, err := nftables.New(nftables.AsLasting(), nftables.WithSockOptions(func(s *netlink.Conn) error {
		s.SetWriteBuffer(8 << 20)
		s.SetReadBuffer(8 << 20)
		pid, err := portID(s)
		f.own[pid], f.socket = true, s
		return err
	}))
	if err != nil {
		return fmt.Errorf("cannot open a netfilter socket: %w", err)
	}
	f.conn = conn
	return nil
}

// portID is the address of a netlink socket, which notifications about its changes carry.
func portID(s *netlink.Conn) (uint32, error) {
	raw, err := s.SyscallConn()
	if err != nil {
		return 0, err
	}
	var pid uint32
	failed := raw.Control(func(fd uintptr) {
		var name unix.Sockaddr
		name, err = unix.Getsockname(int(fd))
		if a, ok := name.(*unix.SockaddrNetlink); ok {
			pid = a.Pid
		}
	})
	return pid, errors.Join(err, failed)
}

// refuse6 has others' IPv6 packets not forwarded.
func (f *firewall) refuse6() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.strict.v6 = true
	if !f.made {
		return nil
	}
	return f.rebuildLocked()
}

func (f *firewall) addNetwork(w *entry) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := rulesOf(w)
	f.networks[w.ID] = n
	if err := f.apply(change{add: n.elements()}); err != nil {
		delete(f.networks, w.ID)
		return err
	}
	return nil
}

func (f *firewall) removeNetwork(w *entry) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	n, ok := f.networks[w.ID]
	if !ok {
		return nil
	}
	delete(f.networks, w.ID)
	return f.apply(change{remove: n.elements()})
}

// publish adds ports and links; those that are there already stay.
func (f *firewall) publish(ports map[portKey]portTarget, links []linkKey) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	var ch change
	for k, v := range ports {
		if old, ok := f.ports[k]; ok && old != v {
			ch.remove = append(ch.remove, k.element(old))
		} else if ok {
			continue
		}
		f.ports[k] = v
		ch.add = append(ch.add, k.element(v))
	}
	for _, k := range links {
		if !f.links[k] {
			f.links[k] = true
			ch.add = append(ch.add, k.element())
		}
	}
	return f.apply(ch)
}

// withdraw takes ports off, and the links from and to some addresses.
func (f *firewall) withdraw(ports map[portKey]portTarget, addresses []netip.Addr) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	var ch change
	for k, v := range ports {
		if f.ports[k] == v {
			delete(f.ports, k)
			ch.remove = append(ch.remove, k.element(v))
		}
	}
	for k := range f.links {
		if slices.Contains(addresses, k.from) || slices.Contains(addresses, k.to) {
			delete(f.links, k)
			ch.remove = append(ch.remove, k.element())
		}
	}
	return f.apply(ch)
}
