package daemon

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/dhow-containers/dhow/higher/config"
)

// authority makes certificates.
type authority struct {
	*testing.T
	dir  string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T, name string) *authority {
	a := &authority{T: t, dir: t.TempDir()}
	a.cert, a.key = a.make(name, nil)
	return a
}

// make makes a certificate of the authority's, or its own, and its files NAME.pem and NAME-key.pem.
func (a *authority) make(name string, ips []net.IP) (*x509.Certificate, *ecdsa.PrivateKey) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	a.must(err)
	t := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(time.Hour), IPAddresses: ips, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth}}
	parent, signer := a.cert, a.key
	if parent == nil {
		t.IsCA, t.BasicConstraintsValid = true, true
		parent, signer = t, key
	}
	raw, err := x509.CreateCertificate(rand.Reader, t, parent, &key.PublicKey, signer)
	a.must(err)
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	a.must(err)
	a.must(os.WriteFile(a.file(name), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: raw}), 0o600))
	a.must(os.WriteFile(a.file(name+"-key"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}), 0o600))
	cert, err := x509.ParseCertificate(raw)
	a.must(err)
	return cert, key
}

func (a *authority) file(name string) string { return filepath.Join(a.dir, name+".pem") }

func (a *authority) must(err error) {
	a.Helper()
	if err != nil {
		a.Fatal(err)
	}
}

// client connects with a certificate of another authority's, its own, or none.
func (a *authority) get(address string, certificates ...tls.Certificate) error {
	pool := x509.NewCertPool()
	pool.AddCert(a.cert)
	c := http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, Certificates: certificates}, DisableKeepAlives: true}}
	answer, err := c.Get("https://" + address)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, answer.Body)
	answer.Body.Close()
	return err
}

// Whoever can connect is root on the host: with --tlsverify only those with a certificate of the CA can.
func TestTLSVerify(t *testing.T) {
	ca, stranger := newAuthority(t, "ca"), newAuthority(t, "other")
	ca.make("server", []net.IP{net.IPv4(127, 0, 0, 1)})
	ca.make("client", nil)
	stranger.make("client", nil)
	c := config.Default()
	c.Hosts = []string{"tcp://127.0.0.1:0"}
	c.TLS = config.TLS{Enabled: true, Verify: true, CA: ca.file("ca"), Cert: ca.file("server"), Key: ca.file("server-key")}
	all, err := Listen(c, slog.New(slog.DiscardHandler))
	ca.must(err)
	s := &http.Server{Handler: http.NotFoundHandler(), ErrorLog: slog.NewLogLogger(slog.DiscardHandler, 0)}
	go s.Serve(all[0])
	defer s.Close()
	address := all[0].Addr().String()

	load := func(a *authority) tls.Certificate {
		pair, err := tls.LoadX509KeyPair(a.file("client"), a.file("client-key"))
		a.must(err)
		return pair
	}
	if err := ca.get(address, load(ca)); err != nil {
		t.Errorf("a client of the CA: %v", err)
	}
	if ca.get(address) == nil {
		t.Error("a client without a certificate was served")
	}
	if ca.get(address, load(stranger)) == nil {
		t.Error("a client of another CA was served")
	}
}

func TestTLSFiles(t *testing.T) {
	ca := newAuthority(t, "ca")
	ca.make("server", nil)
	for name, c := range map[string]config.TLS{
		"no certificate": {Enabled: true, Cert: ca.file("none"), Key: ca.file("server-key")},
		"no CA":          {Enabled: true, Verify: true, CA: ca.file("none"), Cert: ca.file("server"), Key: ca.file("server-key")},
		"empty CA":       {Enabled: true, Verify: true, CA: ca.file("server-key"), Cert: ca.file("server"), Key: ca.file("server-key")},
	} {
		if _, err := tlsConfig(&c); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
