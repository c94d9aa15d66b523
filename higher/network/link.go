package network

import (
	"net"
	"net/netip"
	"os"
	"strings"
	"syscall"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// veth is a pair of devices: one is a port of a bridge here, the other lies in a container; see veth(4).
type veth struct {
	host      string // our end
	bridge    int    // index of the device it becomes a port of; 0 for none
	isolated  bool   // from other isolated ports of the bridge
	hairpin   bool   // the bridge sends back what came from here, if it is for here
	container string // the name of the other end
	netns     *os.File
	mac       net.HardwareAddr // of the other end
	mtu       int
}

// requests make the pair, up on both sides.
func (v veth) requests() []request {
	add := newRequest("make the veth pair "+v.host+" of interface "+v.container, unix.RTM_NEWLINK, unix.NLM_F_CREATE|unix.NLM_F_EXCL)
	head := nl.NewIfInfomsg(unix.AF_UNSPEC)
	head.Flags, head.Change = unix.IFF_UP, unix.IFF_UP
	add.AddData(head)
	add.AddData(nl.NewRtAttr(unix.IFLA_IFNAME, nl.ZeroTerminated(v.host)))
	add.AddData(nl.NewRtAttr(unix.IFLA_MTU, nl.Uint32Attr(uint32(v.mtu))))
	if v.bridge != 0 {
		add.AddData(nl.NewRtAttr(unix.IFLA_MASTER, nl.Uint32Attr(uint32(v.bridge))))
	}
	info := nl.NewRtAttr(unix.IFLA_LINKINFO, nil)
	info.AddRtAttr(unix.IFLA_INFO_KIND, nl.NonZeroTerminated("veth"))
	peer := info.AddRtAttr(unix.IFLA_INFO_DATA, nil).AddRtAttr(nl.VETH_INFO_PEER, nil)
	nl.NewIfInfomsgChild(peer, unix.AF_UNSPEC)
	peer.AddRtAttr(unix.IFLA_IFNAME, nl.ZeroTerminated(v.container))
	peer.AddRtAttr(unix.IFLA_MTU, nl.Uint32Attr(uint32(v.mtu)))
	peer.AddRtAttr(unix.IFLA_ADDRESS, v.mac)
	peer.AddRtAttr(unix.IFLA_NET_NS_FD, nl.Uint32Attr(uint32(v.netns.Fd())))
	add.AddData(info)
	if !v.isolated && !v.hairpin {
		return []request{add}
	}
	return []request{add, v.flags()}
}

// flags sets those of the bridge's port, see bridge(8), by the device's name: its index is not known yet.
func (v veth) flags() request {
	set := newRequest("set the flags of bridge port "+v.host, unix.RTM_NEWLINK, 0)
	set.AddData(nl.NewIfInfomsg(unix.AF_UNSPEC))
	set.AddData(nl.NewRtAttr(unix.IFLA_IFNAME, nl.ZeroTerminated(v.host)))
	info := nl.NewRtAttr(unix.IFLA_LINKINFO, nil)
	info.AddRtAttr(unix.IFLA_INFO_SLAVE_KIND, nl.NonZeroTerminated("bridge"))
	data := info.AddRtAttr(unix.IFLA_INFO_SLAVE_DATA, nil)
	if v.isolated {
		data.AddRtAttr(nl.IFLA_BRPORT_ISOLATED, []byte{1})
	}
	if v.hairpin {
		data.AddRtAttr(nl.IFLA_BRPORT_MODE, []byte{1})
	}
	set.AddData(info)
	return set
}

// removeLink takes a device away, the other end of a pair with it; one that is gone is no error.
func removeLink(name string) request {
	del := newRequest("remove the device "+name, unix.RTM_DELLINK, 0)
	del.AddData(nl.NewIfInfomsg(unix.AF_UNSPEC))
	del.AddData(nl.NewRtAttr(unix.IFLA_IFNAME, nl.ZeroTerminated(name)))
	del.tolerate = unix.ENODEV
	return del
}

// askLink asks for a device by name; linkFrom reads the answer.
func askLink(name string) request {
	get := newRequest("find the device "+name, unix.RTM_GETLINK, 0)
	get.AddData(nl.NewIfInfomsg(unix.AF_UNSPEC))
	get.AddData(nl.NewRtAttr(unix.IFLA_IFNAME, nl.ZeroTerminated(name)))
	return get
}

// noticeCarrier has a device transmit that has just got a carrier: a port of a bridge whose other end was turned on, then
// the bridge that had no other port. The kernel (6.8 and newer) sees to that before it tells of the device; otherwise a
// worker of its does, some time later. Until then packets are lost, which costs the sender of the first a second, or, if it
// is a datagram and the address was another container's before, its answer.
func noticeCarrier(name string) request {
	get := askLink(name)
	get.doing, get.tolerate = "wait for the device "+name, unix.ENODEV
	return get
}

// linkFrom returns index and name of a device.
func linkFrom(m syscall.NetlinkMessage) (index int, name string) {
	if m.Header.Type != unix.RTM_NEWLINK || len(m.Data) < unix.SizeofIfInfomsg {
		return 0, ""
	}
	attrs, err := nl.ParseRouteAttr(m.Data[unix.SizeofIfInfomsg:])
	if err != nil {
		return 0, ""
	}
	for _, a := range attrs {
		if a.Attr.Type == unix.IFLA_IFNAME {
			name = strings.TrimRight(string(a.Value), "\x00")
		}
	}
	return int(nl.DeserializeIfInfomsg(m.Data).Index), name
}

// setUp turns a device on.
func setUp(index int) request {
	set := newRequest("turn a device on", unix.RTM_NEWLINK, 0)
	head := nl.NewIfInfomsg(unix.AF_UNSPEC)
	head.Index, head.Flags, head.Change = int32(index), unix.IFF_UP, unix.IFF_UP
	set.AddData(head)
	return set
}

// addAddress gives a device an address; one that it has already is no error.
func addAddress(index int, p netip.Prefix) request {
	add := newRequest("set address "+p.String(), unix.RTM_NEWADDR, unix.NLM_F_CREATE|unix.NLM_F_EXCL)
	family, flags := unix.AF_INET, 0
	if p.Addr().Is6() {
		// Nobody else has the address: the daemon hands them out.
		family, flags = unix.AF_INET6, unix.IFA_F_NODAD
	}
	head := nl.NewIfAddrmsg(family)
	head.Index, head.Prefixlen, head.Flags = uint32(index), uint8(p.Bits()), uint8(flags)
	add.AddData(head)
	add.AddData(nl.NewRtAttr(unix.IFA_LOCAL, p.Addr().AsSlice()))
	add.AddData(nl.NewRtAttr(unix.IFA_ADDRESS, p.Addr().AsSlice()))
	if p.Addr().Is4() && p.Bits() < 31 {
		add.AddData(nl.NewRtAttr(unix.IFA_BROADCAST, lastAddr(p).AsSlice()))
	}
	add.tolerate = unix.EEXIST
	return add
}

// removeAddress takes an address from a device.
func removeAddress(index int, p netip.Prefix) request {
	del := newRequest("remove address "+p.String(), unix.RTM_DELADDR, 0)
	family := unix.AF_INET
	if p.Addr().Is6() {
		family = unix.AF_INET6
	}
	head := nl.NewIfAddrmsg(family)
	head.Index, head.Prefixlen = uint32(index), uint8(p.Bits())
	del.AddData(head)
	del.AddData(nl.NewRtAttr(unix.IFA_LOCAL, p.Addr().AsSlice()))
	del.tolerate = unix.EADDRNOTAVAIL
	return del
}

// addDefault makes the route to everywhere; the one there was is replaced.
func addDefault(index int, gateway netip.Addr) request {
	return defaultRoute("set the default route by "+gateway.String(), unix.RTM_NEWROUTE, unix.NLM_F_CREATE|unix.NLM_F_REPLACE, index, gateway)
}

func defaultRoute(doing string, message, flags, index int, gateway netip.Addr) request {
	r := newRequest(doing, message, flags)
	head := nl.NewRtMsg()
	head.Family = unix.AF_INET
	if gateway.Is6() {
		head.Family = unix.AF_INET6
	}
	r.AddData(head)
	r.AddData(nl.NewRtAttr(unix.RTA_GATEWAY, gateway.AsSlice()))
	r.AddData(nl.NewRtAttr(unix.RTA_OIF, nl.Uint32Attr(uint32(index))))
	return r
}
