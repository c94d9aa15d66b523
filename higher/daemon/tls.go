package daemon

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"

	"github.com/dhow-containers/dhow/higher/config"
)

// tlsConfig is that of the TCP listeners; with --tlsverify a client needs a certificate of the CA's.
func tlsConfig(c *config.TLS) (*tls.Config, error) {
	pair, err := tls.LoadX509KeyPair(c.Cert, c.Key)
	if err != nil {
		return nil, fmt.Errorf("cannot load the server's certificate (--tlscert, --tlskey): %w", err)
	}
	t := &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}
	if !c.Verify {
		return t, nil
	}
	pem, err := os.ReadFile(c.CA)
	if err != nil {
		return nil, fmt.Errorf("cannot load the clients' CA (--tlscacert): %w", err)
	}
	t.ClientCAs, t.ClientAuth = x509.NewCertPool(), tls.RequireAndVerifyClientCert
	if !t.ClientCAs.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("cannot load the clients' CA (--tlscacert): %w", errors.New(c.CA+" has no certificate"))
	}
	return t, nil
}
