package daemon

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"log/slog"
	"net"
	"net/http"
	"testing"

	"github.com/dhow-containers/dhow/higher/config"
	"github.com/dhow-containers/dhow/integration/authority"
)

// get connects to a server of the authority's, with certificates or without.
func get(a *authority.Authority, address string, certificates ...tls.Certificate) error {
	pool := x509.NewCertPool()
	pool.AddCert(a.Cert)
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
	ca, stranger := authority.New(t), authority.New(t)
	ca.Make("server", net.IPv4(127, 0, 0, 1))
	ca.Make("client")
	ca.Expired("late")
	stranger.Make("client")
	c := config.Default()
	c.Hosts = []string{"tcp://127.0.0.1:0"}
	c.TLS = config.TLS{Enabled: true, Verify: true, CA: ca.File("ca"), Cert: ca.File("server"), Key: ca.File("server-key")}
	all, err := Listen(c, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{Handler: http.NotFoundHandler(), ErrorLog: slog.NewLogLogger(slog.DiscardHandler, 0)}
	go s.Serve(all[0])
	defer s.Close()
	address := all[0].Addr().String()

	load := func(a *authority.Authority, name string) tls.Certificate {
		pair, err := tls.LoadX509KeyPair(a.File(name), a.File(name+"-key"))
		if err != nil {
			t.Fatal(err)
		}
		return pair
	}
	if err := get(ca, address, load(ca, "client")); err != nil {
		t.Errorf("a client of the CA: %v", err)
	}
	if get(ca, address) == nil {
		t.Error("a client without a certificate was served")
	}
	if get(ca, address, load(stranger, "client")) == nil {
		t.Error("a client of another CA was served")
	}
	if get(ca, address, load(ca, "late")) == nil {
		t.Error("a client whose certificate has expired was served")
	}
}

func TestTLSFiles(t *testing.T) {
	ca := authority.New(t)
	ca.Make("server")
	for name, c := range map[string]config.TLS{
		"no certificate": {Enabled: true, Cert: ca.File("none"), Key: ca.File("server-key")},
		"no CA":          {Enabled: true, Verify: true, CA: ca.File("none"), Cert: ca.File("server"), Key: ca.File("server-key")},
		"empty CA":       {Enabled: true, Verify: true, CA: ca.File("server-key"), Cert: ca.File("server"), Key: ca.File("server-key")},
	} {
		if _, err := tlsConfig(&c); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
