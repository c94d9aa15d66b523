package network

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/containerd/errdefs"
	types "github.com/moby/moby/api/types/network"
	"golang.org/x/sys/unix"
)

// A binding is a port of a container that is published at one address of the host.
type binding struct {
	container types.Port
	host      netip.AddrPort // at 0.0.0.0 or :: for everywhere
	target    netip.AddrPort // where it leads; of another family if only the daemon can lead there
}

func protocol(p types.Port) uint8 {
	switch p.Proto() {
	case types.UDP:
		return unix.IPPROTO_UDP
	case types.SCTP:
		return unix.IPPROTO_SCTP
	}
	return unix.IPPROTO_TCP
}

// rule is the binding as an element of the table; false if the table cannot translate it.
func (b binding) rule() (portKey, portTarget, bool) {
	key := portKey{b.host.Addr(), protocol(b.container), b.host.Port()}
	return key, portTarget{b.target.Addr(), b.target.Port()}, b.host.Addr().Is4() == b.target.Addr().Is4()
}

func rulesOfPorts(all []binding) map[portKey]portTarget {
	rules := map[portKey]portTarget{}
	for _, b := range all {
		if key, target, ok := b.rule(); ok {
			rules[key] = target
		}
	}
	return rules
}

// portTable holds which ports of the host are ours, and at which addresses.
type portTable map[hostPort][]netip.Addr

type hostPort struct {
	proto uint8
	port  uint16
}

// clash says whether an address overlaps one that has the port.
func (t portTable) clash(k portKey) bool {
	return slices.ContainsFunc(t[hostPort{k.proto, k.port}], func(a netip.Addr) bool {
		return a == k.addr || a.Is4() == k.addr.Is4() && (a.IsUnspecified() || k.addr.IsUnspecified())
	})
}

func (t portTable) add(k portKey) {
	h := hostPort{k.proto, k.port}
	t[h] = append(t[h], k.addr)
}

func (t portTable) remove(k portKey) {
	h := hostPort{k.proto, k.port}
	if t[h] = slices.DeleteFunc(t[h], func(a netip.Addr) bool { return a == k.addr }); len(t[h]) == 0 {
		delete(t, h)
	}
}

// A wish is a container's port and where it should be: a range of one or more ports, or any for none.
type wish struct {
	port        types.Port
	addrs       []netip.Addr
	first, last uint16
}

// wishes are what -p and -P say; particular ports come first, so that those without do not take them.
func (c Container) wishes(w *entry, families []bool) ([]wish, error) {
	ports := types.PortMap{}
	for p, bindings := range c.Ports {
		ports[p] = bindings
	}
	if c.PublishAll {
		for p := range c.Exposed {
			if len(ports[p]) == 0 {
				ports[p] = []types.PortBinding{{}}
			}
		}
	}
	var all []wish
	for p, bindings := range ports {
		for _, b := range bindings {
			first, last, err := hostRange(b.HostPort)
			if err != nil {
				return nil, err
			}
			all = append(all, wish{p, bindAddresses(b.HostIP, w, families), first, last})
		}
	}
	slices.SortFunc(all, func(a, b wish) int {
		return cmp.Or(cmp.Compare(span16(a), span16(b)), cmp.Compare(a.first, b.first), cmp.Compare(a.port.Proto(), b.port.Proto()), cmp.Compare(a.port.Num(), b.port.Num()))
	})
	return all, nil
}

func span16(w wish) int {
	if w.first == 0 {
		return 1 << 16
	}
	return int(w.last) - int(w.first)
}

func hostRange(s string) (first, last uint16, err error) {
	if s == "" {
		return 0, 0, nil
	}
	low, high, isRange := strings.Cut(s, "-")
	if !isRange {
		high = low
	}
	a, errA := strconv.ParseUint(low, 10, 16)
	b, errB := strconv.ParseUint(high, 10, 16)
	if errA != nil || errB != nil || a > b {
		return 0, 0, errdefs.ErrInvalidArgument.WithMessage(fmt.Sprintf("invalid host port %q", s))
	}
	return uint16(a), uint16(b), nil
}

// bindAddresses are where a port goes for which an address was asked for, or none.
func bindAddresses(asked netip.Addr, w *entry, families []bool) []netip.Addr {
	if asked.IsValid() {
		return []netip.Addr{asked.Unmap()}
	}
	if w.binding.IsValid() {
		return []netip.Addr{w.binding}
	}
	var all []netip.Addr
	for _, v6 := range families {
		if v6 {
			all = append(all, netip.IPv6Unspecified())
		} else {
			all = append(all, netip.IPv4Unspecified())
		}
	}
	return all
}

// publisher takes the ports of one container.
type publisher struct {
	m       *Manager
	name    string // of the endpoint, for errors
	v4, v6  netip.Addr
	held    []*holder
	defined []binding
}

