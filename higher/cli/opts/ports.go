package opts

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"

	"github.com/moby/moby/api/types/network"
)

// Publish reads the values of --publish, [[IP:]HOST:]CONTAINER[/PROTO] with ranges, or published=…,target=….
func Publish(specs []string) (network.PortSet, network.PortMap, error) {
	exposed, bound := network.PortSet{}, network.PortMap{}
	for _, s := range specs {
		short, err := shortPort(s)
		if err != nil {
			return nil, nil, err
		}
		if err := publish(short, exposed, bound); err != nil {
			return nil, nil, err
		}
	}
	return exposed, bound, nil
}

func shortPort(s string) (string, error) {
	if !strings.Contains(s, "=") {
		return s, nil
	}
	p := map[string]string{"protocol": "tcp"}
	for f := range strings.SplitSeq(s, ",") {
		k, v, ok := strings.Cut(f, "=")
		if !ok || k == "" {
			return "", fmt.Errorf("invalid publish opts format (should be name=value but got '%s')", f)
		}
		p[k] = v
	}
	return p["published"] + ":" + p["target"] + "/" + p["protocol"], nil
}

func publish(s string, exposed network.PortSet, bound network.PortMap) error {
	ip, host, inner := splitPort(s)
	inner, proto, err := splitProto(inner)
	if err != nil {
		return err
	}
	if strings.HasPrefix(ip, "[") && strings.HasSuffix(ip, "]") {
		ip = ip[1 : len(ip)-1]
	}
	var addr netip.Addr
	if ip != "" {
		if net.ParseIP(ip) == nil {
			return fmt.Errorf("invalid IP address: %s", ip)
		}
		if addr, err = netip.ParseAddr(ip); err != nil {
			return err
		}
	}
	if inner == "" {
		return fmt.Errorf("no port specified: %s<empty>", s)
	}
	first, last, err := portRange(inner)
	if err != nil {
		return errors.New("invalid containerPort: " + inner)
	}
	var hostFirst, hostLast uint16
	if host != "" {
		if hostFirst, hostLast, err = portRange(host); err != nil {
			return errors.New("invalid hostPort: " + host)
		}
		// More host ports than container ports are fine for one container port: the daemon takes a free one of them.
		if last-first != hostLast-hostFirst && last != first {
			return fmt.Errorf("invalid ranges specified for container and host Ports: %s and %s", inner, host)
		}
	}
	for i := 0; i <= int(last-first); i++ {
		p, err := network.ParsePort(strconv.Itoa(int(first)+i) + "/" + proto)
		if err != nil {
			return err
		}
		exposed[p] = struct{}{}
		bound[p] = append(bound[p], network.PortBinding{HostIP: addr, HostPort: hostPort(host, first == last, hostFirst, hostLast, i)})
	}
	return nil
}

func hostPort(host string, single bool, first, last uint16, i int) string {
	switch {
	case host == "":
		return ""
	case single && first != last:
		return fmt.Sprintf("%d-%d", first, last)
	}
	return strconv.Itoa(int(first) + i)
}

func splitPort(s string) (ip, host, inner string) {
	i := strings.LastIndexByte(s, ':')
	if i < 0 {
		return "", "", s
	}
	rest, inner := s[:i], s[i+1:]
	i = strings.LastIndexByte(rest, ':')
	if i < 0 {
		return "", rest, inner
	}
	return rest[:i], rest[i+1:], inner
}

func splitProto(s string) (port, proto string, err error) {
	port, proto, ok := strings.Cut(s, "/")
	if !ok || proto == "" {
		return port, "tcp", nil
	}
	switch p := strings.ToLower(proto); p {
	case "tcp", "udp", "sctp":
		return port, p, nil
	}
	return "", "", errors.New("invalid proto: " + proto)
}

func portRange(s string) (first, last uint16, err error) {
	a, b, ok := strings.Cut(s, "-")
	if !ok {
		b = a
	}
	if first, err = port(a); err != nil {
		return 0, 0, err
	}
	if last, err = port(b); err != nil {
		return 0, 0, err
	}
	if last < first {
		return 0, 0, fmt.Errorf("invalid port range: %s", s)
	}
	return first, last, nil
}

func port(s string) (uint16, error) {
	n, err := strconv.ParseUint(s, 10, 16)
	return uint16(n), err
}

// Expose adds the ports of a value of --expose.
func Expose(s string, to network.PortSet) error {
	ports, proto, err := splitProto(s)
	if err != nil {
		return fmt.Errorf("invalid range format for --expose: %s, error: %w", s, err)
	}
	first, last, err := portRange(ports)
	if err != nil {
		return fmt.Errorf("invalid range format for --expose: %s, error: %w", s, err)
	}
	for n := int(first); n <= int(last); n++ {
		p, err := network.ParsePort(strconv.Itoa(n) + "/" + proto)
		if err != nil {
			return err
		}
		to[p] = struct{}{}
	}
	return nil
}
