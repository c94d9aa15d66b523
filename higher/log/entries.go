package log

import (
	"errors"
	"io"
	"net/url"
	"slices"
	"time"
)

// entry is what was logged at once.
type entry struct {
	stream string
	at     time.Time
	line   []byte // with its end, if it has one
	attrs  map[string]string
}

// appendAttrs writes the attributes as Docker does: KEY=VALUE,KEY=VALUE.
func (e *entry) appendAttrs(b []byte) []byte {
	keys := make([]string, 0, len(e.attrs))
	for k := range e.attrs {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for i, k := range keys {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, url.QueryEscape(k)...)
		b = append(b, '=')
		b = append(b, url.QueryEscape(e.attrs[k])...)
	}
	return b
}

// format is how entries are in a file.
type format interface {
	// cut returns the length of the first entry of b; 0 when it is not all there.
	cut(b []byte) (int, error)
	decode(b []byte, e *entry) error
}

// entries are those of a file, to which more may be added.
type entries struct {
	r      io.Reader
	format format
	buf    []byte
	rest   []byte // of buf, not looked at yet
}

// maxEntry is more than an entry has, whatever is in it.
const maxEntry = 4 << 20

var errTooLong = errors.New("an entry of the log is too long")

// next returns an entry, valid until the next call; io.EOF when none is there as a whole.
func (s *entries) next() ([]byte, error) {
	for {
		n, err := s.format.cut(s.rest)
		if err != nil {
			return nil, err
		}
		if n > 0 {
			raw := s.rest[:n]
			s.rest = s.rest[n:]
			return raw, nil
		}
		if err := s.fill(); err != nil {
			return nil, err
		}
	}
}

func (s *entries) fill() error {
	if len(s.rest) == cap(s.buf) {
		if cap(s.buf) >= maxEntry {
			return errTooLong
		}
		s.buf = append(make([]byte, 0, max(64<<10, 2*cap(s.buf))), s.rest...)
	} else {
		s.buf = append(s.buf[:0], s.rest...)
	}
	n, err := s.r.Read(s.buf[len(s.buf):cap(s.buf)])
	s.buf = s.buf[:len(s.buf)+n]
	s.rest = s.buf
	if n > 0 {
		return nil
	}
	if err == nil {
		err = io.EOF
	}
	return err
}
