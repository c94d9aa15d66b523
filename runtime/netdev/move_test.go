package netdev

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// network is a network namespace of the test's own, and a socket in it.
type network struct {
	*conn
	ns int
}

// networks puts the test's thread into a new network namespace and returns it with a second one.
func networks(t *testing.T) (host, inside network) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	runtime.LockOSThread() // and never unlocked: the thread ends with the test
	inside = newNetwork(t)
	return newNetwork(t), inside
}

func reopen(t *testing.T) int {
	t.Helper()
	fd, err := unix.Open("/proc/thread-self/ns/net", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	return fd
}

func newNetwork(t *testing.T) network {
	t.Helper()
	n := openNetwork(t)
	t.Cleanup(n.leave)
	return n
}

func (n network) leave() {
	n.close()
	unix.Close(n.ns)
}

func openNetwork(t *testing.T) network {
	t.Helper()
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		t.Fatal(err)
	}
	c, err := dial()
	if err != nil {
		t.Fatal(err)
	}
	return network{c, reopen(t)}
}

// make makes a device: a pair of a kind that has two ends, the other with a name of the kernel's.
func (n network) make(t *testing.T, kind, name string) {
	t.Helper()
	info := attribute(nil, unix.IFLA_INFO_KIND, text(kind))
	msg := attribute(attribute(ifinfo(0, 0, 0), unix.IFLA_IFNAME, text(name)), unix.IFLA_LINKINFO, info)
	if _, err := n.do(unix.RTM_NEWLINK, unix.NLM_F_ACK|unix.NLM_F_CREATE|unix.NLM_F_EXCL, msg); err != nil {
		t.Fatalf("cannot make the %s %s: %v", kind, name, err)
	}
}

func (n network) find(t *testing.T, name string) link {
	t.Helper()
	l, err := n.link(name)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return l
}

func (n network) lacks(t *testing.T, name string) {
	t.Helper()
	if _, err := n.link(name); !errors.Is(err, unix.ENODEV) {
		t.Errorf("%s is there: %v", name, err)
	}
}

// give adds an address that lasts for so many seconds; 0 is for ever.
func (n network) give(t *testing.T, index uint32, prefix string, scope byte, seconds uint32) {
	t.Helper()
	p := netip.MustParsePrefix(prefix)
	head := make([]byte, unix.SizeofIfAddrmsg)
	head[0], head[1], head[3] = unix.AF_INET, byte(p.Bits()), scope
	if p.Addr().Is6() {
		head[0] = unix.AF_INET6
	}
	msg := attribute(head, unix.IFA_FLAGS, number(unix.IFA_F_NODAD))
	msg = attribute(attribute(msg, unix.IFA_LOCAL, p.Addr().AsSlice()), unix.IFA_ADDRESS, p.Addr().AsSlice())
	if seconds > 0 {
		cache := slices.Concat(number(seconds), number(seconds), number(0), number(0))
		msg = attribute(msg, unix.IFA_CACHEINFO, cache)
	}
	if err := n.add(index, msg); err != nil {
		t.Fatalf("cannot add %s: %v", prefix, err)
	}
}

// has lists all addresses of a device but the kernel's own link-local ones.
func (n network) has(t *testing.T, index uint32) []string {
	t.Helper()
	answers, err := n.do(unix.RTM_GETADDR, unix.NLM_F_DUMP, make([]byte, unix.SizeofIfAddrmsg))
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, b := range answers {
		attrs := attributes(b[unix.SizeofIfAddrmsg:])
		a, _ := netip.AddrFromSlice(attrs[unix.IFA_ADDRESS])
		if uint32(b[4])|uint32(b[5])<<8 == index && !a.IsLinkLocalUnicast() {
			list = append(list, netip.PrefixFrom(a, int(b[1])).String())
		}
	}
	slices.Sort(list)
	return list
}

func devices(pairs ...string) map[string]specs.LinuxNetDevice {
	list := map[string]specs.LinuxNetDevice{}
	for i := 0; i < len(pairs); i += 2 {
		list[pairs[i]] = specs.LinuxNetDevice{Name: pairs[i+1]}
	}
	return list
}

