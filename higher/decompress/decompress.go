// Package decompress undoes the compression of archives and layers, which it tells by their first bytes.
package decompress

import (
	"bufio"
	"bytes"
	"compress/bzip2"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
)

// Head is how many bytes of a stream Kind looks at.
const Head = 6

// maxWindow bounds the memory that a zstd stream may ask for.
const maxWindow = 128 << 20

// The first bytes of compressed streams. A skippable frame may come before one of zstd's.
var (
	magicGzip  = []byte{0x1f, 0x8b, 0x08}
	magicZstd  = []byte{0x28, 0xb5, 0x2f, 0xfd}
	magicBzip2 = []byte("BZh")
	magicXz    = []byte{0xfd, '7', 'z', 'X', 'Z', 0x00}
)

// Kind tells by its first bytes how a stream is compressed: gzip, zstd, bzip2, xz or "".
func Kind(head []byte) string {
	switch {
	case bytes.HasPrefix(head, magicGzip):
		return "gzip"
	case bytes.HasPrefix(head, magicZstd), len(head) >= 4 && head[0]&0xf0 == 0x50 && bytes.Equal(head[1:4], []byte{0x2a, 0x4d, 0x18}):
		return "zstd"
	case bytes.HasPrefix(head, magicBzip2):
		return "bzip2"
	case bytes.HasPrefix(head, magicXz):
		return "xz"
	}
	return ""
}

// Layer undoes the compression of a layer, which may come from anywhere. What it returns is closed when it has been
// read. Xz is an error: no image may have it, and how much memory it takes is up to the stream.
func Layer(r *bufio.Reader) (io.ReadCloser, error) {
	return open(r, func(io.Reader) (io.Reader, error) { return nil, errors.New("no layer may be compressed with xz") })
}

// Archive is Layer for an archive that a user of the engine hands over, which may be compressed with xz.
func Archive(r *bufio.Reader) (io.ReadCloser, error) {
	return open(r, func(r io.Reader) (io.Reader, error) { return xz.NewReader(r) })
}

func open(r *bufio.Reader, openXz func(io.Reader) (io.Reader, error)) (io.ReadCloser, error) {
	head, err := r.Peek(Head)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	kind := Kind(head)
	var plain io.ReadCloser
	switch kind {
	case "gzip":
		plain, err = gzip.NewReader(r)
	case "zstd":
		var z *zstd.Decoder
		if z, err = zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow)); err == nil {
			plain = z.IOReadCloser()
		}
	case "bzip2":
		plain, err = io.NopCloser(bzip2.NewReader(r)), nil
	case "xz":
		var z io.Reader
		z, err = openXz(r)
		plain = io.NopCloser(z)
	default:
		plain, err = io.NopCloser(r), nil
	}
	if err != nil {
		return nil, fmt.Errorf("cannot decompress with %s: %w", kind, err)
	}
	return plain, nil
}
