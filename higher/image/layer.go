package image

import (
	"bufio"
	"context"
	"errors"
	"io"

	"github.com/dhow-containers/dhow/higher/decompress"
	"github.com/klauspost/compress/gzip"
	digest "github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// layer is a layer as it was stored.
type layer struct {
	desc   ocispec.Descriptor
	diffID digest.Digest // of the archive without compression
}

// storeLayer stores a tar archive as a layer. One that is compressed with gzip or zstd stays as it is, another is
// compressed with gzip.
func (m *Manager) storeLayer(ctx context.Context, r io.Reader) (*layer, error) {
	b := bufio.NewReaderSize(r, 256<<10)
	head, err := b.Peek(decompress.Head)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	switch decompress.Kind(head) {
	case "gzip":
		return m.storeCompressed(ctx, b, ocispec.MediaTypeImageLayerGzip)
	case "zstd":
		return m.storeCompressed(ctx, b, ocispec.MediaTypeImageLayerZstd)
	}
	plain, err := decompress.Archive(b)
	if err != nil {
		return nil, err
	}
	defer func() { _ = plain.Close() }()
	return m.storePlain(ctx, plain)
}

// storePlain compresses an archive and stores it.
func (m *Manager) storePlain(ctx context.Context, plain io.Reader) (*layer, error) {
	digester := digest.Canonical.Digester()
	pr, pw := io.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		z, err := gzip.NewWriterLevel(pw, gzip.BestSpeed)
		if err == nil {
			_, err = io.Copy(z, io.TeeReader(plain, digester.Hash()))
		}
		if err == nil {
			err = z.Close()
		}
		pw.CloseWithError(err)
	}()
	l, err := m.storeBlob(ctx, pr, ocispec.MediaTypeImageLayerGzip)
	_ = pr.CloseWithError(io.ErrClosedPipe)
	<-done
	if err != nil {
		return nil, err
	}
	l.diffID = digester.Digest()
	return l, nil
}

// storeCompressed stores a compressed archive, and finds its diff id while it does.
func (m *Manager) storeCompressed(ctx context.Context, r io.Reader, mediaType string) (*layer, error) {
	digester := digest.Canonical.Digester()
	pr, pw := io.Pipe()
	done := make(chan error, 1)
	go func() {
		plain, err := decompress.Layer(bufio.NewReaderSize(pr, 256<<10))
		if err == nil {
			_, err = io.Copy(digester.Hash(), plain)
			_ = plain.Close()
		}
		if err == nil {
			_, err = io.Copy(io.Discard, pr)
		}
		_ = pr.CloseWithError(err)
		done <- err
	}()
	l, err := m.storeBlob(ctx, io.TeeReader(r, pw), mediaType)
	_ = pw.CloseWithError(err)
	if e := <-done; err == nil {
		err = e
	}
	if err != nil {
		return nil, err
	}
	l.diffID = digester.Digest()
	return l, nil
}

func (m *Manager) storeBlob(ctx context.Context, r io.Reader, mediaType string) (*layer, error) {
	sum := &counter{Reader: r}
	d, err := m.ingest(ctx, sum, 0, "")
	return &layer{desc: ocispec.Descriptor{MediaType: mediaType, Digest: d, Size: sum.n}}, err
}
