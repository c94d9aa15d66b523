package network

import (
	"log/slog"
	"net/netip"

	"github.com/moby/moby/api/types/events"
	bolt "go.etcd.io/bbolt"
)

// Options says where a Manager keeps what it knows, and how the daemon was configured.
type Options struct {
	DB       *bolt.DB             // networks live in its bucket "networks"
	StateDir string               // what containers hold now; a directory on a tmpfs
	Events   func(events.Message) // nil for nobody
	Log      *slog.Logger         // nil for slog.Default
	Config
}

// Config is what the flags of the daemon say about networks, as of dockerd(8).
type Config struct {
	Bridge           string            // --bridge: a bridge that is there already, or "none"; empty for docker0 of our own
	BIP              netip.Prefix      // --bip: address and subnet of docker0
	BIP6             netip.Prefix      // --bip6
	FixedCIDR        netip.Prefix      // --fixed-cidr: the part of docker0's subnet that containers get addresses of
	FixedCIDR6       netip.Prefix      // --fixed-cidr-v6
	DefaultGateway   netip.Addr        // --default-gateway of containers on docker0
	DefaultGateway6  netip.Addr        // --default-gateway-v6
	DNS              []netip.Addr      // --dns
	DNSOptions       []string          // --dns-opt
	DNSSearch        []string          // --dns-search
	HostIP           netip.Addr        // --ip: where ports are published if a container does not say; zero for everywhere
	HostGateway      []netip.Addr      // --host-gateway-ip: what `host-gateway` stands for; none for docker0's addresses
	AddressPools     []AddressPool     // --default-address-pool
	MTU              int               // --mtu of the default bridge; 0 for 1500
	ICC              bool              // --icc: containers on docker0 reach each other
	IPForward        bool              // --ip-forward: turn on forwarding
	IPForwardNoDrop  bool              // --ip-forward-no-drop: … and let others use it
	IPMasq           bool              // --ip-masq: docker0's containers leave with the host's address
	Firewall         bool              // --iptables: manage the table at all
	IPv6             bool              // --ipv6: docker0 has IPv6, too
	UserlandProxy    bool              // --userland-proxy: serve what the table cannot
	ResolvConf       string            // the host's; empty for /etc/resolv.conf
	DefaultNetOption map[string]string // --default-network-opt bridge=KEY=VALUE: options of new bridge networks
}

// AddressPool is where subnets of networks come from for which nobody named one.
type AddressPool struct {
	Base netip.Prefix `json:"base"`
	Size int          `json:"size"` // prefix length of the subnets
}

// DefaultConfig is a daemon without flags.
func DefaultConfig() Config {
	return Config{ICC: true, IPForward: true, IPMasq: true, Firewall: true, UserlandProxy: true, AddressPools: DefaultAddressPools()}
}

// DefaultAddressPools are Docker's: 172.17.0.0/16 to 172.31.0.0/16, then 192.168.0.0/16 in parts of /20.
func DefaultAddressPools() []AddressPool {
	return []AddressPool{
		{netip.MustParsePrefix("172.17.0.0/16"), 16},
		{netip.MustParsePrefix("172.18.0.0/16"), 16},
		{netip.MustParsePrefix("172.19.0.0/16"), 16},
		{netip.MustParsePrefix("172.20.0.0/14"), 16},
		{netip.MustParsePrefix("172.24.0.0/14"), 16},
		{netip.MustParsePrefix("172.28.0.0/14"), 16},
		{netip.MustParsePrefix("192.168.0.0/16"), 20},
	}
}

const defaultMTU = 1500
