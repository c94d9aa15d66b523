package archive

import (
	"bufio"
	"bytes"
	"compress/bzip2"
	"compress/gzip"
	"io"

	"github.com/klauspost/compress/zstd"
)

// decompress finds out how a stream is compressed by how it begins.
func decompress(r io.Reader) (io.ReadCloser, error) {
	b := bufio.NewReaderSize(r, 64<<10)
	head, err := b.Peek(10)
	if err != nil && err != io.EOF {
		return nil, err
	}
	has := func(magic string) bool { return bytes.HasPrefix(head, []byte(magic)) }
	switch {
	case has("\x1f\x8b\x08"):
		z, err := gzip.NewReader(b)
		if err != nil {
			return nil, invalidf("cannot decompress the archive: %v", err)
		}
		return z, nil
	case has("BZh"):
		return io.NopCloser(bzip2.NewReader(b)), nil
	case has("\x28\xb5\x2f\xfd"):
		z, err := zstd.NewReader(b, zstd.WithDecoderConcurrency(1))
		if err != nil {
			return nil, invalidf("cannot decompress the archive: %v", err)
		}
		return z.IOReadCloser(), nil
	case has("\xfd7zXZ\x00"):
		return nil, invalidf("archives that are compressed with xz are not supported by this engine")
	default:
		return io.NopCloser(b), nil
	}
}
