package seccomp

import (
	"crypto/sha256"
	"encoding/hex"
)

// key names a cache entry.
type key [sha256.Size]byte

// newKey hashes the profile together with all else that decides the result. compilerID has a fixed
// number of lines, so no two pairs run together to the same bytes.
func newKey(raw []byte) key {
	var k key
	h := sha256.New()
	h.Write([]byte(compilerID()))
	h.Write([]byte{0})
	h.Write(raw)
	h.Sum(k[:0])
	return k
}

func (k *key) String() string { return hex.EncodeToString(k[:]) }

// isEntry tells whether a file name is that of an entry, or of one in the making.
func isEntry(name string) bool {
	if len(name) < 2*sha256.Size {
		return false
	}
	for _, c := range []byte(name[:2*sha256.Size]) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return len(name) == 2*sha256.Size || name[2*sha256.Size] == '.'
}
