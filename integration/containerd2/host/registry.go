package host

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"io"
	"math/big"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/sys/unix"
)

// registry serves one image under all names, as the distribution specification has it, as far as pulls go.
type registry struct {
	blobs map[string][]byte // by digest; manifests too
	types map[string]string
	index string // digest of what every tag names
}

// start is when all files of the registry were changed.
var start = time.Now()

// Registry takes the image from an archive of `docker save`, and serves it in the place of these hosts, in the tests' own
// mount and network namespaces, with a certificate that only they trust.
func Registry(t *testing.T, archive string, hosts ...string) {
	t.Helper()
	r := &registry{blobs: map[string][]byte{}, types: map[string]string{}}
	files := readTar(t, archive)
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	_, err := w.Write(files["layer.tar"])
	must(t, err)
	must(t, w.Close())
	manifest := ocispec.Manifest{Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageManifest,
		Config: r.add(ocispec.MediaTypeImageConfig, files["config.json"]),
		Layers: []ocispec.Descriptor{r.add(ocispec.MediaTypeImageLayerGzip, packed.Bytes())}}
	image := r.addJSON(t, ocispec.MediaTypeImageManifest, manifest)
	image.Platform = &ocispec.Platform{OS: "linux", Architecture: runtime.GOARCH}
	index := ocispec.Index{Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageIndex, Manifests: []ocispec.Descriptor{image}}
	r.index = r.addJSON(t, ocispec.MediaTypeImageIndex, index).Digest.String()
	listener, err := tls.Listen("tcp", "127.0.0.1:443", &tls.Config{Certificates: []tls.Certificate{certificate(t, hosts)}})
	must(t, err)
	server := &http.Server{Handler: r}
	go server.Serve(listener)
	t.Cleanup(func() { server.Close() })
	file := filepath.Join(t.TempDir(), "hosts")
	must(t, os.WriteFile(file, []byte("127.0.0.1 localhost "+strings.Join(hosts, " ")+"\n"), 0o644))
	must(t, unix.Mount(file, "/etc/hosts", "", unix.MS_BIND, ""))
	t.Cleanup(func() { unix.Unmount("/etc/hosts", unix.MNT_DETACH) })
}

// certificate makes one for some hosts, and has the programs that this one starts trust it.
func certificate(t *testing.T, hosts []string) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: hosts, NotBefore: start.Add(-time.Hour), NotAfter: start.Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	must(t, err)
	file := filepath.Join(t.TempDir(), "cert.pem")
	must(t, os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o644))
	t.Setenv("SSL_CERT_FILE", file)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func (r *registry) add(mediaType string, data []byte) ocispec.Descriptor {
	d := digest.FromBytes(data)
	r.blobs[d.String()], r.types[d.String()] = data, mediaType
	return ocispec.Descriptor{MediaType: mediaType, Digest: d, Size: int64(len(data))}
}

func (r *registry) addJSON(t *testing.T, mediaType string, v any) ocispec.Descriptor {
	t.Helper()
	data, err := json.Marshal(v)
	must(t, err)
	return r.add(mediaType, data)
}

// ServeHTTP answers for /v2/, /v2/NAME/manifests/REFERENCE and /v2/NAME/blobs/DIGEST.
func (r *registry) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	name := path.Base(request.URL.Path)
	if strings.HasSuffix(path.Dir(request.URL.Path), "/manifests") && r.blobs[name] == nil {
		name = r.index
	}
	data, found := r.blobs[name]
	if !found && request.URL.Path != "/v2/" {
		http.NotFound(w, request)
		return
	}
	w.Header().Set("Content-Type", r.types[name])
	w.Header().Set("Docker-Content-Digest", name)
	http.ServeContent(w, request, "", start, bytes.NewReader(data))
}

func readTar(t *testing.T, name string) map[string][]byte {
	t.Helper()
	f, err := os.Open(name)
	must(t, err)
	defer f.Close()
	files := map[string][]byte{}
	for r := tar.NewReader(f); ; {
		header, err := r.Next()
		if err == io.EOF {
			return files
		}
		must(t, err)
		files[header.Name], err = io.ReadAll(r)
		must(t, err)
	}
}
