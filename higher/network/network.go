package network

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"

	"github.com/containerd/errdefs"
	types "github.com/moby/moby/api/types/network"
)

// Drivers of networks.
const (
	driverBridge = "bridge"
	driverHost   = "host"
	driverNull   = "null"
)

// Options of bridge networks, https://docs.docker.com/engine/network/drivers/bridge/#options.
const (
	optName        = "com.docker.network.bridge.name"
	optMasquerade  = "com.docker.network.bridge.enable_ip_masquerade"
	optICC         = "com.docker.network.bridge.enable_icc"
	optBinding     = "com.docker.network.bridge.host_binding_ipv4"
	optDefault     = "com.docker.network.bridge.default_bridge"
	optInhibit     = "com.docker.network.bridge.inhibit_ipv4"
	optGatewayMode = "com.docker.network.bridge.gateway_mode_ipv4"
	optGatewayMod6 = "com.docker.network.bridge.gateway_mode_ipv6"
	optMTU         = "com.docker.network.driver.mtu"
	optPrefix      = "com.docker.network.container_iface_prefix"
	optIfname      = "com.docker.network.endpoint.ifname"
)

// An entry is a network and what the manager knows about it; its first part is what the database has.
type entry struct {
	record
	bridge                    string // the device
	masquerade, icc, inhibit  bool
	mtu                       int
	binding                   netip.Addr // where ports are published if nobody says; zero for everywhere
	prefix                    string     // of names of interfaces in containers
	gatewayMode, gatewayMode6 string
	pools                     []*pool
	index                     int                  // of the device
	endpoints                 map[string]*Endpoint // by container
}

// newEntry makes an entry of what the database has.
func newEntry(n record) (*entry, error) {
	w := &entry{record: n, bridge: "br-" + n.ID[:min(12, len(n.ID))], masquerade: true, icc: true, mtu: defaultMTU, prefix: "eth",
		gatewayMode: "nat", gatewayMode6: "nat", endpoints: map[string]*Endpoint{}}
	if n.Driver != driverBridge || n.ConfigOnly {
		return w, nil
	}
	for key, value := range n.Options {
		if err := w.option(key, value); err != nil {
			return nil, errdefs.ErrInvalidArgument.WithMessage(err.Error())
		}
	}
	for _, c := range n.IPAM.Config {
		p, err := newPool(c)
		if err != nil {
			return nil, err
		}
		w.pools = append(w.pools, p)
	}
	return w, nil
}

// option takes one of the network's options in; those of other drivers are refused.
func (w *entry) option(key, value string) error {
	var err error
	switch key {
	case optName:
		if w.bridge = value; len(value) > 15 || value == "" {
			err = fmt.Errorf("the name of a device has 1 to 15 characters")
		}
	case optMasquerade:
		w.masquerade, err = strconv.ParseBool(value)
	case optICC:
		w.icc, err = strconv.ParseBool(value)
	case optInhibit:
		w.inhibit, err = strconv.ParseBool(value)
	case optDefault:
		_, err = strconv.ParseBool(value)
	case optBinding:
		w.binding, err = netip.ParseAddr(value)
		if w.binding.IsUnspecified() {
			w.binding = netip.Addr{}
		}
	case optMTU:
		if w.mtu, err = strconv.Atoi(value); err == nil && (w.mtu < 0 || w.mtu > 65535) {
			err = fmt.Errorf("out of range")
		}
		if w.mtu == 0 {
			w.mtu = defaultMTU
		}
	case optPrefix:
		if w.prefix = value; value == "" || len(value) > 12 {
			err = fmt.Errorf("a prefix of interfaces has 1 to 12 characters")
		}
	case optGatewayMode:
		w.gatewayMode, err = gatewayMode(value)
	case optGatewayMod6:
		w.gatewayMode6, err = gatewayMode(value)
	default:
		err = fmt.Errorf("not supported by the bridge driver")
	}
	if err != nil {
		if numeric := (*strconv.NumError)(nil); errors.As(err, &numeric) {
			return fmt.Errorf("failed to parse %s value: %s (%w)", key, value, err)
		}
		return fmt.Errorf("invalid network option %s=%s: %w", key, value, err)
	}
	return nil
}

// gatewayMode checks a gateway mode of bridge networks.
func gatewayMode(value string) (string, error) {
	switch value {
	case "", "nat":
		return "nat", nil
	case "isolated":
		return value, nil
	}
	return "", fmt.Errorf("this gateway mode is not supported")
}

// pool returns the one of a family, or nil.
func (w *entry) pool(v6 bool) *pool {
	for _, p := range w.pools {
		if p.subnet.Addr().Is6() == v6 {
			return p
		}
	}
	return nil
}

// poolOf returns the one that an address is of, or nil.
func (w *entry) poolOf(a netip.Addr) *pool {
	i := slices.IndexFunc(w.pools, func(p *pool) bool { return p.subnet.Contains(a) })
	if i < 0 {
		return nil
	}
	return w.pools[i]
}

// gateway is the address of containers' default route, invalid if there is none.
func (w *entry) gateway(v6 bool) netip.Addr {
	p := w.pool(v6)
	if p == nil || w.Internal || w.mode(v6) == "isolated" {
		return netip.Addr{}
	}
	return p.route
}

// hostAddresses are the bridge's own.
func (w *entry) hostAddresses() []netip.Prefix {
	var all []netip.Prefix
	for _, p := range w.pools {
		if !p.gateway.IsValid() || !p.subnet.Contains(p.gateway) || (w.inhibit && p.subnet.Addr().Is4()) || w.mode(p.subnet.Addr().Is6()) == "isolated" {
			continue
		}
		all = append(all, netip.PrefixFrom(p.gateway, p.subnet.Bits()))
	}
	return all
}

func (w *entry) mode(v6 bool) string {
	if v6 {
		return w.gatewayMode6
	}
	return w.gatewayMode
}

// predefined networks are there from the start and stay.
func predefined(name string) bool {
	return name == types.NetworkBridge || name == types.NetworkHost || name == types.NetworkNone || name == types.NetworkDefault
}

// user says whether users made it: with names, aliases and addresses of their choice.
func (w *entry) user() bool { return !predefined(w.Name) }
