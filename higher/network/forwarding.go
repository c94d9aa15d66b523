package network

import (
	"fmt"
	"os"
	"path/filepath"
)

// enableForwarding lets the host route; what it routes is the table's matter.
func (m *Manager) enableForwarding() error {
	opened := false
	if m.config.IPForward {
		var err error
		if opened, err = turnOn("ipv4/ip_forward"); err != nil {
			return err
		}
	}
	if !m.config.Firewall {
		return nil
	}
	fw, err := openFirewall(m.log)
	if err != nil {
		return err
	}
	m.fw = fw
	if opened {
		if err := m.store.mark(marker4); err != nil {
			return err
		}
	}
	if !m.config.IPForwardNoDrop {
		m.fw.strict = strict{m.store.marked(marker4), m.store.marked(marker6)}
	}
	return nil
}

// turnOn sets a sysctl of forwarding and says whether it was off.
func turnOn(name string) (bool, error) {
	if have, err := os.ReadFile("/proc/sys/net/" + name); err == nil && string(have) != "0\n" {
		return false, nil
	}
	return true, setSysctl(name, "1")
}

// enableForwarding6 is for the first network with IPv6. An interface of a router does not listen to router
// advertisements unless it is told to twice (accept_ra 2): those that do now go on.
func (m *Manager) enableForwarding6() error {
	if !m.config.IPForward {
		return nil
	}
	if have, err := os.ReadFile("/proc/sys/net/ipv6/conf/all/forwarding"); err == nil && string(have) != "0\n" {
		return nil
	}
	interfaces, err := filepath.Glob("/proc/sys/net/ipv6/conf/*/accept_ra")
	if err != nil {
		return fmt.Errorf("internal error: %w", err)
	}
	for _, path := range interfaces {
		if have, err := os.ReadFile(path); err == nil && string(have) == "1\n" {
			if err := os.WriteFile(path, []byte("2"), 0o644); err != nil && !os.IsNotExist(err) {
				return fmt.Errorf("cannot keep router advertisements: %w", err)
			}
		}
	}
	for _, name := range []string{"ipv6/conf/default/forwarding", "ipv6/conf/all/forwarding"} {
		if err := setSysctl(name, "1"); err != nil {
			return err
		}
	}
	if m.fw == nil {
		return nil
	}
	if err := m.store.mark(marker6); err != nil || m.config.IPForwardNoDrop {
		return err
	}
	return m.fw.refuse6()
}
