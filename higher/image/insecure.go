package image

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
)

// alwaysInsecure are the addresses of registries that need no TLS, as in Docker.
var alwaysInsecure = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}

// insecure says whether a registry, host or host:port, may do without TLS or with any certificate.
func (m *Manager) insecure(ctx context.Context, host string) bool {
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	}
	if name == hubHost {
		return false
	}
	nets := alwaysInsecure
	for _, s := range m.reached.Load().insecure {
		if s == host || s == name {
			return true
		}
		if p, err := netip.ParsePrefix(s); err == nil {
			nets = append(nets[:len(nets):len(nets)], p)
		}
	}
	for _, a := range addresses(ctx, strings.Trim(name, "[]")) {
		for _, p := range nets {
			if p.Contains(a.Unmap()) {
				return true
			}
		}
	}
	return false
}

// addresses are those of a host; none when they cannot be found.
func addresses(ctx context.Context, name string) []netip.Addr {
	if a, err := netip.ParseAddr(name); err == nil {
		return []netip.Addr{a}
	}
	list, err := net.DefaultResolver.LookupNetIP(ctx, "ip", name)
	if err != nil {
		return nil
	}
	return list
}

// trust enters the certificates that were put into a registry's directory: *.crt of authorities, *.cert and *.key of
// ours.
func (m *Manager) trust(c *tls.Config, host string) error {
	for _, base := range m.certs {
		dir := filepath.Join(base, host)
		entries, err := os.ReadDir(dir)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		for _, e := range entries {
			if err := trustFile(c, filepath.Join(dir, e.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}

func trustFile(c *tls.Config, name string) error {
	switch filepath.Ext(name) {
	case ".crt":
		pem, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		if c.RootCAs == nil {
			if c.RootCAs, err = x509.SystemCertPool(); err != nil {
				return err
			}
		}
		if !c.RootCAs.AppendCertsFromPEM(pem) {
			return fmt.Errorf("%s has no certificate", name)
		}
	case ".cert":
		pair, err := tls.LoadX509KeyPair(name, strings.TrimSuffix(name, ".cert")+".key")
		if err != nil {
			return err
		}
		c.Certificates = append(c.Certificates, pair)
	}
	return nil
}
