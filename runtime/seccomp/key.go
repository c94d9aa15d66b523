package seccomp

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/dhow-containers/dhow/runtime/seccomp/internal/compiled"
)

// The start of an entry: magic, version of this layout, and the lengths of what follows it.
const (
	entryMagic   = "dhowscca"
	entryVersion = 2
	entryHeader  = 24
)

// key is what an entry must have been made from to be used.
type key struct {
	id      string // all that decides the result besides the profile
	profile []byte
}

func newKey(raw []byte) key { return key{compilerID(), raw} }

// hash64 is a variable for tests, which make keys collide.
var hash64 = compiled.Sum64

// name is the file name of the key's entry. It need not be unique, only rarely not: see matches.
func (k key) name() string {
	return fmt.Sprintf("%016x", hash64(hash64(0, []byte(k.id)), k.profile))
}

// size is the length of an entry, in bytes, up to its blob.
func (k key) size() int { return entryHeader + len(k.id) + len(k.profile) }

func (k key) header() []byte {
	h := make([]byte, entryHeader)
	copy(h, entryMagic)
	order := binary.NativeEndian
	order.PutUint32(h[8:], entryVersion)
	order.PutUint32(h[12:], uint32(len(k.id)))
	order.PutUint64(h[16:], uint64(len(k.profile)))
	return h
}

// entry returns the bytes of an entry. The lengths in its header keep one key from being another's start.
func (k key) entry(blob []byte) []byte {
	return slices.Concat(k.header(), []byte(k.id), k.profile, blob)
}

// blob returns the blob of an entry, if the entry was made from this very key. The name says little: a
// profile whose name equals another's is easily made, and must not be answered with the other's filter.
func (k key) blob(entry []byte) (blob []byte, ok bool) {
	for _, part := range [][]byte{k.header(), []byte(k.id), k.profile} {
		if entry, ok = bytes.CutPrefix(entry, part); !ok {
			return nil, false
		}
	}
	return entry, true
}

// nameSize is the length of an entry's name.
const nameSize = 16

// isEntry tells whether a file name is that of an entry, or of one in the making.
func isEntry(name string) bool {
	if len(name) < nameSize {
		return false
	}
	for _, c := range []byte(name[:nameSize]) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return len(name) == nameSize || name[nameSize] == '.'
}
