package network

import (
	"net/netip"
	"testing"

	types "github.com/moby/moby/api/types/network"
)

func prefix(s string) netip.Prefix {
	if s == "" {
		return netip.Prefix{}
	}
	return netip.MustParsePrefix(s)
}

func TestPoolHandsOutTheFirstFreeAddress(t *testing.T) {
	p, err := newPool(types.IPAMConfig{Subnet: prefix("10.0.0.0/29"), Gateway: netip.MustParseAddr("10.0.0.1"), AuxAddress: map[string]netip.Addr{"x": netip.MustParseAddr("10.0.0.3")}})
	if err != nil {
		t.Fatal(err)
	}
	want := func(address string) {
		t.Helper()
		a, ok := p.next()
		if got := a.String(); ok != (address != "") || ok && got != address {
			t.Fatalf("got %s, %v; want %s", got, ok, address)
		}
	}
	want("10.0.0.2")
	want("10.0.0.4")
	p.free(netip.MustParseAddr("10.0.0.2"))
	want("10.0.0.2") // the first one that is free
	want("10.0.0.5")
	want("10.0.0.6")
	want("")
	p.free(netip.MustParseAddr("10.0.0.1")) // the gateway's stays taken
	want("")
	p.free(netip.MustParseAddr("10.0.0.5"))
	if err := p.take(netip.MustParseAddr("10.0.0.5")); err != nil {
		t.Error(err)
	}
	if err := p.take(netip.MustParseAddr("10.0.0.5")); err == nil {
		t.Error("an address was given twice")
	}
	if err := p.take(netip.MustParseAddr("10.0.1.5")); err == nil {
		t.Error("an address outside was given")
	}
}

func TestPoolRange(t *testing.T) {
	for _, test := range []struct{ subnet, ranged, gateway, first string }{
		{"10.0.0.0/24", "10.0.0.128/30", "", "10.0.0.128"},
		{"10.0.0.0/24", "10.0.0.128/30", "10.0.0.128", "10.0.0.129"},
		{"10.0.0.0/31", "", "", "10.0.0.0"},
		{"fd00::/64", "", "fd00::1", "fd00::2"},
		{"fd00::/64", "fd00::100/120", "fd00::1", "fd00::100"},
	} {
		c := types.IPAMConfig{Subnet: prefix(test.subnet), IPRange: prefix(test.ranged)}
		if test.gateway != "" {
			c.Gateway = netip.MustParseAddr(test.gateway)
		}
		p, err := newPool(c)
		if err != nil {
			t.Fatal(err)
		}
		if a, _ := p.next(); a.String() != test.first {
			t.Errorf("%+v: %s", test, a)
		}
		seen := 1
		for ; seen < 10; seen++ {
			if _, ok := p.next(); !ok {
				break
			}
		}
		if test.ranged == "10.0.0.128/30" && seen > 4 {
			t.Errorf("%+v: %d addresses of a range of four", test, seen)
		}
	}
}

func TestPickSubnetAvoidsWhatIsTaken(t *testing.T) {
	pools := DefaultAddressPools()
	for _, test := range []struct {
		taken []string
		want  string
	}{
		{nil, "172.17.0.0/16"},
		{[]string{"172.17.0.0/16"}, "172.18.0.0/16"},
		{[]string{"172.17.3.0/24", "172.16.0.0/14"}, "172.20.0.0/16"},
		{[]string{"172.16.0.0/12"}, "192.168.0.0/20"},
		{[]string{"172.16.0.0/12", "192.168.0.0/24", "192.168.17.0/24"}, "192.168.32.0/20"},
		{[]string{"128.0.0.0/1"}, ""},
	} {
		var taken []netip.Prefix
		for _, s := range test.taken {
			taken = append(taken, prefix(s))
		}
		got, err := pickSubnet(pools, false, taken)
		if (err != nil) != (test.want == "") || err == nil && got.String() != test.want {
			t.Errorf("%v: %v, %v", test.taken, got, err)
		}
	}
}

func TestPickSubnetIsQuickInALargePool(t *testing.T) {
	pools := []AddressPool{{prefix("10.0.0.0/8"), 30}}
	got, err := pickSubnet(pools, false, []netip.Prefix{prefix("10.0.0.0/9"), prefix("10.128.0.0/24")})
	if err != nil || got.String() != "10.128.1.0/30" {
		t.Error(got, err)
	}
}