func TestMoveAndBack(t *testing.T) {
	host, inside := networks(t)
	host.make(t, "veth", "eth0")
	host.make(t, "veth", "eth1")
	before := host.find(t, "eth0")
	if err := host.up(before.index); err != nil {
		t.Fatal(err)
	}
	host.give(t, before.index, "192.0.2.7/24", unix.RT_SCOPE_UNIVERSE, 0)
	host.give(t, before.index, "203.0.113.8/24", unix.RT_SCOPE_LINK, 0)
	host.give(t, before.index, "198.51.100.1/32", unix.RT_SCOPE_UNIVERSE, 1000)
	host.give(t, before.index, "2001:db8::7/64", unix.RT_SCOPE_UNIVERSE, 0)
	want := host.has(t, before.index)

	m, err := Move(inside.ns, devices("eth0", "ctr0", "eth1", ""))
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	host.lacks(t, "eth0")
	host.lacks(t, "eth1")
	moved := inside.find(t, "ctr0")
	if moved.flags&unix.IFF_UP == 0 || inside.find(t, "eth1").flags&unix.IFF_UP == 0 {
		t.Error("the devices are not up")
	}
	if got := inside.has(t, moved.index); !slices.Equal(got, []string{"192.0.2.7/24", "2001:db8::7/64"}) {
		t.Errorf("inside it has %v", got)
	}

	if err := m.Back(); err != nil {
		t.Fatal(err)
	}
	inside.lacks(t, "ctr0")
	after := host.find(t, "eth0")
	if after.index != before.index || after.flags&unix.IFF_UP == 0 {
		t.Errorf("back it is %+v, was %+v", after, before)
	}
	if host.find(t, "eth1").flags&unix.IFF_UP != 0 {
		t.Error("eth1 is up, and was not")
	}
	got := host.has(t, after.index)
	for _, a := range []string{"192.0.2.7/24", "2001:db8::7/64"} {
		if !slices.Contains(got, a) {
			t.Errorf("of the addresses %v there are %v", want, got)
		}
	}
}

// TestMoveIndexTaken: the number of the device is another's in the other namespace.
func TestMoveIndexTaken(t *testing.T) {
	host, inside := networks(t)
	host.make(t, "veth", "eth0")
	inside.make(t, "veth", "other0")
	before := host.find(t, "eth0")
	m, err := Move(inside.ns, devices("eth0", "net%d"))
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	if got := inside.find(t, "net0"); got.index == inside.find(t, "other0").index || got.flags&unix.IFF_UP == 0 {
		t.Errorf("inside it is %+v, was %+v", got, before)
	}
}

func TestMoveErrors(t *testing.T) {
	for name, c := range map[string]struct {
		devices map[string]specs.LinuxNetDevice
		want    string
	}{
		"no such device": {devices("good0", "", "none0", ""), "cannot move the network device none0 (linux.netDevices): no such device"},
		"name taken":     {devices("good0", "", "other0", "taken0"), "cannot move the network device other0 (linux.netDevices): the container's network namespace has a device taken0 already"},
		"own name taken": {devices("good0", "", "taken0", ""), "the container's network namespace has a device taken0 already"},
		"immutable":      {devices("good0", "", "other0", "", "zlocal0", "x"), "cannot move the network device zlocal0 (linux.netDevices): invalid argument"},
	} {
		t.Run(name, func(t *testing.T) {
			host, inside := networks(t)
			for _, name := range []string{"good0", "other0", "taken0"} {
				host.make(t, "veth", name)
			}
			host.make(t, "bridge", "zlocal0")
			inside.make(t, "veth", "taken0")
			m, err := Move(inside.ns, c.devices)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("Move gives %v and the error %v, want %q", m, err, c.want)
			}
			for _, name := range []string{"good0", "other0", "taken0", "zlocal0"} {
				host.find(t, name)
			}
			inside.lacks(t, "good0")
			inside.lacks(t, "other0")
		})
	}
}

// TestBackFromTheDead: the namespace of a process that has ended is there until the devices are back.
func TestBackFromTheDead(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	runtime.LockOSThread()
	inside := openNetwork(t)
	host := newNetwork(t)
	host.make(t, "veth", "eth0")
	m, err := Move(inside.ns, devices("eth0", ""))
	inside.leave()
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	if err := m.Back(); err != nil {
		t.Fatal(err)
	}
	host.find(t, "eth0")
}

func FuzzAttributes(f *testing.F) {
	f.Add(attribute(nil, unix.IFLA_IFNAME, text("eth0")))
	f.Add([]byte{4, 0, 1, 0, 3})
	f.Fuzz(func(_ *testing.T, b []byte) { attributes(b) })
}

// Root of the namespace can send to any netlink socket in it: only the kernel's answers count.
func TestForgedAnswer(t *testing.T) {
	host, _ := networks(t)
	if _, err := host.link("lo"); err != nil { // binds the socket
		t.Fatal(err)
	}
	bound, err := unix.Getsockname(host.fd)
	if err != nil {
		t.Fatal(err)
	}
	forger, err := dial()
	if err != nil {
		t.Fatal(err)
	}
	defer forger.close()
	noDevice := -int32(unix.ENODEV)
	answer := slices.Concat(number(unix.SizeofNlMsghdr+4), binary.NativeEndian.AppendUint16(nil, unix.NLMSG_ERROR), []byte{0, 0},
		number(host.seq+1), number(0), number(uint32(noDevice)))
	if err := unix.Sendto(forger.fd, answer, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Pid: bound.(*unix.SockaddrNetlink).Pid}); err != nil {
		t.Fatal(err)
	}
	if _, err := host.link("lo"); err != nil {
		t.Errorf("an answer that is not the kernel's was believed: %v", err)
	}
}
