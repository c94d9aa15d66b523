package netlab

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"testing"

	"github.com/containerd/errdefs"
	"github.com/dhow-containers/dhow/higher/api"
	"github.com/dhow-containers/dhow/higher/network"
	types "github.com/moby/moby/api/types/network"
	"github.com/vishvananda/netlink"
)

func (w *world) list(f api.Filters) []string {
	w.Helper()
	all, err := w.manager.NetworkList(context.Background(), f)
	must(w.T, err)
	var names []string
	for _, n := range all {
		names = append(names, n.Name)
	}
	return names
}

func TestNetworkListAndPrune(t *testing.T) {
	inWorld(t, network.DefaultConfig(), func(w *world) {
		w.restore(nil)
		w.create(types.CreateRequest{Name: "one", Labels: map[string]string{"a": "1", "b": ""}})
		w.create(types.CreateRequest{Name: "two", Labels: map[string]string{"a": "2"}, Driver: "bridge"})
		w.run("c", []string{"two"}, nil)
		one, err := w.manager.NetworkInspect(context.Background(), "one", "", false)
		must(w.T, err)
		for _, test := range []struct {
			filter api.Filters
			want   []string
		}{
			{nil, []string{"bridge", "host", "none", "one", "two"}},
			{api.Filters{"driver": {"host", "null"}}, []string{"host", "none"}},
			{api.Filters{"name": {"o"}}, []string{"host", "none", "one", "two"}},
			{api.Filters{"name": {"one"}, "driver": {"host"}}, nil},
			{api.Filters{"id": {one.ID[:7]}}, []string{"one"}},
			{api.Filters{"label": {"a"}}, []string{"one", "two"}},
			{api.Filters{"label": {"a=1"}}, []string{"one"}},
			{api.Filters{"label": {"a", "b"}}, []string{"one"}},
			{api.Filters{"type": {"builtin"}}, []string{"bridge", "host", "none"}},
			{api.Filters{"type": {"custom"}}, []string{"one", "two"}},
			{api.Filters{"dangling": {"true"}}, []string{"one"}},
			{api.Filters{"dangling": {"0"}}, []string{"bridge", "host", "none", "two"}},
			{api.Filters{"scope": {"swarm"}}, nil},
		} {
			if got := w.list(test.filter); !slices.Equal(got, test.want) {
				w.Errorf("%v: %v, want %v", test.filter, got, test.want)
			}
		}
		_, err = w.manager.NetworkList(context.Background(), api.Filters{"colour": {"red"}})
		w.refused(err, "invalid filter 'colour'")
		report, err := w.manager.NetworkPrune(context.Background(), api.Filters{"label!": {"a=1"}})
		if err != nil || len(report.NetworksDeleted) != 0 {
			w.Error(report, err)
		}
		report, err = w.manager.NetworkPrune(context.Background(), api.Filters{"until": {"1h"}})
		if err != nil || len(report.NetworksDeleted) != 0 {
			w.Error(report, err)
		}
		report, err = w.manager.NetworkPrune(context.Background(), nil)
		if err != nil || !slices.Equal(report.NetworksDeleted, []string{"one"}) {
			w.Error(report, err)
		}
	})
}

