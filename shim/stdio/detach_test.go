package stdio

import "testing"

// TestDetacher has the same whatever the reads are that bring the keys.
func TestDetacher(t *testing.T) {
	for _, test := range []struct {
		keys, in, want string
		detach         bool
	}{
		{"", "abc", "abc", false},
		{"\x10\x11", "abc", "abc", false},
		{"\x10\x11", "ab\x10\x11cd", "ab", true},
		{"\x10\x11", "\x10a\x10\x10\x11", "\x10a\x10", true},
		{"\x10\x11", "a\x10", "a", false}, // held back
		{"aab", "aaab", "a", true},
		{"abac", "ababac", "ab", true},
		{"abab", "abaabab", "aba", true},
		{"x", "axb", "a", true},
	} {
		for size := 1; size <= len(test.in); size++ {
			d, got, detach := detacher{keys: []byte(test.keys)}, "", false
			for at := 0; at < len(test.in) && !detach; at += size {
				var rest []byte
				rest, detach = d.scan([]byte(test.in[at:min(at+size, len(test.in))]))
				got += string(rest)
			}
			if got != test.want || detach != test.detach {
				t.Errorf("%q in %q by %d: got %q, %v", test.keys, test.in, size, got, detach)
			}
		}
	}
}
