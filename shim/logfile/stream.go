package logfile

import (
	"bytes"
	"encoding/hex"

	"golang.org/x/sys/unix"
)

// maxPart is how much of a line is one entry.
const maxPart = 16 << 10

// Stream cuts one stream into entries. It is for one goroutine.
type Stream struct {
	log  *Log
	name string
	rest []byte // of a line whose end has not come yet
	long *entry // the first part of a long line that goes on
	seen int    // parts of it
}

// Write logs b, but for a last line that may go on.
func (s *Stream) Write(b []byte) {
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	to := s.begin()
	for len(b) > 0 {
		room := min(maxPart-len(s.rest), len(b))
		end := bytes.IndexByte(b[:room], '\n')
		switch {
		case end >= 0:
			s.add(to, s.join(b[:end]), true)
			b = b[end+1:]
		case len(s.rest)+room == maxPart:
			s.add(to, s.join(b[:room]), false)
			b = b[room:]
		default:
			s.rest = append(s.rest, b...)
			b = nil
		}
	}
	if len(s.rest) == 0 {
		s.rest = nil
	}
	s.end(to)
}

// Close logs a last line that has no end.
func (s *Stream) Close() {
	if len(s.rest) == 0 {
		return
	}
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	to := s.begin()
	s.add(to, s.join(nil), false)
	s.rest = nil
	s.end(to)
}

// begin returns where entries go. With a ring that is what waits to be written.
func (s *Stream) begin() *batch {
	if s.log.ring != nil {
		return &s.log.pending
	}
	return buffers.Get().(*batch)
}

func (s *Stream) end(b *batch) {
	if s.log.ring != nil {
		s.log.ring.wake()
		return
	}
	s.log.flush(b)
	buffers.Put(b)
}

// join puts b behind what was there of the line.
func (s *Stream) join(b []byte) []byte {
	if len(s.rest) == 0 {
		return b
	}
	line := append(s.rest, b...)
	s.rest = line[:0]
	return line
}

// add logs a line, or a part of one. All parts have the time of the first.
func (s *Stream) add(to *batch, line []byte, ends bool) {
	e := entry{stream: s.name, line: line}
	switch {
	case s.long == nil && ends:
		e.at = now()
	case s.long == nil:
		e.at = now()
		s.long, s.seen = &entry{at: e.at, part: &part{id: newID()}}, 0
	default:
		e.at = s.long.at
	}
	if s.long != nil {
		s.seen++
		e.part = &part{last: ends, id: s.long.part.id, ordinal: s.seen}
	}
	if ends {
		s.long = nil
	}
	s.log.append(to, &e)
}

// newID names a long line.
func newID() string {
	var b [32]byte
	_, _ = unix.Getrandom(b[:], 0) // does not fail for so few bytes (getrandom(2))
	return hex.EncodeToString(b[:])
}
