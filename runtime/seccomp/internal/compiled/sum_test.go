package compiled

import "testing"

// TestSum64 changes each bit and each length, which must change the sum and both its halves' users.
func TestSum64(t *testing.T) {
	seen := map[uint64]string{}
	add := func(b []byte) {
		t.Helper()
		s := Sum64(0, b)
		if other, ok := seen[s]; ok {
			t.Errorf("%q and %q have one sum", other, b)
		}
		seen[s] = string(b)
	}
	zeros := make([]byte, 40)
	for n := range zeros {
		add(zeros[:n])
	}
	for i := range zeros {
		for bit := range 8 {
			zeros[i] = 1 << bit
			add(zeros)
		}
		zeros[i] = 0
	}
	if a, b := Sum64(Sum64(0, []byte("ab")), []byte("c")), Sum64(Sum64(0, []byte("a")), []byte("bc")); a == b {
		t.Error("the border between two parts does not count")
	}
}

func BenchmarkSum64(b *testing.B) {
	data := make([]byte, 16<<10)
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		Sum64(0, data)
	}
}
