package seccomp

// FakeHash has f name the entries of the cache until restore is called.
func FakeHash(f func(seed uint64, b []byte) uint64) (restore func()) {
	old := hash64
	hash64 = f
	return func() { hash64 = old }
}