func TestNetworkCreate(t *testing.T) {
	inWorld(t, network.DefaultConfig(), func(w *world) {
		w.restore(nil)
		w.create(types.CreateRequest{Name: "n", Internal: true, Attachable: true, Options: map[string]string{
			"com.docker.network.bridge.name": "brtest", "com.docker.network.driver.mtu": "1400", "com.docker.network.container_iface_prefix": "lan"},
			IPAM: &types.IPAM{Config: []types.IPAMConfig{{
				Subnet: netip.MustParsePrefix("10.50.0.0/16"), IPRange: netip.MustParsePrefix("10.50.7.0/24"), Gateway: netip.MustParseAddr("10.50.0.254"),
				AuxAddress: map[string]netip.Addr{"printer": netip.MustParseAddr("10.50.7.0")}}}}})
		c := w.run("c", []string{"n"}, nil)
		if got := fmt.Sprint(c.endpoints[0].IPv4, c.endpoints[0].Interface, c.endpoints[0].Gateway.IsValid()); got != "10.50.7.1/16lan0false" {
			w.Error(got)
		}
		must(w.T, c.in(func() error {
			l, err := netlink.LinkByName("lan0")
			if err == nil && l.Attrs().MTU != 1400 {
				err = fmt.Errorf("mtu %d", l.Attrs().MTU)
			}
			return err
		}))
		n, err := w.manager.NetworkInspect(context.Background(), "n", "", false)
		must(w.T, err)
		if r := n.Containers[c.ID]; r.Name != "c" || r.IPv4Address.String() != "10.50.7.1/16" || r.MacAddress.String() != "02:42:0a:32:07:01" {
			w.Errorf("%+v", n.Containers)
		}
		if s := n.Status.IPAM.Subnets[netip.MustParsePrefix("10.50.0.0/16")]; s.DynamicIPsAvailable != 254 || s.IPsInUse != 5 {
			w.Errorf("%+v", s)
		}
		w.refused(w.manager.NetworkRemove(context.Background(), "n"), `network n has active endpoints (name:"c" id:"`)
		w.refused(w.manager.NetworkRemove(context.Background(), "bridge"), "bridge is a pre-defined network and cannot be removed")
		w.refused(w.manager.NetworkRemove(context.Background(), "nobody"), "network nobody not found")

		config := func(subnet, ranged, gateway string) *types.IPAM {
			c := types.IPAMConfig{Subnet: netip.MustParsePrefix(subnet)}
			if ranged != "" {
				c.IPRange = netip.MustParsePrefix(ranged)
			}
			if gateway != "" {
				c.Gateway = netip.MustParseAddr(gateway)
			}
			return &types.IPAM{Config: []types.IPAMConfig{c}}
		}
		for _, test := range []struct {
			request types.CreateRequest
			words   string
			class   func(error) bool
		}{
			{types.CreateRequest{Name: "n"}, "network with name n already exists", errdefs.IsConflict},
			{types.CreateRequest{Name: "host"}, "operation is not permitted on predefined host network", errdefs.IsPermissionDenied},
			{types.CreateRequest{Name: ""}, "name is empty", errdefs.IsInvalidArgument},
			{types.CreateRequest{Name: "x", IPAM: config("10.50.3.0/24", "", "")}, "Pool overlaps with other one on this address space", errdefs.IsPermissionDenied},
			{types.CreateRequest{Name: "x", IPAM: config("10.60.3.1/24", "", "")}, "invalid subnet 10.60.3.1/24: it should be 10.60.3.0/24", errdefs.IsInvalidArgument},
			{types.CreateRequest{Name: "x", IPAM: config("10.60.3.0/24", "10.60.0.0/16", "")}, "CIDR block is bigger than its parent subnet", errdefs.IsInvalidArgument},
			{types.CreateRequest{Name: "x", IPAM: config("10.60.3.0/24", "10.60.4.0/25", "")}, "doesn't contain ip-range", errdefs.IsInvalidArgument},
			{types.CreateRequest{Name: "x", IPAM: config("10.60.3.0/24", "", "10.60.4.1")}, "invalid gateway 10.60.4.1: parent subnet 10.60.3.0/24 doesn't contain this address", errdefs.IsInvalidArgument},
			{types.CreateRequest{Name: "x", IPAM: config("10.60.3.0/24", "", "fd00::1")}, "parent subnet is an IPv4 block", errdefs.IsInvalidArgument},
			{types.CreateRequest{Name: "x", Driver: "macvlan"}, `plugin "macvlan" not found`, errdefs.IsNotFound},
			{types.CreateRequest{Name: "x", Options: map[string]string{"colour": "red"}}, "colour=red", errdefs.IsInvalidArgument},
			{types.CreateRequest{Name: "x", Options: map[string]string{"com.docker.network.bridge.enable_icc": "perhaps"}}, "failed to parse com.docker.network.bridge.enable_icc value: perhaps", errdefs.IsInvalidArgument},
			{types.CreateRequest{Name: "x", Options: map[string]string{"com.docker.network.bridge.name": "brtest"}}, "networks have same bridge name", errdefs.IsPermissionDenied},
			{types.CreateRequest{Name: "x", Options: map[string]string{"com.docker.network.bridge.name": "lo"}}, "is no bridge", errdefs.IsConflict},
		} {
			_, err := w.manager.NetworkCreate(context.Background(), &test.request)
			w.refused(err, test.words)
			if err != nil && !test.class(err) {
				w.Errorf("%v is of another class", err)
			}
		}
		if got := w.list(api.Filters{"type": {"custom"}}); !slices.Equal(got, []string{"n"}) {
			w.Error(got)
		}
	})
}

