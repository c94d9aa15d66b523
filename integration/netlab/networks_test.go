package netlab

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"
	"testing"

	"github.com/dhow-containers/dhow/higher/network"
	types "github.com/moby/moby/api/types/network"
)

func (w *world) create(r types.CreateRequest) {
	w.Helper()
	_, err := w.manager.NetworkCreate(context.Background(), &r)
	must(w.T, err)
}

func yes() *bool { b := true; return &b }

// refused wants an error with these words.
func (w *world) refused(err error, words string) {
	w.Helper()
	if err == nil || !strings.Contains(err.Error(), words) {
		w.Errorf("got %v; want an error with %q", err, words)
	}
}

func TestNetworksAreIsolated(t *testing.T) {
	inWorld(t, network.DefaultConfig(), func(w *world) {
		w.restore(nil)
		w.create(types.CreateRequest{Name: "n1"})
		w.create(types.CreateRequest{Name: "n2"})
		w.create(types.CreateRequest{Name: "shut", Internal: true})
		a, b := w.run("a", []string{"n1"}, nil), w.run("b", []string{"n2"}, publish("8080:80/tcp"))
		s1, s2 := w.run("c", []string{"shut"}, nil), w.run("d", []string{"shut"}, publish("9090:80/tcp"))
		def := w.run("e", []string{"bridge"}, nil)
		if got := fmt.Sprint(a.addr(), b.addr(), s1.addr(), def.addr()); got != "172.18.0.2 172.19.0.2 172.20.0.2 172.17.0.2" {
			w.Error(got)
		}
		for _, s := range []*space{a.space, b.space, s2.space, def.space, w.outside} {
			s.serveTCP(":80", "x")
		}
		w.reaches(a, "tcp", "10.99.0.2:80", "x 10.99.0.1")
		w.barred(a, "tcp", "172.19.0.2:80")
		w.barred(a, "tcp", "172.17.0.2:80")
		w.barred(def, "tcp", "172.19.0.2:80")
		w.reaches(a, "tcp", "172.19.0.1:8080", "x ") // by what is published
		w.reaches(a, "tcp", "10.99.0.1:8080", "x ")
		w.barred(s1, "tcp", "10.99.0.2:80")
		w.barred(s1, "tcp", "172.19.0.2:80")
		w.barred(a, "tcp", "172.20.0.3:80")
		w.reaches(s1, "tcp", "172.20.0.3:80", "x 172.20.0.2")
		w.barred(w.outside, "tcp", "10.99.0.1:9090")
		// Who routes to containers by way of the host does not reach what is not published.
		must(w.T, w.outside.route("172.16.0.0/12", "10.99.0.1"))
		w.barred(w.outside, "tcp", "172.18.0.2:80")
		w.barred(w.outside, "tcp", "172.20.0.3:80")
		// The host's own services on 127.0.0.1 are not for containers, whatever they send.
		(&space{w.T, hostNS(w.T)}).serveTCP("127.0.0.1:7777", "host")
		must(w.T, a.route("127.0.0.0/8", "172.18.0.1"))
		must(w.T, a.in(func() error {
			return os.WriteFile("/proc/sys/net/ipv4/conf/eth0/route_localnet", []byte("1"), 0)
		}))
		w.barred(a, "tcp", "127.0.0.1:7777")
		must(w.T, w.outside.route("127.0.0.0/8", "10.99.0.1"))
	})
}

func hostNS(t *testing.T) *os.File {
	f, err := os.Open("/proc/thread-self/ns/net")
	must(t, err)
	t.Cleanup(func() { f.Close() })
	return f
}

func TestICC(t *testing.T) {
	config := network.DefaultConfig()
	config.ICC = false
	inWorld(t, config, func(w *world) {
		w.restore(nil)
		db := w.run("db", []string{"bridge"}, func(c *network.Container) {
			c.Exposed = types.PortSet{types.MustParsePort("5432/tcp"): {}}
		})
		pub := w.run("pub", []string{"bridge"}, publish("8080:80/tcp"))
		web := w.run("web", []string{"bridge"}, func(c *network.Container) {
			c.Links = []network.Link{{ID: db.ID, Name: "db", Alias: "store"}}
		})
		db.serveTCP(":5432", "db")
		db.serveTCP(":80", "db")
		pub.serveTCP(":80", "pub")
		w.outside.serveTCP(":80", "outside")
		w.reaches(web, "tcp", "172.17.0.2:5432", "db 172.17.0.4")
		w.barred(web, "tcp", "172.17.0.2:80")
		w.barred(pub, "tcp", "172.17.0.2:5432")
		w.barred(db, "tcp", "172.17.0.3:80")
		w.reaches(web, "tcp", "10.99.0.2:80", "outside")
		w.reaches(w, "tcp", "172.17.0.2:80", "db")
		w.reaches(web, "tcp", "10.99.0.1:8080", "pub")
		w.reaches(web, "tcp", "172.17.0.1:8080", "pub")
		w.reaches(pub, "tcp", "172.17.0.1:8080", "pub")
		must(w.T, w.manager.Detach(context.Background(), db.ID))
		w.barred(web, "tcp", "172.17.0.2:5432")
	})
}

