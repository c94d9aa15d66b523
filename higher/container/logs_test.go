package container

import (
	"bufio"
	"bytes"
	"testing"

	"github.com/moby/moby/api/pkg/stdcopy"

	"github.com/dhow-containers/dhow/higher/log"
)

// TestWriteFrame has each line in a frame of its own, and many in a write.
func TestWriteFrame(t *testing.T) {
	var sent writes
	w := bufio.NewWriterSize(&sent, logBatch)
	long := bytes.Repeat([]byte("x"), logBatch+1)
	for _, l := range []log.Line{{Stream: "stdout", Text: []byte("a\n")}, {Stream: "stderr", Text: []byte("b\n")}, {Stream: "stdout", Text: long}} {
		if err := writeFrame(w, l); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	if want := []byte("\x01\x00\x00\x00\x00\x00\x00\x02a\n\x02\x00\x00\x00\x00\x00\x00\x02b\n"); !bytes.HasPrefix(sent.all.Bytes(), want) {
		t.Errorf("got %q", sent.all.Bytes()[:len(want)])
	}
	if sent.n != 2 {
		t.Errorf("%d writes", sent.n)
	}
	var out, errs bytes.Buffer
	if _, err := stdcopy.StdCopy(&out, &errs, &sent.all); err != nil || errs.String() != "b\n" || out.String() != "a\n"+string(long) {
		t.Errorf("%v: stdout of %d bytes, stderr %q", err, out.Len(), errs.String())
	}
}

type writes struct {
	n   int
	all bytes.Buffer
}

func (w *writes) Write(p []byte) (int, error) {
	w.n++
	return w.all.Write(p)
}