func TestAddressesOfUsers(t *testing.T) {
	inWorld(t, network.DefaultConfig(), func(w *world) {
		w.restore(nil)
		w.create(types.CreateRequest{Name: "n", IPAM: &types.IPAM{Config: []types.IPAMConfig{{Subnet: netip.MustParsePrefix("10.50.0.0/24")}}}})
		reserve := func(name, net string, s *types.EndpointSettings) (*network.Endpoint, error) {
			return w.manager.Reserve(context.Background(), containerInfo(name), net, s)
		}
		ip := func(a string) *types.EndpointSettings {
			return &types.EndpointSettings{IPAMConfig: &types.EndpointIPAMConfig{IPv4Address: netip.MustParseAddr(a)}}
		}
		e, err := reserve("a", "n", ip("10.50.0.7"))
		if err != nil || e.IPv4.String() != "10.50.0.7/24" {
			w.Fatal(e, err)
		}
		_, err = reserve("b", "n", ip("10.50.0.7"))
		w.refused(err, "Address already in use")
		_, err = reserve("b", "n", ip("10.51.0.7"))
		w.refused(err, "no configured subnet contains IP address 10.51.0.7")
		_, err = reserve("b", "bridge", ip("172.17.0.9"))
		w.refused(err, "user-specified IP address is supported on user-defined networks only")
		w.refused(w.manager.Check("bridge", &types.EndpointSettings{Aliases: []string{"x"}}), "network-scoped aliases are only supported for user-defined networks")
		w.refused(w.manager.Check("nowhere", nil), "network nowhere not found")
		e, err = reserve("b", "n", &types.EndpointSettings{MacAddress: types.HardwareAddr{2, 1, 2, 3, 4, 5}})
		if err != nil || e.MAC.String() != "02:01:02:03:04:05" || e.IPv4.String() != "10.50.0.2/24" {
			w.Fatal(e, err)
		}
		must(w.T, w.manager.Detach(context.Background(), containerInfo("a").ID))
		if _, err = reserve("c", "n", ip("10.50.0.7")); err != nil {
			w.Error(err)
		}
	})
}

// What the host routes to is nobody's network; a bridge keeps its subnet over restarts.
func TestSubnetsAvoidRoutes(t *testing.T) {
	inEmptyWorld(t, func(w *world) {
		must(w.T, (&space{w.T, hostNS(w.T)}).route("172.17.0.0/16", "10.99.0.2"))
		w.open(network.DefaultConfig())
		w.restore(nil)
		n, err := w.manager.NetworkInspect(context.Background(), "bridge", "", false)
		must(w.T, err)
		if got := n.IPAM.Config[0].Subnet.String(); got != "172.18.0.0/16" {
			w.Error(got)
		}
		w.close()
		w.open(network.DefaultConfig())
		again, err := w.manager.NetworkInspect(context.Background(), "bridge", "", false)
		must(w.T, err)
		if again.ID != n.ID || again.IPAM.Config[0].Subnet != n.IPAM.Config[0].Subnet {
			w.Errorf("%+v, want %+v", again.Network, n.Network)
		}
		w.close()
		config := network.DefaultConfig()
		config.BIP = netip.MustParsePrefix("10.77.0.1/24")
		config.FixedCIDR = netip.MustParsePrefix("10.77.0.128/25")
		w.open(config)
		w.restore(nil)
		if c := w.run("c", []string{"bridge"}, nil); c.endpoints[0].IPv4.String() != "10.77.0.128/24" || c.endpoints[0].Gateway.String() != "10.77.0.1" {
			w.Errorf("%+v", c.endpoints[0])
		}
		link, err := netlink.LinkByName("docker0")
		must(w.T, err)
		addresses, err := netlink.AddrList(link, netlink.FAMILY_V4)
		if err != nil || len(addresses) != 1 {
			w.Error(addresses, err)
		}
	})
}
