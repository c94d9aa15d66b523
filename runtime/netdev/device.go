package netdev

import (
	"encoding/binary"
	"errors"

	"golang.org/x/sys/unix"
)

// link is what has to be known of a network device.
type link struct {
	index uint32
	flags uint32 // IFF_*
}

// ifinfo is a struct ifinfomsg that changes the given flags.
func ifinfo(index, flags, change uint32) []byte {
	b := make([]byte, unix.SizeofIfInfomsg)
	binary.NativeEndian.PutUint32(b[4:], index)
	binary.NativeEndian.PutUint32(b[8:], flags)
	binary.NativeEndian.PutUint32(b[12:], change)
	return b
}

// link finds the device called name; ENODEV when there is none.
func (c *conn) link(name string) (link, error) {
	list, err := c.do(unix.RTM_GETLINK, unix.NLM_F_ACK, attribute(ifinfo(0, 0, 0), unix.IFLA_IFNAME, text(name)))
	if err != nil {
		return link{}, err
	}
	if len(list) == 0 || len(list[0]) < unix.SizeofIfInfomsg {
		return link{}, errors.New("internal error: netlink does not tell of a device")
	}
	return link{binary.NativeEndian.Uint32(list[0][4:]), binary.NativeEndian.Uint32(list[0][8:])}, nil
}

// up switches a device on.
func (c *conn) up(index uint32) error {
	_, err := c.do(unix.RTM_NEWLINK, unix.NLM_F_ACK, ifinfo(index, unix.IFF_UP, unix.IFF_UP))
	return err
}

// indexTries bounds how many numbers are tried for a device whose own is taken in the other namespace.
const indexTries = 1024

// send moves a device into the network namespace ns and gives it a name, in one request. It returns the number
// that the device has there.
func (c *conn) send(index uint32, ns int, name string) (uint32, error) {
	msg := attribute(ifinfo(index, 0, 0), unix.IFLA_NET_NS_FD, number(uint32(ns)))
	msg = attribute(msg, unix.IFLA_IFNAME, text(name))
	there := index
	for range indexTries {
		_, err := c.do(unix.RTM_NEWLINK, unix.NLM_F_ACK, attribute(msg[:len(msg):len(msg)], unix.IFLA_NEW_IFINDEX, number(there)))
		if !errors.Is(err, unix.EBUSY) {
			return there, err
		}
		there++
	}
	return 0, unix.EBUSY
}

// address is an address of a device, as RTM_NEWADDR takes it.
type address []byte

// The flags of an address that are a property of it; the others are states that the kernel keeps.
const ownFlags = unix.IFA_F_NODAD | unix.IFA_F_HOMEADDRESS | unix.IFA_F_MANAGETEMPADDR | unix.IFA_F_NOPREFIXROUTE | unix.IFA_F_MCAUTOJOIN

// addresses lists the permanent addresses of global scope that a device has: those that move along.
func (c *conn) addresses(index uint32) ([]address, error) {
	list, err := c.dump(unix.RTM_GETADDR, make([]byte, unix.SizeofIfAddrmsg))
	if err != nil {
		return nil, err
	}
	var found []address
	for _, b := range list {
		if len(b) < unix.SizeofIfAddrmsg || binary.NativeEndian.Uint32(b[4:]) != index {
			continue
		}
		if a := keptAddress(b); a != nil {
			found = append(found, a)
		}
	}
	return found, nil
}

// keptAddress turns what the kernel says of an address into what sets it again; nil for one that stays behind.
// The label, which has the device's old name in it, does not come along.
func keptAddress(b []byte) address {
	attrs := attributes(b[unix.SizeofIfAddrmsg:])
	flags := uint32(b[2])
	if all := attrs[unix.IFA_FLAGS]; len(all) == 4 {
		flags = binary.NativeEndian.Uint32(all)
	}
	if flags&unix.IFA_F_PERMANENT == 0 || b[3] != unix.RT_SCOPE_UNIVERSE {
		return nil
	}
	head := make([]byte, unix.SizeofIfAddrmsg)
	head[0], head[1], head[3] = b[0], b[1], b[3] // family, prefix length, scope
	msg := attribute(head, unix.IFA_FLAGS, number(flags&ownFlags))
	for _, kind := range [...]uint16{unix.IFA_LOCAL, unix.IFA_ADDRESS, unix.IFA_BROADCAST} {
		if value, ok := attrs[kind]; ok {
			msg = attribute(msg, kind, value)
		}
	}
	return msg
}

// add gives a device an address; one that it has already is no error.
func (c *conn) add(index uint32, a address) error {
	binary.NativeEndian.PutUint32(a[4:], index)
	_, err := c.do(unix.RTM_NEWADDR, unix.NLM_F_ACK|unix.NLM_F_CREATE|unix.NLM_F_REPLACE, a)
	return err
}
