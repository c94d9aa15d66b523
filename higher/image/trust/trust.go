// Package trust says how far the host of a registry is trusted, to the daemon and to the command line: by certificates in
// /etc/docker/certs.d/HOST, and by addresses that need no TLS.
package trust

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

// Dirs are where certificates are looked for, each in a directory named after the registry.
func Dirs() []string { return []string{"/etc/dhow/certs.d", "/etc/docker/certs.d"} }

// Loopback are the addresses of registries that need no TLS, as in Docker.
func Loopback() []netip.Prefix {
	return []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}
}

// Within says whether a host, with a port or without, has an address in one of nets. One that has no address is in none.
func Within(ctx context.Context, host string, nets []netip.Prefix) bool {
	for _, a := range addresses(ctx, strings.Trim(Name(host), "[]")) {
		for _, p := range nets {
			if p.Contains(a.Unmap()) {
				return true
			}
		}
	}
	return false
}

// Name is a host without its port.
func Name(host string) string {
	if h, _, err := net.SplitHostPort(host); err == nil {
		return h
	}
	return host
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

// Certificates enters what was put into a registry's directory: *.crt of authorities, *.cert and *.key of ours.
func Certificates(c *tls.Config, dirs []string, host string) error {
	for _, base := range dirs {
		dir := filepath.Join(base, host)
		entries, err := os.ReadDir(dir)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		for _, e := range entries {
			if err := enter(c, filepath.Join(dir, e.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}

func enter(c *tls.Config, name string) error {
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
