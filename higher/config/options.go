package config

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/docker/go-units"
)

// option is one thing that can be said, as a flag and in the file. A list's or map's setter is called once for each
// item; its flag may be given more than once.
type option struct {
	flag, short string
	key         string // in the file; "" for the flag's name
	usage, kind string // kind is the type in the flag's help: "", bool, int, list, ...
	set         func(c *Config, s string) error
	get         func(c *Config) string // of a default that help shows, may be nil
	// item makes of a JSON object's member what set reads; nil for options that are no objects.
	item func(name string, v json.RawMessage) (string, error)
}

func (o *option) jsonKey() string {
	if o.key != "" {
		return o.key
	}
	return o.flag
}

// options is everything that can be said, in the order of help.
func options() []option {
	return slices.Concat(daemonOptions(), placeOptions(), containerOptions(), networkOptions())
}

func text(flag, usage string, field func(*Config) *string) option {
	return option{
		flag: flag, usage: usage, kind: "string",
		set: func(c *Config, s string) error { *field(c) = s; return nil },
		get: func(c *Config) string { return *field(c) },
	}
}

func choice(flag, usage string, field func(*Config) *string, words ...string) option {
	o := text(flag, usage, field)
	o.set = func(c *Config, s string) error {
		if !slices.Contains(words, s) {
			return fmt.Errorf("%q is none of %s", s, strings.Join(words, ", "))
		}
		*field(c) = s
		return nil
	}
	return o
}

func boolean(flag, usage string, field func(*Config) *bool) option {
	return option{
		flag: flag, usage: usage, kind: "bool",
		set: func(c *Config, s string) (err error) { *field(c), err = strconv.ParseBool(s); return err },
		get: func(c *Config) string { return strconv.FormatBool(*field(c)) },
	}
}

func integer(flag, usage string, field func(*Config) *int) option {
	return option{
		flag: flag, usage: usage, kind: "int",
		set: func(c *Config, s string) error {
			n, err := strconv.Atoi(s)
			if err != nil || n < 0 {
				return fmt.Errorf("%q is not a positive number", s)
			}
			*field(c) = n
			return nil
		},
		get: func(c *Config) string { return strconv.Itoa(*field(c)) },
	}
}

func texts(flag, key, usage string, field func(*Config) *[]string) option {
	return option{
		flag: flag, key: key, usage: usage, kind: "list",
		set: func(c *Config, s string) error { *field(c) = append(*field(c), s); return nil },
	}
}

func address(flag, usage string, field func(*Config) *netip.Addr) option {
	return option{
		flag: flag, usage: usage, kind: "ip",
		set: func(c *Config, s string) (err error) { *field(c), err = netip.ParseAddr(s); return err },
	}
}

func addresses(flag, key, usage string, field func(*Config) *[]netip.Addr) option {
	return option{
		flag: flag, key: key, usage: usage, kind: "list",
		set: func(c *Config, s string) error {
			a, err := netip.ParseAddr(s)
			*field(c) = append(*field(c), a)
			return err
		},
	}
}

func prefix(flag, usage string, field func(*Config) *netip.Prefix) option {
	return option{
		flag: flag, usage: usage, kind: "cidr",
		set: func(c *Config, s string) (err error) { *field(c), err = netip.ParsePrefix(s); return err },
	}
}

func daemonOptions() []option {
	debug := boolean("debug", "Enable debug mode", func(c *Config) *bool { return &c.Debug })
	debug.short = "D"
	hosts := texts("host", "hosts", "Where to listen: unix://PATH, tcp://HOST:PORT, fd://", func(c *Config) *[]string { return &c.Hosts })
	hosts.short = "H"
	level := choice("log-level", "Set the logging level", func(c *Config) *string { return &c.LogLevel }, "debug", "info", "warn", "error", "fatal")
	level.short = "l"
	group := text("group", "Group for the unix socket (docker or dhow if there is one)", func(c *Config) *string { return &c.Group })
	group.short = "G"
	pidfile := text("pidfile", "Path to use for daemon PID file", func(c *Config) *string { return &c.Pidfile })
	pidfile.short = "p"
	return []option{
		debug, hosts, level, group, pidfile,
		boolean("tls", "Use TLS; implied by --tlsverify", func(c *Config) *bool { return &c.TLS.Enabled }),
		boolean("tlsverify", "Use TLS and verify the remote", func(c *Config) *bool { return &c.TLS.Verify }),
		text("tlscacert", "Trust certs signed only by this CA", func(c *Config) *string { return &c.TLS.CA }),
		text("tlscert", "Path to TLS certificate file", func(c *Config) *string { return &c.TLS.Cert }),
		text("tlskey", "Path to TLS key file", func(c *Config) *string { return &c.TLS.Key }),
		boolean("insecure-tcp", "Allow TCP without client certificates: whoever can connect is root", func(c *Config) *bool { return &c.Insecure }),
		texts("label", "labels", "Set key=value labels to the daemon", func(c *Config) *[]string { return &c.Labels }),
		boolean("live-restore", "Let containers go on when the daemon is stopped", func(c *Config) *bool { return &c.LiveRestore }),
	}
}