func TestIPv6(t *testing.T) {
	inWorld(t, network.DefaultConfig(), func(w *world) {
		w.restore(nil)
		w.create(types.CreateRequest{Name: "six", EnableIPv6: yes(), IPAM: &types.IPAM{Config: []types.IPAMConfig{{Subnet: netip.MustParsePrefix("fd12::/64")}}}})
		w.create(types.CreateRequest{Name: "ula", EnableIPv6: yes()})
		no4 := false
		w.create(types.CreateRequest{Name: "only6", EnableIPv4: &no4, EnableIPv6: yes()})
		a, b := w.run("a", []string{"six"}, publish("8080:80/tcp")), w.run("b", []string{"six"}, nil)
		a.serveTCP("[::]:80", "a")
		b.serveTCP("[::]:80", "b")
		w.outside.serveTCP("[::]:80", "outside")
		if got := fmt.Sprint(a.addr6(), " ", b.addr6(), " ", a.endpoints[0].Gateway6); got != "fd12::2 fd12::3 fd12::1" {
			w.Error(got)
		}
		w.reaches(a, "tcp", "[fd12::3]:80", "b fd12::2")
		w.reaches(w, "tcp", "[fd12::3]:80", "b fd12::1")
		w.reaches(w.outside, "tcp", "[fd99::1]:8080", "a fd99::2")
		w.reaches(b, "tcp", "[fd99::1]:8080", "a fd12::1")
		w.reaches(a, "tcp", "[fd99::1]:8080", "a fd12::1")
		w.reaches(w, "tcp", "[::1]:8080", "a fd12::1")
		w.reaches(w, "tcp", "127.0.0.1:8080", "a ")
		w.reaches(a, "tcp", "[fd99::2]:80", "outside fd99::1")
		six := w.run("c", []string{"only6"}, publish("8081:80/tcp"))
		six.serveTCP("[::]:80", "c")
		w.reaches(w.outside, "tcp", "[fd99::1]:8081", "c fd99::2")
		w.reaches(w.outside, "tcp", "10.99.0.1:8081", "c ")
		w.barred(a, "tcp", net.JoinHostPort(six.addr6().String(), "80"))
	})
}

func TestNamesInUserNetworks(t *testing.T) {
	config := network.DefaultConfig()
	inEmptyWorld(t, func(w *world) {
		config.ResolvConf = w.dir + "/resolv.conf"
		must(w.T, os.WriteFile(config.ResolvConf, []byte("nameserver 10.99.0.2\nsearch example.org\noptions edns0\n"), 0o644))
		w.open(config)
		w.restore(nil)
		w.outside.nameServer("10.99.0.2:53")
		w.create(types.CreateRequest{Name: "n1"})
		w.create(types.CreateRequest{Name: "shut", Internal: true})
		a, b := w.run("a", []string{"n1"}, nil), &container{space: w.space(), Container: containerInfo("b")}
		e, err := w.manager.Reserve(context.Background(), b.Container, "n1", &types.EndpointSettings{Aliases: []string{"Service"}, Links: []string{"a:store"}})
		must(w.T, err)
		b.endpoints = []*network.Endpoint{e}
		must(w.T, w.manager.Attach(context.Background(), b.ID, b.netns))
		files, err := w.manager.Files(context.Background(), b.ID)
		must(w.T, err)
		for _, want := range []string{"nameserver 127.0.0.11\n", "search example.org\n", "options edns0 ndots:0\n"} {
			if !strings.Contains(string(files.ResolvConf), want) {
				w.Errorf("resolv.conf without %q:\n%s", want, files.ResolvConf)
			}
		}
		if want := "172.18.0.3\t" + b.Hostname + "\n"; !strings.HasSuffix(string(files.Hosts), want) {
			w.Errorf("hosts without %q:\n%s", want, files.Hosts)
		}
		b.serveUDP(":53", "a name server of its own")
		for _, proto := range []string{"udp", "tcp"} {
			w.resolves(b, proto, "a", "172.18.0.2")
			w.resolves(b, proto, "a.n1", "172.18.0.2")
			w.resolves(b, proto, "store", "172.18.0.2")
			w.resolves(a, proto, "b", "172.18.0.3")
			w.resolves(a, proto, "service", "172.18.0.3")
			w.resolves(a, proto, b.ID[:12], "172.18.0.3")
			w.resolves(a, proto, "host.example.org", "192.0.2.7")
		}
		w.resolves(a, "udp", "store", "no such host")
		if names, err := a.resolver("udp").reverse("172.18.0.3"); err != nil || names[0] != "b.n1." {
			w.Error(names, err)
		}
		s := w.run("s", []string{"shut"}, nil)
		w.resolves(s, "udp", "s", "172.19.0.2")
		w.resolves(s, "udp", "host.example.org", "error")
		// A second network: its names, and a device more.
		_, err = w.manager.Connect(context.Background(), s.Container, "n1", nil, s.netns)
		must(w.T, err)
		w.resolves(s, "udp", "a", "172.18.0.2")
		w.resolves(s, "udp", "host.example.org", "192.0.2.7")
		w.resolves(a, "udp", "s", "172.18.0.4")
		must(w.T, w.manager.Disconnect(context.Background(), s.ID, "n1", s.netns))
		w.resolves(a, "udp", "s", "no such host")
		w.resolves(s, "udp", "a", "error")
		must(w.T, w.manager.Rename(b.ID, "bee"))
		w.resolves(a, "udp", "bee", "172.18.0.3")
		w.resolves(a, "udp", "b", "no such host")
		must(w.T, w.manager.Detach(context.Background(), b.ID))
		w.resolves(a, "udp", "bee", "no such host")
	})
}
