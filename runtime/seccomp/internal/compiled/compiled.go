package compiled

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Version is the version of the layout, and of what the same profile compiles to: it is part of the
// cache key, so raise it when either changes.
const Version = 2

const (
	magic      = "dhowscmp"
	headerSize = 32
	// InsnSize is sizeof(struct sock_filter).
	InsnSize = 8
	// MaxInsns is BPF_MAXINSNS, the longest program that the kernel takes.
	MaxInsns = 4096
	// MaxSize is the length of the longest blob, in bytes.
	MaxSize = headerSize + MaxInsns*InsnSize
)

// Filter is a compiled profile.
type Filter struct {
	// Insns is the array of struct sock_filter that seccomp(2) takes with SECCOMP_SET_MODE_FILTER.
	Insns []byte
	// Flags holds the SECCOMP_FILTER_FLAG_* bits to load it with, SECCOMP_FILTER_FLAG_NEW_LISTENER
	// left out: see Notify.
	Flags uint
	// Notify says that the filter has SCMP_ACT_NOTIFY: add SECCOMP_FILTER_FLAG_NEW_LISTENER to Flags,
	// and have the listener that seccomp(2) then returns served.
	Notify bool
}

// Encode returns f as a blob.
func Encode(f *Filter) ([]byte, error) {
	n := len(f.Insns) / InsnSize
	if n == 0 || len(f.Insns)%InsnSize != 0 {
		return nil, fmt.Errorf("internal error: a filter of %d bytes", len(f.Insns))
	}
	if n > MaxInsns {
		return nil, fmt.Errorf("the filter has %d instructions, the kernel takes at most %d", n, MaxInsns)
	}
	b := make([]byte, headerSize, headerSize+len(f.Insns))
	copy(b, magic)
	order := binary.NativeEndian
	order.PutUint32(b[8:], Version)
	order.PutUint32(b[12:], uint32(f.Flags))
	if f.Notify {
		order.PutUint32(b[16:], 1)
	}
	order.PutUint32(b[20:], uint32(n))
	b = append(b, f.Insns...)
	order.PutUint32(b[24:], checksum(b))
	return b, nil
}

// Decode reads a blob. The filter shares b's memory.
func Decode(b []byte) (*Filter, error) {
	order := binary.NativeEndian
	if len(b) < headerSize+InsnSize || string(b[:8]) != magic {
		return nil, errors.New("not a compiled filter")
	}
	if v := order.Uint32(b[8:]); v != Version {
		return nil, fmt.Errorf("compiled filter of version %d, not %d", v, Version)
	}
	n := order.Uint32(b[20:])
	if n > MaxInsns || len(b) != headerSize+int(n)*InsnSize {
		return nil, fmt.Errorf("compiled filter of %d instructions in %d bytes", n, len(b))
	}
	notify, zero := order.Uint32(b[16:]), order.Uint32(b[28:])
	if notify > 1 || zero != 0 || order.Uint32(b[24:]) != checksum(b) {
		return nil, errors.New("damaged compiled filter")
	}
	return &Filter{Insns: b[headerSize:], Flags: uint(order.Uint32(b[12:])), Notify: notify == 1}, nil
}

// checksum covers all of b but the checksum itself. It notices accidents: nobody else can write where
// blobs are kept.
func checksum(b []byte) uint32 {
	h := Sum64(Sum64(0, b[:24]), b[28:])
	return uint32(h ^ h>>32)
}