func placeOptions() []option {
	driver := choice("storage-driver", "Storage driver to use: overlay2 (overlayfs) or native", func(c *Config) *string { return &c.StorageDriver }, "overlay2", "overlayfs", "native")
	driver.short = "s"
	return []option{
		text("data-root", "Root directory of persistent state", func(c *Config) *string { return &c.DataRoot }),
		text("exec-root", "Root directory for execution state files", func(c *Config) *string { return &c.ExecRoot }),
		driver,
		texts("insecure-registry", "insecure-registries", "Enable insecure registry communication", func(c *Config) *[]string { return &c.InsecureRegistries }),
		texts("registry-mirror", "registry-mirrors", "Preferred registry mirror", func(c *Config) *[]string { return &c.RegistryMirrors }),
	}
}

func containerOptions() []option {
	return []option{
		text("default-runtime", "Default OCI runtime for containers", func(c *Config) *string { return &c.DefaultRuntime }),
		runtimes(),
		text("cgroup-parent", "Set parent cgroup for all containers", func(c *Config) *string { return &c.CgroupParent }),
		execOpts(),
		text("seccomp-profile", `Path to seccomp profile, "unconfined" or "builtin"`, func(c *Config) *string { return &c.SeccompProfile }),
		boolean("no-new-privileges", "Set no-new-privileges by default for new containers", func(c *Config) *bool { return &c.NoNewPrivileges }),
		boolean("init", "Run an init in the container to forward signals and reap processes", func(c *Config) *bool { return &c.Init }),
		text("userns-remap", "User/Group setting for user namespaces", func(c *Config) *string { return &c.UsernsRemap }),
		ulimits(),
		choice("log-driver", "Default driver for container logs", func(c *Config) *string { return &c.LogDriver }, "json-file", "local", "none"),
		logOpts(),
		shmSize(),
		choice("default-ipc-mode", "Default mode for containers ipc", func(c *Config) *string { return &c.IpcMode }, "private", "shareable"),
		choice("default-cgroupns-mode", "Default mode for containers cgroup namespace", func(c *Config) *string { return &c.CgroupnsMode }, "host", "private"),
		integer("default-stop-timeout", "Default container stop timeout in seconds", func(c *Config) *int { return &c.StopTimeout }),
	}
}

func networkOptions() []option {
	bridge := text("bridge", "Attach containers to a network bridge", func(c *Config) *string { return &c.Bridge })
	bridge.short = "b"
	return []option{
		bridge,
		prefix("bip", "IPv4 address for the default bridge", func(c *Config) *netip.Prefix { return &c.BIP }),
		prefix("fixed-cidr", "IPv4 subnet for the default bridge network", func(c *Config) *netip.Prefix { return &c.FixedCIDR }),
		prefix("fixed-cidr-v6", "IPv6 subnet for the default bridge network", func(c *Config) *netip.Prefix { return &c.FixedCIDRv6 }),
		address("default-gateway", "Default gateway IPv4 address for the default bridge network", func(c *Config) *netip.Addr { return &c.DefaultGateway }),
		address("default-gateway-v6", "Default gateway IPv6 address for the default bridge network", func(c *Config) *netip.Addr { return &c.DefaultGatewayV6 }),
		addresses("dns", "", "DNS server to use", func(c *Config) *[]netip.Addr { return &c.DNS }),
		texts("dns-opt", "dns-opts", "DNS options to use", func(c *Config) *[]string { return &c.DNSOpts }),
		texts("dns-search", "", "DNS search domains to use", func(c *Config) *[]string { return &c.DNSSearch }),
		boolean("icc", "Enable inter-container communication for the default bridge network", func(c *Config) *bool { return &c.ICC }),
		address("ip", "Host IP for port publishing from the default bridge network", func(c *Config) *netip.Addr { return &c.IP }),
		boolean("ip-forward", "Enable IP forwarding in system configuration", func(c *Config) *bool { return &c.IPForward }),
		boolean("ip-masq", "Enable IP masquerading for the default bridge network", func(c *Config) *bool { return &c.IPMasq }),
		boolean("iptables", "Manage the firewall (a table of nftables)", func(c *Config) *bool { return &c.IPTables }),
		boolean("ipv6", "Enable IPv6 networking for the default bridge network", func(c *Config) *bool { return &c.IPv6 }),
		integer("mtu", `Set the MTU for the default "bridge" network`, func(c *Config) *int { return &c.MTU }),
		boolean("userland-proxy", "Serve published ports on the loopback address too", func(c *Config) *bool { return &c.UserlandProxy }),
		addressPools(),
		addresses("host-gateway-ip", "host-gateway-ips", "IP addresses that host-gateway in --add-host resolves to", func(c *Config) *[]netip.Addr { return &c.HostGatewayIPs }),
	}
}

