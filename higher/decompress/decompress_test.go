package decompress

import (
	"bufio"
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
)

// packed is text in each compression. That of bzip2, which nothing here writes, is by bzip2(1).
func packed(t testing.TB) map[string][]byte {
	t.Helper()
	write := func(open func(io.Writer) (io.WriteCloser, error)) []byte {
		var b bytes.Buffer
		w, err := open(&b)
		if err == nil {
			_, err = io.WriteString(w, "text\n")
		}
		if err == nil {
			err = w.Close()
		}
		if err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	return map[string][]byte{
		"":      []byte("text\n"),
		"gzip":  write(func(w io.Writer) (io.WriteCloser, error) { return gzip.NewWriter(w), nil }),
		"zstd":  write(func(w io.Writer) (io.WriteCloser, error) { return zstd.NewWriter(w) }),
		"xz":    write(func(w io.Writer) (io.WriteCloser, error) { return xz.NewWriter(w) }),
		"bzip2": []byte("\x42\x5a\x68\x39\x31\x41\x59\x26\x53\x59\xc0\x6f\xe0\x65\x00\x00\x01\xc1\x80\x00\x10\x02\x00\x04\x40\x20\x00\x21\x8c\x83\x34\xd0\x88\xf1\x77\x24\x53\x85\x09\x0c\x06\xfe\x06\x50"),
	}
}

func TestArchive(t *testing.T) {
	for kind, b := range packed(t) {
		if got := Kind(b); got != kind {
			t.Errorf("%q is taken for %q", kind, got)
		}
		r, err := Archive(bufio.NewReader(bytes.NewReader(b)))
		if err != nil {
			t.Errorf("%s: %v", kind, err)
			continue
		}
		if text, err := io.ReadAll(r); err != nil || string(text) != "text\n" {
			t.Errorf("%s: got %q, %v", kind, text, err)
		}
		if err := r.Close(); err != nil {
			t.Errorf("%s: %v", kind, err)
		}
	}
}

func TestLayer(t *testing.T) {
	_, err := Layer(bufio.NewReader(bytes.NewReader(packed(t)["xz"])))
	if err == nil || err.Error() != "cannot decompress with xz: no layer may be compressed with xz" {
		t.Errorf("got %v", err)
	}
	_, err = Layer(bufio.NewReader(strings.NewReader("\x1f\x8b\x08")))
	if err == nil || !strings.HasPrefix(err.Error(), "cannot decompress with gzip: ") {
		t.Errorf("got %v", err)
	}
}

// FuzzDecompress reads what may be compressed in any way.
func FuzzDecompress(f *testing.F) {
	for _, b := range packed(f) {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := Layer(bufio.NewReader(bytes.NewReader(b)))
		if err != nil {
			return
		}
		_, _ = io.Copy(io.Discard, io.LimitReader(r, 1<<20))
		_ = r.Close()
	})
}
