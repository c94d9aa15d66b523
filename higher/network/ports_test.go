package network

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	types "github.com/moby/moby/api/types/network"
)

func TestPortTableClashes(t *testing.T) {
	key := func(s string, proto uint8) portKey {
		a := netip.MustParseAddrPort(s)
		return portKey{a.Addr(), proto, a.Port()}
	}
	table := portTable{}
	for _, k := range []string{"10.0.0.1:80", "[::]:80", "0.0.0.0:81"} {
		table.add(key(k, 6))
	}
	for _, test := range []struct {
		at    string
		proto uint8
		want  bool
	}{
		{"10.0.0.1:80", 6, true}, {"10.0.0.2:80", 6, false}, {"0.0.0.0:80", 6, true}, {"10.0.0.1:80", 17, false},
		{"[::1]:80", 6, true}, {"[::]:81", 6, false}, {"127.0.0.1:81", 6, true}, {"127.0.0.1:82", 6, false},
	} {
		if got := table.clash(key(test.at, test.proto)); got != test.want {
			t.Errorf("%s/%d: %v", test.at, test.proto, got)
		}
	}
	table.remove(key("0.0.0.0:81", 6))
	if table.clash(key("127.0.0.1:81", 6)) || len(table) != 1 {
		t.Error(table)
	}
}

func TestWishes(t *testing.T) {
	for _, test := range []struct {
		ports   string // PORT=HOST,HOST …
		exposed string
		binding string
		want    string // in order: particular ports before ranges before any
	}{
		{"80/tcp=8080", "", "", "80/tcp@[0.0.0.0 ::]:8080-8080"},
		{"80/tcp=|81/tcp=7000-7010|82/tcp=9", "", "", "82/tcp@[0.0.0.0 ::]:9-9 81/tcp@[0.0.0.0 ::]:7000-7010 80/tcp@[0.0.0.0 ::]:0-0"},
		{"80/tcp=8080,8081", "", "10.0.0.1", "80/tcp@[10.0.0.1]:8080-8080 80/tcp@[10.0.0.1]:8081-8081"},
		{"80/tcp=8080", "80/tcp 443/tcp", "", "80/tcp@[0.0.0.0 ::]:8080-8080 443/tcp@[0.0.0.0 ::]:0-0"},
		{"80/tcp=99999", "", "", `invalid host port "99999"`},
		{"80/tcp=9-1", "", "", `invalid host port "9-1"`},
		{"80/tcp=x", "", "", `invalid host port "x"`},
	} {
		c := Container{Ports: types.PortMap{}, Exposed: types.PortSet{}, PublishAll: test.exposed != ""}
		for part := range strings.SplitSeq(test.ports, "|") {
			port, hosts, _ := strings.Cut(part, "=")
			for h := range strings.SplitSeq(hosts, ",") {
				p := types.MustParsePort(port)
				c.Ports[p] = append(c.Ports[p], types.PortBinding{HostPort: h})
			}
		}
		for _, p := range strings.Fields(test.exposed) {
			c.Exposed[types.MustParsePort(p)] = struct{}{}
		}
		w := &entry{}
		if test.binding != "" {
			w.binding = netip.MustParseAddr(test.binding)
		}
		all, err := c.wishes(w, []bool{false, true})
		var got []string
		for _, w := range all {
			got = append(got, fmt.Sprintf("%s@%v:%d-%d", w.port, w.addrs, w.first, w.last))
		}
		if err != nil {
			got = []string{err.Error()}
		}
		if s := strings.Join(got, " "); s != test.want {
			t.Errorf("%s: %s, want %s", test.ports, s, test.want)
		}
	}
}

// Keys are as the kernel compares them: every part padded to four bytes.
func TestPortElements(t *testing.T) {
	for _, test := range []struct{ at, to, set, key, val string }{
		{"10.0.0.1:8080", "172.17.0.2:80", "ports4", "0a000001 06000000 1f900000", "ac110002 00500000"},
		{"0.0.0.0:8080", "172.17.0.2:80", "ports4any", "06000000 1f900000", "ac110002 00500000"},
		{"[::]:8080", "[fd00::2]:80", "ports6any", "06000000 1f900000", "fd000000000000000000000000000002 00500000"},
	} {
		at, to := netip.MustParseAddrPort(test.at), netip.MustParseAddrPort(test.to)
		e := portKey{at.Addr(), 6, at.Port()}.element(portTarget{to.Addr(), to.Port()})
		hex := func(s string) string { return strings.ReplaceAll(s, " ", "") }
		if e.set != test.set || fmt.Sprintf("%x", e.Key) != hex(test.key) || fmt.Sprintf("%x", e.Val) != hex(test.val) {
			t.Errorf("%s: %s %x %x", test.at, e.set, e.Key, e.Val)
		}
	}
}
