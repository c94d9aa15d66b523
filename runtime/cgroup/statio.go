package cgroup

import "bytes"

// io reads io.stat: lines of "MAJOR:MINOR key=value…".
func (r *statReader) io() {
	const name = "io.stat"
	text, _ := r.read(name)
	for line := range bytes.Lines(text) {
		device, rest, _ := bytes.Cut(bytes.TrimSpace(line), []byte(" "))
		c, ok := newIOCount(device)
		if !ok {
			continue // a device without a number, of a disk that is gone
		}
		for field := range bytes.FieldsSeq(rest) {
			key, value, _ := bytes.Cut(field, []byte("="))
			list, op := r.s.IO.table(key)
			if list == nil {
				continue
			}
			if c.Value, ok = counter(value); !ok {
				r.bad(name, line)
				return
			}
			c.Op = op
			*list = append(*list, c)
		}
	}
}

// table tells where a key of io.stat goes, in the words of version 1.
func (s *IOStats) table(key []byte) (list *[]IOCount, op string) {
	switch string(key) {
	case "rbytes":
		return &s.Bytes, "Read"
	case "wbytes":
		return &s.Bytes, "Write"
	case "rios":
		return &s.Operations, "Read"
	case "wios":
		return &s.Operations, "Write"
	}
	return nil, ""
}

// newIOCount reads "MAJOR:MINOR".
func newIOCount(device []byte) (IOCount, bool) {
	major, minor, _ := bytes.Cut(device, []byte(":"))
	a, ok := digits(major)
	b, ok2 := digits(minor)
	return IOCount{Major: a, Minor: b}, ok && ok2
}

// blkio reads the counts of version 1 from where the host has them. Each kind
// of scheduler has files of its own, and those of the others are not there or
// stay empty: the first set of files that says something wins.
func (r *statReader) blkio() {
	s := &r.s.IO
	for _, prefix := range [...]string{"blkio.bfq.", "blkio."} { // BFQ, and CFQ up to Linux 4.20
		if !r.blkioFile(prefix+"io_serviced_recursive", &s.Operations) {
			continue
		}
		r.blkioFile(prefix+"io_service_bytes_recursive", &s.Bytes)
		// Without CONFIG_BFQ_CGROUP_DEBUG, BFQ has no more.
		r.blkioFile(prefix+"sectors_recursive", &s.Sectors)
		r.blkioFile(prefix+"io_service_time_recursive", &s.ServiceTime)
		r.blkioFile(prefix+"io_wait_time_recursive", &s.WaitTime)
		r.blkioFile(prefix+"io_merged_recursive", &s.Merged)
		r.blkioFile(prefix+"io_queued_recursive", &s.Queued)
		r.blkioFile(prefix+"time_recursive", &s.Time)
		return
	}
	for _, suffix := range [...]string{"_recursive", ""} { // the throttling layer; recursive since Linux 4.19
		if r.blkioFile("blkio.throttle.io_serviced"+suffix, &s.Operations) {
			r.blkioFile("blkio.throttle.io_service_bytes"+suffix, &s.Bytes)
			return
		}
	}
}

// blkioFile reads lines of "MAJOR:MINOR [operation] value", and is false when
// there are none. The last line is a total of all devices.
func (r *statReader) blkioFile(name string, to *[]IOCount) bool {
	text, _ := r.read(name)
	for line := range bytes.Lines(text) {
		f := bytes.Fields(line)
		if len(f) == 2 && string(f[0]) == "Total" {
			continue
		}
		if len(f) < 2 || len(f) > 3 {
			r.bad(name, line)
			return false
		}
		c, ok := newIOCount(f[0])
		var ok2 bool
		if c.Value, ok2 = counter(f[len(f)-1]); !ok || !ok2 {
			r.bad(name, line)
			return false
		}
		if len(f) == 3 {
			c.Op = operation(f[1])
		}
		*to = append(*to, c)
	}
	return len(*to) > 0
}

// operation spares a string for each line.
func operation(word []byte) string {
	for _, w := range [...]string{"Read", "Write", "Sync", "Async", "Discard", "Total"} {
		if w == string(word) {
			return w
		}
	}
	return string(word)
}
