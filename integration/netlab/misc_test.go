package netlab

import (
	"context"
	"net/netip"
	"os"
	"strings"
	"testing"

	"github.com/dhow-containers/dhow/higher/network"
	types "github.com/moby/moby/api/types/network"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

func TestNoneAndHost(t *testing.T) {
	inWorld(t, network.DefaultConfig(), func(w *world) {
		w.restore(nil)
		none := w.run("none", []string{"none"}, nil)
		must(w.T, none.in(func() error {
			links, err := netlink.LinkList()
			if err == nil && (len(links) != 1 || links[0].Attrs().Flags&1 == 0) {
				w.Errorf("devices %v", links)
			}
			return err
		}))
		c := containerInfo("host")
		c.ExtraHosts = []string{"gateway.example:host-gateway", "six:[2001:db8::1]"}
		_, err := w.manager.Reserve(context.Background(), c, "host", nil)
		must(w.T, err)
		must(w.T, w.manager.Attach(context.Background(), c.ID, nil))
		files, err := w.manager.Files(context.Background(), c.ID)
		must(w.T, err)
		own, err := os.ReadFile("/etc/hosts")
		must(w.T, err)
		if got, want := string(files.Hosts), string(own)+"172.17.0.1\tgateway.example\n2001:db8::1\tsix\n"; got != want {
			w.Errorf("hosts:\n%s\nwant\n%s", got, want)
		}
		if n, err := w.manager.NetworkInspect(context.Background(), "host", "local", true); err != nil || n.Containers[c.ID].Name != "host" {
			w.Error(n, err)
		}
		w.refused(w.manager.CheckConnect(c.ID, "bridge"), "cannot be connected to any other network")
		w.refused(w.manager.CheckConnect(none.ID, "bridge"), "in private (none) mode")
		w.refused(w.manager.CheckConnect(none.ID, "host"), "cannot connect container to host network")
	})
}

func TestLinksOfTheDefaultBridge(t *testing.T) {
	inWorld(t, network.DefaultConfig(), func(w *world) {
		w.restore(nil)
		db := w.run("db", []string{"bridge"}, nil)
		web := w.run("web", []string{"bridge"}, func(c *network.Container) {
			c.Links = []network.Link{{ID: db.ID, Name: "db", Alias: "store"}}
			c.Hostname, c.Domainname = "www", "example.org"
			c.DNS, c.DNSSearch, c.DNSOptions = []netip.Addr{netip.MustParseAddr("192.0.2.1")}, []string{"."}, []string{"ndots:2"}
		})
		files, err := w.manager.Files(context.Background(), web.ID)
		must(w.T, err)
		if want := "172.17.0.2\tstore " + db.ID[:12] + " db\n172.17.0.3\twww.example.org www\n"; !strings.HasSuffix(string(files.Hosts), want) {
			w.Errorf("hosts:\n%s\nwant at the end\n%s", files.Hosts, want)
		}
		if want := "nameserver 192.0.2.1\noptions ndots:2\n"; !strings.HasSuffix(string(files.ResolvConf), want) {
			w.Errorf("resolv.conf:\n%s\nwant at the end\n%s", files.ResolvConf, want)
		}
	})
}

// A host that routed before we came goes on; one that did not is no router because of us.
func TestForwardingOfOthers(t *testing.T) {
	for _, before := range []string{"0", "1"} {
		t.Run("ip_forward="+before, func(t *testing.T) {
			inEmptyWorld(t, func(w *world) {
				other := w.neighbour("other", "10.98.0.1/24", "10.98.0.2/24")
				other.serveTCP(":80", "other")
				must(w.T, w.outside.route("10.98.0.0/24", "10.99.0.1"))
				must(w.T, other.route("10.99.0.0/24", "10.98.0.1"))
				must(w.T, os.WriteFile("/proc/sys/net/ipv4/ip_forward", []byte(before), 0))
				for range 2 { // the second daemon finds forwarding on, but knows why
					w.open(network.DefaultConfig())
					w.restore(nil)
					if before == "1" {
						w.reaches(w.outside, "tcp", "10.98.0.2:80", "other")
					} else {
						w.barred(w.outside, "tcp", "10.98.0.2:80")
					}
					w.close()
				}
				config := network.DefaultConfig()
				config.IPForwardNoDrop = true
				w.open(config)
				w.restore(nil)
				w.reaches(w.outside, "tcp", "10.98.0.2:80", "other")
			})
		})
	}
}

func TestFlagsOfTheDefaultBridge(t *testing.T) {
	inEmptyWorld(t, func(w *world) {
		config := network.DefaultConfig()
		config.Bridge = "mine"
		_, err := w.tryOpen(config)
		w.refused(err, "bridge device with non default name mine must be created manually")
		attrs := netlink.NewLinkAttrs()
		attrs.Name = "mine"
		must(w.T, netlink.LinkAdd(&netlink.Bridge{LinkAttrs: attrs}))
		link, err := netlink.LinkByName("mine")
		must(w.T, err)
		a, err := netlink.ParseAddr("10.66.0.5/24")
		must(w.T, err)
		must(w.T, netlink.AddrAdd(link, a))
		config.MTU, config.HostIP, config.IPMasq = 1300, netip.MustParseAddr("10.99.0.1"), false
		config.IPv6, config.FixedCIDR6 = true, netip.MustParsePrefix("fd66::/64")
		w.open(config)
		w.restore(nil)
		c := w.run("c", []string{"bridge"}, publish("8080:80/tcp"))
		c.serveTCP(":80", "c")
		if e := c.endpoints[0]; e.IPv4.String() != "10.66.0.1/24" || e.Gateway.String() != "10.66.0.5" || e.IPv6.String() != "fd66::2/64" {
			w.Errorf("%+v", e)
		}
		w.reaches(w.outside, "tcp", "10.99.0.1:8080", "c")
		w.barred(w, "tcp", "127.0.0.1:8080")
		w.outside.serveTCP(":80", "outside")
		w.barred(c, "tcp", "10.99.0.2:80") // nobody knows the way back
		must(w.T, w.outside.route("10.66.0.0/24", "10.99.0.1"))
		w.reaches(c, "tcp", "10.99.0.2:80", "outside 10.66.0.1")
		must(w.T, c.in(func() error {
			l, err := netlink.LinkByName("eth0")
			if err == nil && l.Attrs().MTU != 1300 {
				w.Errorf("mtu %d", l.Attrs().MTU)
			}
			return err
		}))
		w.close()
		config = network.DefaultConfig()
		config.BIP, config.DefaultGateway = netip.MustParsePrefix("10.67.0.1/24"), netip.MustParseAddr("10.67.0.200")
		w.open(config)
		w.restore(nil)
		d := w.run("d", []string{"bridge"}, nil)
		if e := d.endpoints[0]; e.IPv4.String() != "10.67.0.2/24" || e.Gateway.String() != "10.67.0.200" {
			w.Errorf("%+v", e)
		}
		w.close()
		config = network.DefaultConfig()
		config.Bridge = "none"
		w.open(config)
		w.restore(nil)
		if _, err := w.manager.NetworkInspect(context.Background(), "bridge", "", false); err == nil {
			w.Error("there is a network bridge with --bridge=none")
		}
		w.close()
		for _, bad := range []func(*network.Config){
			func(c *network.Config) { c.Bridge, c.BIP = "mine", netip.MustParsePrefix("10.0.0.1/24") },
			func(c *network.Config) { c.Firewall, c.ICC = false, false },
			func(c *network.Config) { c.BIP = netip.MustParsePrefix("10.0.0.0/24") },
			func(c *network.Config) {
				c.AddressPools = []network.AddressPool{{Base: netip.MustParsePrefix("10.0.0.0/24"), Size: 16}}
			},
		} {
			config := network.DefaultConfig()
			bad(&config)
			if _, err := w.tryOpen(config); err == nil {
				w.Errorf("no error for %+v", config)
			}
		}
	})
}

// Devices that somebody removes while containers run are an error that says so, and a restart mends it.
func TestBridgeRemovedBySomebody(t *testing.T) {
	inWorld(t, network.DefaultConfig(), func(w *world) {
		w.restore(nil)
		link, err := netlink.LinkByName("docker0")
		must(w.T, err)
		must(w.T, netlink.LinkDel(link))
		_, err = w.attach("a", "bridge", publish())
		w.refused(err, "the bridge docker0 of network bridge was removed by somebody")
		w.close()
		w.open(network.DefaultConfig())
		w.restore(nil)
		a := w.run("a", []string{"bridge"}, nil)
		a.serveTCP(":80", "a")
		w.reaches(w, "tcp", a.addr().String()+":80", "a")
	})
}

func TestGatewayPriority(t *testing.T) {
	inWorld(t, network.DefaultConfig(), func(w *world) {
		w.restore(nil)
		w.create(types.CreateRequest{Name: "n1"})
		w.create(types.CreateRequest{Name: "n2"})
		c := &container{space: w.space(), Container: containerInfo("c")}
		publish("8080:80/tcp")(&c.Container)
		for name, priority := range map[string]int{"n1": 0, "n2": 1} {
			_, err := w.manager.Reserve(context.Background(), c.Container, name, &types.EndpointSettings{GwPriority: priority})
			must(w.T, err)
		}
		must(w.T, w.manager.Attach(context.Background(), c.ID, c.netns))
		c.serveTCP(":80", "c")
		gateway := func(want string) {
			w.Helper()
			must(w.T, c.in(func() error {
				routes, err := netlink.RouteListFiltered(unix.AF_INET, &netlink.Route{Dst: nil}, netlink.RT_FILTER_DST)
				if err == nil && (len(routes) != 1 || routes[0].Gw.String() != want) {
					w.Errorf("default routes %v, want by %s", routes, want)
				}
				return err
			}))
			w.reaches(w.outside, "tcp", "10.99.0.1:8080", "c 10.99.0.2")
		}
		gateway("172.19.0.1")
		must(w.T, w.manager.Disconnect(context.Background(), c.ID, "n2", c.netns))
		gateway("172.18.0.1")
		_, err := w.manager.Connect(context.Background(), c.Container, "n2", &types.EndpointSettings{GwPriority: 7}, c.netns)
		must(w.T, err)
		gateway("172.19.0.1")
		if got := w.manager.Sandbox(c.ID).Ports[types.MustParsePort("80/tcp")]; len(got) != 2 || got[0].HostPort != "8080" {
			w.Error(got)
		}
	})
}
