package network

import (
	"net/netip"
	"reflect"
	"strings"
	"testing"

	types "github.com/moby/moby/api/types/network"
)

func TestParseSysctls(t *testing.T) {
	all, wrong := parseSysctls("net.ipv4.conf.IFNAME.log_martians=1,net.ipv6.conf.ifname.accept_ra=0")
	want := []interfaceSysctl{{"ipv4", "conf", "log_martians", "1"}, {"ipv6", "conf", "accept_ra", "0"}}
	if wrong != nil || !reflect.DeepEqual(all, want) {
		t.Errorf("got %v, %q", all, wrong)
	}
	// What is no plain name could lead out of the interface's directory.
	for _, bad := range []string{
		"net.ipv4.conf.IFNAME.log_martians", "net.ipv4.conf.eth0.log_martians=1", "net.core.conf.IFNAME.x=1", "kernel.ipv4.conf.IFNAME.x=1",
		"net.ipv4.conf.IFNAME.../../../kernel/core_pattern=1", "net.ipv4./../.IFNAME.x=1", "net.ipv4.conf.IFNAME.a/b=1", "net.ipv4.conf.IFNAME.=1", "x",
	} {
		if all, wrong := parseSysctls(bad); len(all) != 0 || len(wrong) != 1 {
			t.Errorf("%s: got %v, %q", bad, all, wrong)
		}
	}
}

func TestLinkLocal(t *testing.T) {
	w := &entry{}
	addresses := func(all ...string) *types.EndpointSettings {
		c := &types.EndpointIPAMConfig{}
		for _, a := range all {
			c.LinkLocalIPs = append(c.LinkLocalIPs, netip.MustParseAddr(a))
		}
		return &types.EndpointSettings{IPAMConfig: c}
	}
	if err := w.check(addresses("169.254.1.5")); err != nil {
		t.Error(err)
	}
	for _, bad := range []string{"10.0.0.1", "fe80::5", "0.0.0.0"} { // there is no IPv6 here
		if err := w.check(addresses(bad)); err == nil || !strings.Contains(err.Error(), "link-local IP address") {
			t.Errorf("%s: got %v", bad, err)
		}
	}
	e := &Endpoint{Settings: addresses("169.254.1.5", "fe80::5")}
	want := []netip.Prefix{prefix("169.254.1.5/16"), prefix("fe80::5/64")}
	if got := e.linkLocal(); !reflect.DeepEqual(got, want) {
		t.Errorf("got %v", got)
	}
}
