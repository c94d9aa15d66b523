// Package authority makes certificates for tests: of an authority, of servers and of clients.
package authority

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// An Authority signs certificates. All files are in Dir: NAME.pem and NAME-key.pem.
type Authority struct {
	t    testing.TB
	Dir  string
	Cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// New makes an authority with the files ca.pem and ca-key.pem.
func New(t testing.TB) *Authority {
	t.Helper()
	a := &Authority{t: t, Dir: t.TempDir()}
	a.Cert, a.key = a.make("ca", time.Now().Add(time.Hour), nil)
	return a
}

// Make makes a certificate for a client, or for a server with addresses.
func (a *Authority) Make(name string, addresses ...net.IP) {
	a.t.Helper()
	a.make(name, time.Now().Add(time.Hour), addresses)
}

// Expired makes one whose time is over.
func (a *Authority) Expired(name string, addresses ...net.IP) {
	a.t.Helper()
	a.make(name, time.Now().Add(-time.Minute), addresses)
}

// File is the path of a certificate, or of a key (NAME-key).
func (a *Authority) File(name string) string { return filepath.Join(a.Dir, name+".pem") }

func (a *Authority) make(name string, end time.Time, addresses []net.IP) (*x509.Certificate, *ecdsa.PrivateKey) {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	a.must(err)
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: end.Add(-2 * time.Hour), NotAfter: end, IPAddresses: addresses,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
	}
	parent, signer := a.Cert, a.key
	if parent == nil {
		c.IsCA, c.BasicConstraintsValid = true, true
		parent, signer = c, key
	}
	raw, err := x509.CreateCertificate(rand.Reader, c, parent, &key.PublicKey, signer)
	a.must(err)
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	a.must(err)
	a.write(name, "CERTIFICATE", raw)
	a.write(name+"-key", "PRIVATE KEY", secret)
	cert, err := x509.ParseCertificate(raw)
	a.must(err)
	return cert, key
}

func (a *Authority) write(name, kind string, der []byte) {
	a.t.Helper()
	a.must(os.WriteFile(a.File(name), pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600))
}

func (a *Authority) must(err error) {
	a.t.Helper()
	if err != nil {
		a.t.Fatal(err)
	}
}
