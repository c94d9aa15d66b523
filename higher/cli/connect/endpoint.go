package connect

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/moby/moby/client"
)

// Endpoint is a daemon's address and what it takes to get there.
type Endpoint struct {
	Context    string
	Host       string
	TLS        *Files // nil for none
	SkipVerify bool
	Autostart  bool      // start dhowd when nobody listens
	Report     io.Writer // where starting it is announced
}

// Files are certificates as PEM.
type Files struct{ CA, Cert, Key []byte }

// Client makes a client; nothing is sent yet.
func (e *Endpoint) Client(more ...client.Opt) (*client.Client, error) {
	opts := []client.Opt{client.WithAPIVersionFromEnv()}
	switch {
	case strings.HasPrefix(e.Host, "ssh://"):
		s, err := parseSSH(e.Host)
		if err != nil {
			return nil, err
		}
		opts = append(opts, client.WithHTTPClient(&http.Client{Transport: &http.Transport{DialContext: s.dial}, CheckRedirect: client.CheckRedirect}),
			client.WithHost("http://docker.example.com"), client.WithDialContext(s.dial))
	case e.TLS != nil:
		c, err := e.config()
		if err != nil {
			return nil, err
		}
		d := &net.Dialer{KeepAlive: 30 * time.Second, Timeout: 30 * time.Second}
		opts = append(opts, client.WithHTTPClient(&http.Client{Transport: &http.Transport{TLSClientConfig: c, DialContext: d.DialContext}, CheckRedirect: client.CheckRedirect}),
			client.WithHost(e.Host))
	default:
		opts = append(opts, client.WithHost(e.Host))
		if e.Autostart {
			opts = append(opts, client.WithDialContext(e.dialOrStart))
		}
	}
	return client.New(append(opts, more...)...)
}

func (e *Endpoint) config() (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: e.SkipVerify}
	if len(e.TLS.CA) > 0 {
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(e.TLS.CA) {
			return nil, errors.New("failed to retrieve context tls info: ca.pem seems invalid")
		}
	}
	if len(e.TLS.Cert) > 0 || len(e.TLS.Key) > 0 {
		pair, err := tls.X509KeyPair(e.TLS.Cert, e.TLS.Key)
		if err != nil {
			return nil, fmt.Errorf("failed to retrieve context tls info: %w", err)
		}
		c.Certificates = []tls.Certificate{pair}
	}
	return c, nil
}

// dialOrStart connects to the default socket, and starts the daemon first when nobody is behind it.
func (e *Endpoint) dialOrStart(ctx context.Context, _, _ string) (net.Conn, error) {
	var d net.Dialer
	path := strings.TrimPrefix(e.Host, "unix://")
	c, err := d.DialContext(ctx, "unix", path)
	if err == nil || !absent(err) {
		return c, err
	}
	if err := start(ctx, path, e.Report); err != nil {
		return nil, err
	}
	return d.DialContext(ctx, "unix", path)
}
