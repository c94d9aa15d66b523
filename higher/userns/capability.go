package userns

import "encoding/binary"

// The extended attribute security.capability (capabilities(7), linux/capability.h): little-endian, the revision in the
// highest byte of the first word. Only the third has whose root it is about, in a word at its end.
const (
	revisionMask = 0xff000000
	revision2    = 0x02000000
	revision3    = 0x03000000
	size2, size3 = 20, 24
	rootIDAt     = size2
)

// ContainerCapability is a program's capabilities as an archive has them: whose root of which host has given them says
// nothing elsewhere.
func (m *Map) ContainerCapability(value []byte) []byte {
	if m == nil || len(value) != size3 {
		return value
	}
	word := binary.LittleEndian.Uint32(value)
	if word&revisionMask != revision3 {
		return value
	}
	out := append([]byte{}, value[:size2]...)
	binary.LittleEndian.PutUint32(out, word&^revisionMask|revision2)
	return out
}

// HostCapability is the same as given by the containers' root: by that of the host it would mean nothing in containers.
func (m *Map) HostCapability(value []byte) []byte {
	if m == nil || len(value) != size2 || binary.LittleEndian.Uint32(value)&revisionMask != revision2 {
		return value
	}
	uid, _ := m.Root()
	out := append(append([]byte{}, value...), make([]byte, size3-size2)...)
	binary.LittleEndian.PutUint32(out, binary.LittleEndian.Uint32(value)&^revisionMask|revision3)
	binary.LittleEndian.PutUint32(out[rootIDAt:], uint32(uid))
	return out
}