// publishPorts takes all ports of a container or none; v4 and v6 are its addresses, invalid for none. m.mu is held.
func (m *Manager) publishPorts(c Container, w *entry, v4, v6 netip.Addr) (*publisher, error) {
	p := &publisher{m: m, name: c.Name, v4: v4, v6: v6}
	all, err := c.wishes(w, p.families())
	for i := 0; err == nil && i < len(all); i++ {
		err = p.grant(all[i])
	}
	if err != nil {
		p.drop()
		return nil, err
	}
	return p, nil
}

// families are those of the host's addresses for a port without one: IPv6 for a container without it is the daemon's
// to serve.
func (p *publisher) families() []bool {
	var all []bool
	if p.v4.IsValid() || p.m.config.UserlandProxy {
		all = append(all, false)
	}
	if _, err := os.Stat("/proc/thread-self/net/if_inet6"); err == nil && (p.v6.IsValid() || p.m.config.UserlandProxy) {
		all = append(all, true)
	}
	return all
}

// grant finds a port for a wish that is free at all of its addresses.
func (p *publisher) grant(w wish) error {
	if w.first != 0 && w.first == w.last {
		return p.take(w, w.first)
	}
	first, last := w.first, w.last
	if first == 0 {
		first, last = ephemeral()
	}
	// Begin where nobody else is likely to be: behind the last one that was granted.
	n := int(last) - int(first) + 1
	start := 0
	if w.first == 0 {
		start = p.m.nextPort % n
	}
	var failed error
	for i := range n {
		port := first + uint16((start+i)%n)
		err := p.take(w, port)
		if err == nil {
			if w.first == 0 {
				p.m.nextPort = (start + i + 1) % n
			}
			return nil
		}
		if !errors.Is(err, errPortTaken) {
			return err
		}
		failed = err
	}
	if w.first == 0 {
		return errdefs.ErrUnavailable.WithMessage("all ports are allocated")
	}
	return failed
}

// ephemeral is the host's range of ports that nobody names, ip(7).
func ephemeral() (first, last uint16) {
	b, err := os.ReadFile("/proc/sys/net/ipv4/ip_local_port_range")
	if err == nil {
		if n, _ := fmt.Sscan(string(b), &first, &last); n == 2 && first > 0 && first <= last {
			return first, last
		}
	}
	return 49153, 65535
}

var errPortTaken = errors.New("port is taken")

// portError has Docker's sentence.
type portError struct{ text string }

func (e portError) Error() string { return e.text }
func (e portError) Is(target error) bool {
	return target == errPortTaken || target == errdefs.ErrConflict
}

// take binds a port at all addresses of a wish, or at none.
func (p *publisher) take(w wish, port uint16) error {
	before := len(p.held)
	for _, addr := range w.addrs {
		b := binding{container: w.port, host: netip.AddrPortFrom(addr, port)}
		target := p.v4
		if addr.Is6() && p.v6.IsValid() || !target.IsValid() {
			target = p.v6
		}
		b.target = netip.AddrPortFrom(target, w.port.Num())
		if err := p.bind(b); err != nil {
			p.dropFrom(before)
			return err
		}
	}
	return nil
}

func (p *publisher) bind(b binding) error {
	key, _, _ := b.rule()
	if p.m.ports.clash(key) {
		return portError{fmt.Sprintf("Bind for %s failed: port is already allocated", b.host)}
	}
	h, err := hold(b)
	if errors.Is(err, unix.EADDRINUSE) {
		return portError{fmt.Sprintf("failed to bind host port %s/%s: address already in use", b.host, b.container.Proto())}
	}
	if errno := unix.Errno(0); errors.As(err, &errno) {
		err = errno // what a client reads has the address already
	}
	if err != nil {
		return fmt.Errorf("failed to bind host port %s/%s: %w", b.host, b.container.Proto(), err)
	}
	p.m.ports.add(key)
	p.held, p.defined = append(p.held, h), append(p.defined, b)
	return nil
}

// drop gives all back.
func (p *publisher) drop() { p.dropFrom(0) }

func (p *publisher) dropFrom(n int) {
	for _, h := range p.held[n:] {
		p.m.release(h)
	}
	p.held, p.defined = p.held[:n], p.defined[:n]
}

func (m *Manager) release(h *holder) {
	key, _, _ := h.binding.rule()
	m.ports.remove(key)
	h.Close()
}

// serve starts what only the daemon can do.
func (p *publisher) serve() {
	for _, h := range p.held {
		h.serve(p.m.config.UserlandProxy)
	}
}

// portMap is what inspect shows: exposed ports, too, with nothing.
func portMap(c Container, all []binding) types.PortMap {
	ports := types.PortMap{}
	for p := range c.Exposed {
		ports[p] = nil
	}
	for p := range c.Ports {
		ports[p] = nil
	}
	for _, b := range all {
		ports[b.container] = append(ports[b.container], types.PortBinding{HostIP: b.host.Addr(), HostPort: strconv.Itoa(int(b.host.Port()))})
	}
	return ports
}
