package dbus

import (
	"encoding/binary"
	"math"
)

// encoder builds a message, or a part of one that starts at a multiple of eight.
type encoder []byte

func (e *encoder) align(n int) {
	for len(*e)%n != 0 {
		*e = append(*e, 0)
	}
}

func (e *encoder) uint32(v uint32) {
	e.align(4)
	*e = binary.LittleEndian.AppendUint32(*e, v)
}

func (e *encoder) uint64(v uint64) {
	e.align(8)
	*e = binary.LittleEndian.AppendUint64(*e, v)
}

func (e *encoder) uint16(v uint16) {
	e.align(2)
	*e = binary.LittleEndian.AppendUint16(*e, v)
}

func (e *encoder) text(s string) {
	e.uint32(uint32(len(s)))
	*e = append(append(*e, s...), 0)
}

func (e *encoder) signature(s string) {
	*e = append(*e, byte(len(s)))
	*e = append(append(*e, s...), 0)
}

// value appends v ("Marshaling" of the specification).
func (e *encoder) value(v Value) {
	switch x := v.V.(type) {
	case bool:
		var n uint32
		if x {
			n = 1
		}
		e.uint32(n)
	case uint8:
		*e = append(*e, x)
	case int16:
		e.uint16(uint16(x))
	case uint16:
		e.uint16(x)
	case int32:
		e.uint32(uint32(x))
	case uint32:
		e.uint32(x)
	case int64:
		e.uint64(uint64(x))
	case uint64:
		e.uint64(x)
	case float64:
		e.uint64(math.Float64bits(x))
	case string:
		if v.Sig == "g" {
			e.signature(x)
		} else {
			e.text(x)
		}
	case Value:
		e.signature(x.Sig)
		e.value(x)
	case []Value:
		e.list(v.Sig, x)
	}
}

// list appends an array, whose length does not count the padding in front of its first element, or a
// structure.
func (e *encoder) list(sig string, list []Value) {
	if sig[0] != 'a' {
		e.align(8)
		for _, f := range list {
			e.value(f)
		}
		return
	}
	e.uint32(0)
	length := len(*e) - 4
	e.align(alignment(sig[1]))
	start := len(*e)
	for _, f := range list {
		e.value(f)
	}
	binary.LittleEndian.PutUint32((*e)[length:], uint32(len(*e)-start))
}
