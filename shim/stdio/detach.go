package stdio

import "bytes"

// detacher looks for the keys by which a client detaches. Those that may be the beginning of the sequence are held back until
// it is clear that they are not.
type detacher struct {
	keys []byte
	held int // so many of the first keys
}

// scan returns what is for the process, and whether the keys came; what came after them is dropped.
func (d *detacher) scan(b []byte) (rest []byte, detach bool) {
	if len(d.keys) == 0 || d.held == 0 && bytes.IndexByte(b, d.keys[0]) < 0 {
		return b, false
	}
	for _, c := range b {
		if c == d.keys[d.held] {
			if d.held++; d.held == len(d.keys) {
				return rest, true
			}
			continue
		}
		seen := append(bytes.Clone(d.keys[:d.held]), c)
		d.held = overlap(seen, d.keys)
		rest = append(rest, seen[:len(seen)-d.held]...)
	}
	return rest, false
}

// overlap is the length of the longest end of s that is a beginning of keys, less than all of them.
func overlap(s, keys []byte) int {
	for n := min(len(s), len(keys)-1); n > 0; n-- {
		if bytes.HasSuffix(s, keys[:n]) {
			return n
		}
	}
	return 0
}
