package stream

import (
	"errors"
	"fmt"
	"io"
	"strings"
)

// ErrDetached ends an input in which the detach keys were typed.
var ErrDetached = errors.New("read escape sequence")

// DefaultDetachKeys are ctrl-p ctrl-q.
var DefaultDetachKeys = []byte{16, 17}

// ParseKeys reads a list like "ctrl-p,ctrl-q" or "a,ctrl-@".
func ParseKeys(s string) ([]byte, error) {
	var keys []byte
	for k := range strings.SplitSeq(s, ",") {
		c, ctrl := strings.CutPrefix(k, "ctrl-")
		switch {
		case !ctrl && len(k) == 1:
			keys = append(keys, k[0])
		case ctrl && len(c) == 1 && c[0] >= 'a' && c[0] <= 'z':
			keys = append(keys, c[0]-'a'+1)
		case ctrl && len(c) == 1 && strings.Contains("@[\\]^_", c):
			keys = append(keys, c[0]-'@')
		default:
			return nil, fmt.Errorf("invalid detach keys (%s): Unknown character: '%s'", s, k)
		}
	}
	return keys, nil
}

// Detachable returns r up to keys, where it ends with ErrDetached. Keys that only begin like them come through late.
func Detachable(r io.Reader, keys []byte) io.Reader { return &detachable{r: r, keys: keys} }

type detachable struct {
	r       io.Reader
	keys    []byte
	matched int
	ready   []byte
	err     error
}

func (d *detachable) Read(p []byte) (int, error) {
	for len(d.ready) == 0 {
		if d.err != nil {
			return 0, d.err
		}
		buf := make([]byte, len(p))
		n, err := d.r.Read(buf)
		d.err = err
		d.scan(buf[:n])
		if err != nil && !errors.Is(d.err, ErrDetached) {
			d.ready = append(d.ready, d.keys[:d.matched]...)
			d.matched = 0
		}
	}
	n := copy(p, d.ready)
	d.ready = d.ready[n:]
	return n, nil
}

func (d *detachable) scan(in []byte) {
	for _, b := range in {
		if b == d.keys[d.matched] {
			if d.matched++; d.matched == len(d.keys) {
				d.err = ErrDetached
				return
			}
			continue
		}
		d.ready = append(d.ready, d.keys[:d.matched]...)
		d.matched = 0
		if b == d.keys[0] {
			d.matched = 1
			if len(d.keys) == 1 {
				d.err = ErrDetached
				return
			}
			continue
		}
		d.ready = append(d.ready, b)
	}
}
