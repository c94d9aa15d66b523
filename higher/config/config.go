package config

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/docker/go-units"
)

// File is where the configuration file is unless --config-file names another.
const File = "/etc/dhow/daemon.json"

// Config is what dhowd was told.
type Config struct {
	// The daemon.
	Debug    bool
	LogLevel string   // debug, info, warn, error
	Hosts    []string // unix://path, tcp://host:port, fd://; Socket when none is given
	Group    string   // of unix sockets; "" for docker or dhow, whichever there is
	TLS      TLS
	Insecure bool // TCP without verified clients was asked for
	Pidfile  string
	Labels   []string // key=value
	// LiveRestore is whether containers go on when the daemon is stopped. They always do when it is killed.
	LiveRestore bool

	// Where things are.
	DataRoot, ExecRoot string
	StorageDriver      string // overlay2 (overlayfs) or native; "" for the first that works

	// Registries.
	InsecureRegistries []string // host[:port] or CIDR
	RegistryMirrors    []string // URLs

	// Containers.
	DefaultRuntime  string
	Runtimes        map[string]Runtime // others than ours, by name
	CgroupParent    string
	ExecOpts        []string // native.cgroupdriver=cgroupfs or systemd
	SeccompProfile  string   // "" for Docker's, unconfined, or a file's path
	NoNewPrivileges bool
	Init            bool
	UsernsRemap     string // default, user[:group] or uid[:gid]; "" for no user namespaces
	DefaultUlimits  map[string]*units.Ulimit
	LogDriver       string
	LogOpts         map[string]string
	ShmSize         int64  // bytes
	IpcMode         string // private or shareable
	CgroupnsMode    string // host or private; "" for what Docker does on this host
	StopTimeout     int    // seconds

	// Networks.
	Bridge             string // a bridge's name, or none
	BIP                netip.Prefix
	FixedCIDR          netip.Prefix
	FixedCIDRv6        netip.Prefix
	DefaultGateway     netip.Addr
	DefaultGatewayV6   netip.Addr
	DNS                []netip.Addr
	DNSOpts, DNSSearch []string
	ICC                bool
	IP                 netip.Addr // where ports are published unless said otherwise
	IPForward, IPMasq  bool
	IPTables           bool // whether the firewall is managed
	IPv6               bool
	MTU                int
	UserlandProxy      bool
	AddressPools       []AddressPool
	HostGatewayIPs     []netip.Addr

	said map[string][]string // what the command line and the file say, by key
}

// TLS is how TCP listeners are secured.
type TLS struct {
	Enabled, Verify bool
	CA, Cert, Key   string // files
}

// AddressPool is a range that networks get their subnets from.
type AddressPool struct {
	Base netip.Prefix
	Size int // of a subnet, in bits
}

// Socket is the address that dhowd listens on unless told otherwise.
const Socket = "unix:///var/run/dhow.sock"

// Default returns the configuration of a dhowd that was told nothing.
func Default() *Config {
	return &Config{
		LogLevel: "info", Pidfile: "/var/run/dhow.pid", LiveRestore: true,
		DataRoot: "/var/lib/dhow", ExecRoot: "/run/dhowd",
		DefaultRuntime: "dhow", Runtimes: map[string]Runtime{}, said: map[string][]string{}, LogDriver: "json-file", LogOpts: map[string]string{},
		DefaultUlimits: map[string]*units.Ulimit{}, ShmSize: 64 << 20, IpcMode: "private", StopTimeout: 10,
		ICC: true, IPForward: true, IPMasq: true, IPTables: true, MTU: 1500, UserlandProxy: true,
		IP:  netip.IPv4Unspecified(),
		TLS: TLS{CA: "/etc/dhow/ca.pem", Cert: "/etc/dhow/cert.pem", Key: "/etc/dhow/key.pem"},
	}
}

// Validate says what is wrong with a configuration as a whole.
func (c *Config) Validate() error {
	if len(c.Hosts) == 0 {
		c.Hosts = []string{Socket}
	}
	for _, h := range c.Hosts {
		if err := c.validateHost(h); err != nil {
			return err
		}
	}
	for _, l := range c.Labels {
		if key, _, ok := strings.Cut(l, "="); !ok || key == "" {
			return fmt.Errorf("labels: bad attribute format: %s: must be key=value", l)
		}
	}
	if c.Bridge != "" && c.BIP.IsValid() {
		return fmt.Errorf("bridge and bip are mutually exclusive: the bridge %q keeps its own address", c.Bridge)
	}
	if c.FixedCIDR.IsValid() && c.BIP.IsValid() && !c.BIP.Masked().Contains(c.FixedCIDR.Addr()) {
		return fmt.Errorf("fixed-cidr: %s is not inside bip %s", c.FixedCIDR, c.BIP)
	}
	if c.DefaultGateway.IsValid() && c.BIP.IsValid() && !c.BIP.Masked().Contains(c.DefaultGateway) {
		return fmt.Errorf("default-gateway: %s is not inside bip %s", c.DefaultGateway, c.BIP)
	}
	if _, added := c.Runtimes[c.DefaultRuntime]; !added && !IsOurRuntime(c.DefaultRuntime, c.Runtimes) {
		return fmt.Errorf("default-runtime: no runtime is named %q: add one with add-runtime", c.DefaultRuntime)
	}
	return nil
}

func (c *Config) validateHost(h string) error {
	scheme, address, ok := strings.Cut(h, "://")
	switch {
	case !ok:
		return fmt.Errorf("hosts: invalid bind address (%s): must be unix://PATH, tcp://HOST:PORT or fd://", h)
	case scheme == "unix":
		if address == "" {
			return fmt.Errorf("hosts: %s has no path", h)
		}
	case scheme == "fd":
	case scheme == "tcp":
		if _, err := netip.ParseAddrPort(strings.Replace(address, "localhost", "127.0.0.1", 1)); err != nil {
			return fmt.Errorf("hosts: %s: %w", h, err)
		}
		if !c.TLS.Verify && !c.Insecure {
			return fmt.Errorf("hosts: %s: whoever can connect is root on this host: use --tlsverify, or say --insecure-tcp if that is meant", h)
		}
	default:
		return fmt.Errorf("hosts: unsupported protocol %s in %s", scheme, h)
	}
	return nil
}
