package network

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"slices"

	"github.com/google/nftables"
	"golang.org/x/sys/unix"
)

// An element is one of a set or map of the table.
type element struct {
	set string
	nftables.SetElement
}

// portKey is where a port is published: at a particular address of the host, or everywhere (addr unspecified, of the
// family).
type portKey struct {
	addr  netip.Addr
	proto uint8
	port  uint16
}

// portTarget is where it leads.
type portTarget struct {
	addr netip.Addr
	port uint16
}

// linkKey is what a container without ICC may still reach of another.
type linkKey struct {
	from, to netip.Addr
	proto    uint8
	port     uint16
}

func (k portKey) element(v portTarget) element {
	e := element{set: setPorts4}
	if k.addr.Is6() {
		e.set = setPorts6
	}
	if k.addr.IsUnspecified() {
		e.set += "any"
	} else {
		e.Key = k.addr.AsSlice()
	}
	e.Key = slices.Concat(e.Key, protoBytes(k.proto), portBytes(k.port))
	e.Val = slices.Concat(v.addr.AsSlice(), portBytes(v.port))
	return e
}

func (k linkKey) element() element {
	e := element{set: setLinks}
	e.Key = slices.Concat(k.from.AsSlice(), k.to.AsSlice(), protoBytes(k.proto), portBytes(k.port))
	return e
}

// The parts of a concatenation are padded to four bytes.
func protoBytes(p uint8) []byte { return []byte{p, 0, 0, 0} }

func portBytes(p uint16) []byte { return append(binary.BigEndian.AppendUint16(nil, p), 0, 0) }

// ifname is a device's name as packets' meta data have it.
func ifname(name string) []byte {
	b := make([]byte, unix.IFNAMSIZ)
	copy(b, name)
	return b
}

func (n netRules) elements() []element {
	name := ifname(n.bridge)
	pair := slices.Concat(name, name)
	all := []element{{setBridges, nftables.SetElement{Key: name}}, {setSame, nftables.SetElement{Key: pair}}}
	if n.icc {
		all = append(all, element{setICC, nftables.SetElement{Key: pair}})
	} else {
		all = append(all, element{setNoICC, nftables.SetElement{Key: name}})
	}
	for _, p := range n.subnets {
		all = append(all, subnetElements(p)...)
	}
	if n.masquerade {
		all = append(all, element{setMasquerade, nftables.SetElement{Key: name}})
	}
	if n.internal {
		all = append(all, element{setInternal, nftables.SetElement{Key: name}})
	}
	return all
}

// subnetElements are where an interval begins and where the next thing does.
func subnetElements(p netip.Prefix) []element {
	set := setSubnets4
	if p.Addr().Is6() {
		set = setSubnets6
	}
	all := []element{{set, nftables.SetElement{Key: p.Addr().AsSlice()}}}
	if end := lastAddr(p).Next(); end.IsValid() {
		all = append(all, element{set, nftables.SetElement{Key: end.AsSlice(), IntervalEnd: true}})
	}
	return all
}

// perMessage is how many elements go into one message: an attribute has a length of 16 bits.
const perMessage = 400

func (t *table) addElements(c *nftables.Conn, all []element) error {
	return t.eachSet(all, c.SetAddElements)
}

func (t *table) removeElements(c *nftables.Conn, all []element) error {
	return t.eachSet(all, c.SetDeleteElements)
}

func (t *table) eachSet(all []element, do func(*nftables.Set, []nftables.SetElement) error) error {
	bySet := map[string][]nftables.SetElement{}
	for _, e := range all {
		bySet[e.set] = append(bySet[e.set], e.SetElement)
	}
	var failed error
	for name, elements := range bySet {
		for part := range slices.Chunk(elements, perMessage) {
			failed = errors.Join(failed, do(t.sets[name], part))
		}
	}
	return failed
}
