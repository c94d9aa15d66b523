package stream

import (
	"bufio"
	"cmp"
	"io"

	"github.com/moby/moby/api/pkg/stdcopy"
)

// Frames copies what comes in stdcopy's frames to the two outputs. Many frames that have come at once, as those of a log
// have, are few writes; nothing is held back while more is waited for, and what goes to two outputs that are one stays in order.
func Frames(out, err io.Writer, r io.Reader) error {
	var b batches
	o, e := b.add(out), b.add(err)
	_, failed := stdcopy.StdCopy(o, e, &flushing{r, &b})
	return cmp.Or(failed, b.flush())
}

// batches are outputs of which one at most holds something back.
type batches struct{ all []*batch }

func (b *batches) add(w io.Writer) *batch {
	one := &batch{bufio.NewWriterSize(w, 32<<10), b}
	b.all = append(b.all, one)
	return one
}

func (b *batches) flush() error {
	for _, one := range b.all {
		if err := one.Flush(); err != nil {
			return err
		}
	}
	return nil
}

type batch struct {
	*bufio.Writer
	of *batches
}

func (b *batch) Write(p []byte) (int, error) {
	if b.Buffered() == 0 {
		if err := b.of.flush(); err != nil { // the other one's
			return 0, err
		}
	}
	return b.Writer.Write(p)
}

// flushing has everything written before it may have to wait.
type flushing struct {
	io.Reader
	b *batches
}

func (f *flushing) Read(p []byte) (int, error) {
	if err := f.b.flush(); err != nil {
		return 0, err
	}
	return f.Reader.Read(p)
}