// pair cuts "name=value".
func pair(s string) (name, value string, err error) {
	name, value, ok := strings.Cut(s, "=")
	if !ok || name == "" {
		return "", "", fmt.Errorf("%q is not NAME=VALUE", s)
	}
	return name, value, nil
}

func execOpts() option {
	return option{
		flag: "exec-opt", key: "exec-opts", usage: "Runtime execution options", kind: "list",
		set: func(c *Config, s string) error {
			switch s {
			case "native.cgroupdriver=cgroupfs", "native.cgroupdriver=systemd":
				c.ExecOpts = append(c.ExecOpts, s)
				return nil
			}
			return fmt.Errorf("%q is none of native.cgroupdriver=cgroupfs, native.cgroupdriver=systemd", s)
		},
	}
}

func ulimits() option {
	return option{
		flag: "default-ulimit", key: "default-ulimits", usage: "Default ulimits for containers", kind: "ulimit",
		set: func(c *Config, s string) error {
			u, err := units.ParseUlimit(s)
			if err == nil {
				c.DefaultUlimits[u.Name] = u
			}
			return err
		},
		item: func(name string, v json.RawMessage) (string, error) {
			var u units.Ulimit
			if err := decodeStrict(v, &u); err != nil {
				return "", err
			}
			return fmt.Sprintf("%s=%d:%d", name, u.Soft, u.Hard), nil
		},
	}
}

func logOpts() option {
	return option{
		flag: "log-opt", key: "log-opts", usage: "Default log driver options for containers", kind: "map",
		set: func(c *Config, s string) error {
			name, v, err := pair(s)
			if err == nil {
				c.LogOpts[name] = v
			}
			return err
		},
		item: func(name string, v json.RawMessage) (string, error) {
			var s string
			err := json.Unmarshal(v, &s)
			return name + "=" + s, err
		},
	}
}

func shmSize() option {
	return option{
		flag: "default-shm-size", usage: "Default shm size for containers", kind: "bytes",
		set: func(c *Config, s string) (err error) { c.ShmSize, err = units.RAMInBytes(s); return err },
		get: func(c *Config) string { return units.BytesSize(float64(c.ShmSize)) },
	}
}

func addressPools() option {
	return option{
		flag: "default-address-pool", key: "default-address-pools", usage: "Default address pools for node specific local networks", kind: "pool-options",
		set: func(c *Config, s string) error {
			var p AddressPool
			for _, field := range strings.Split(s, ",") {
				name, v, err := pair(field)
				switch {
				case err != nil:
					return err
				case name == "base":
					p.Base, err = netip.ParsePrefix(v)
				case name == "size":
					p.Size, err = strconv.Atoi(v)
				default:
					err = fmt.Errorf("%q is none of base, size", name)
				}
				if err != nil {
					return err
				}
			}
			if !p.Base.IsValid() || p.Size < p.Base.Bits() || p.Size > p.Base.Addr().BitLen() {
				return fmt.Errorf("%q: a pool needs base=CIDR and size=BITS, of at least base's", s)
			}
			c.AddressPools = append(c.AddressPools, p)
			return nil
		},
		item: func(_ string, v json.RawMessage) (string, error) {
			var p struct {
				Base string
				Size int
			}
			if err := decodeStrict(v, &p); err != nil {
				return "", err
			}
			return fmt.Sprintf("base=%s,size=%d", p.Base, p.Size), nil
		},
	}
}
