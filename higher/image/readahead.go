package image

import (
	"io"
	"sync"
)

const (
	aheadSize   = 256 << 10 // bytes of a piece
	aheadPieces = 4
)

// pieces are the buffers that read-aheads share.
var pieces = sync.Pool{New: func() any { b := make([]byte, aheadSize); return &b }}

// readAhead reads a stream in a goroutine of its own, so that decompressing and writing go on beside one another.
type readAhead struct {
	full chan piece
	stop chan struct{}
	done chan struct{}
	cur  piece
	rest []byte
}

type piece struct {
	buf *[]byte
	n   int
	err error
}

func newReadAhead(r io.ReadCloser) *readAhead {
	a := &readAhead{full: make(chan piece, aheadPieces), stop: make(chan struct{}), done: make(chan struct{})}
	go a.run(r)
	return a
}

func (a *readAhead) run(r io.ReadCloser) {
	defer close(a.done)
	defer func() { _ = r.Close() }()
	for {
		buf := pieces.Get().(*[]byte)
		n, err := fill(r, *buf)
		select {
		case a.full <- piece{buf, n, err}:
		case <-a.stop:
			pieces.Put(buf)
			return
		}
		if err != nil {
			return
		}
	}
}

// fill reads until a buffer is full or the stream ends.
func fill(r io.Reader, buf []byte) (n int, err error) {
	for n < len(buf) && err == nil {
		var k int
		k, err = r.Read(buf[n:])
		n += k
	}
	return n, err
}

func (a *readAhead) Read(p []byte) (int, error) {
	for len(a.rest) == 0 {
		if a.cur.buf != nil {
			pieces.Put(a.cur.buf)
			a.cur.buf = nil
		}
		if a.cur.err != nil {
			return 0, a.cur.err
		}
		a.cur = <-a.full
		a.rest = (*a.cur.buf)[:a.cur.n]
	}
	n := copy(p, a.rest)
	a.rest = a.rest[n:]
	return n, nil
}

// Close ends the goroutine, and with it the stream.
func (a *readAhead) Close() {
	close(a.stop)
	<-a.done
}
