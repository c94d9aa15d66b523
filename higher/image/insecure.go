package image

import (
	"context"
	"crypto/tls"
	"net/netip"

	"github.com/dhow-containers/dhow/higher/image/trust"
)

// insecure says whether a registry, host or host:port, may do without TLS or with any certificate.
func (m *Manager) insecure(ctx context.Context, host string) bool {
	name := trust.Name(host)
	if name == hubHost {
		return false
	}
	nets := trust.Loopback()
	for _, s := range m.reached.Load().insecure {
		if s == host || s == name {
			return true
		}
		if p, err := netip.ParsePrefix(s); err == nil {
			nets = append(nets, p)
		}
	}
	return trust.Within(ctx, host, nets)
}

// trust enters the certificates that were put into a registry's directory.
func (m *Manager) trust(c *tls.Config, host string) error {
	return trust.Certificates(c, m.certs, host)
}
