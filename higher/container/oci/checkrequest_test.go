package oci_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/dhow-containers/dhow/higher/container/oci"
	types "github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"
)

func TestCheckRequest(t *testing.T) {
	port := network.MustParsePort("80/tcp")
	for words, change := range map[string]func(*request){
		"": func(*request) {},
		"conflicting options: hostname and the UTS mode":                     func(r *request) { r.h.UTSMode, r.c.Hostname = "host", "x" },
		"conflicting options: host type networking can't be used with links": func(r *request) { r.h.NetworkMode, r.h.Links = "host", []string{"x"} },
		"invalid container format container:<name|id>":                       func(r *request) { r.h.NetworkMode = "container:" },
		"conflicting options: hostname and the network mode":                 func(r *request) { r.h.NetworkMode, r.c.Hostname = "container:x", "x" },
		"container type network can't be used with links":                    func(r *request) { r.h.NetworkMode, r.h.Links = "container:x", []string{"x"} },
		"conflicting options: dns and the network mode": func(r *request) {
			r.h.NetworkMode, r.h.DNS = "container:x", []netip.Addr{netip.MustParseAddr("1.1.1.1")}
		},
		"custom host-to-IP mapping and the network mode": func(r *request) { r.h.NetworkMode, r.h.ExtraHosts = "container:x", []string{"a:1.1.1.1"} },
		"port publishing and the container type network mode": func(r *request) {
			r.h.NetworkMode, r.h.PortBindings = "container:x", network.PortMap{port: nil}
		},
		"port exposing and the container type network mode": func(r *request) {
			r.h.NetworkMode, r.c.ExposedPorts = "container:x", network.PortSet{port: {}}
		},
	} {
		r := aRequest()
		change(r)
		err := oci.CheckRequest(r.c, r.h)
		if words == "" && err != nil || words != "" && (err == nil || !strings.Contains(err.Error(), words)) {
			t.Errorf("got %v, want %s", err, words)
		}
	}
	if err := oci.CheckRequest(&types.Config{}, &types.HostConfig{NetworkMode: "container:x"}); err != nil {
		t.Error(err)
	}
}
