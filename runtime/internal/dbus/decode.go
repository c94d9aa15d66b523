package dbus

import (
	"encoding/binary"
	"errors"
	"math"
	"strings"
	"unicode/utf8"
)

// errMalformed is a message that breaks the protocol.
var errMalformed = errors.New("malformed D-Bus message")

// decoder takes values out of a message, or of a part of one that starts at a multiple of eight. After a
// value that is not there everything else is not either: bad says so.
type decoder struct {
	data  []byte
	at    int
	order binary.ByteOrder
	bad   bool
	depth int
}

// take returns the next n bytes at an alignment; nil when the message ends before.
func (d *decoder) take(align, n int) []byte {
	at := (d.at + align - 1) / align * align
	if d.bad || n < 0 || at > len(d.data) || n > len(d.data)-at {
		d.bad = true
		return nil
	}
	d.at = at + n
	return d.data[at:d.at]
}

func (d *decoder) uint8() uint8 {
	if b := d.take(1, 1); b != nil {
		return b[0]
	}
	return 0
}

func (d *decoder) uint16() uint16 {
	if b := d.take(2, 2); b != nil {
		return d.order.Uint16(b)
	}
	return 0
}

func (d *decoder) uint32() uint32 {
	if b := d.take(4, 4); b != nil {
		return d.order.Uint32(b)
	}
	return 0
}

func (d *decoder) uint64() uint64 {
	if b := d.take(8, 8); b != nil {
		return d.order.Uint64(b)
	}
	return 0
}

// text takes n bytes and the zero behind them.
func (d *decoder) text(n int) string {
	b := d.take(1, n)
	if d.uint8() != 0 || !utf8.Valid(b) || strings.IndexByte(string(b), 0) >= 0 {
		d.bad = true
	}
	return string(b)
}

// length of a string; one that no message can hold is an error.
func (d *decoder) length() int { return int(min(d.uint32(), maxMessage)) }

// values takes a value of each type of a signature.
func (d *decoder) values(sig string) ([]Value, error) {
	var list []Value
	for sig != "" {
		first, rest := next(sig)
		if first == "" {
			return nil, errMalformed
		}
		list = append(list, d.value(first))
		if d.bad {
			return nil, errMalformed
		}
		sig = rest
	}
	return list, nil
}

// value takes a value of a complete type.
func (d *decoder) value(sig string) Value {
	if d.depth++; d.depth > maxDepth {
		d.bad = true
	}
	defer func() { d.depth-- }()
	if d.bad {
		return Value{}
	}
	switch sig[0] {
	case 'a':
		return d.array(sig)
	case '(', '{':
		d.take(8, 0)
		return Value{sig, d.fields(sig[1 : len(sig)-1])}
	case 'v':
		inner := d.text(int(d.uint8()))
		first, rest := next(inner)
		if first == "" || rest != "" {
			d.bad = true
			return Value{}
		}
		return Variant(d.value(first))
	}
	return Value{sig, d.basic(sig[0])}
}

func (d *decoder) fields(sig string) []Value {
	list, err := d.values(sig)
	if err != nil {
		d.bad = true
	}
	return list
}

func (d *decoder) array(sig string) Value {
	n := d.length()
	d.take(alignment(sig[1]), 0)
	end := d.at + n
	if d.bad || end > len(d.data) {
		d.bad = true
		return Value{}
	}
	elem, list := sig[1:], []Value{}
	for d.at < end && !d.bad {
		list = append(list, d.value(elem))
	}
	if d.at != end {
		d.bad = true
	}
	return Value{sig, list}
}

func (d *decoder) basic(c byte) any {
	switch c {
	case 'y':
		return d.uint8()
	case 'b':
		n := d.uint32()
		d.bad = d.bad || n > 1
		return n == 1
	case 'n':
		return int16(d.uint16())
	case 'q':
		return d.uint16()
	case 'i':
		return int32(d.uint32())
	case 'u':
		return d.uint32()
	case 'x':
		return int64(d.uint64())
	case 't':
		return d.uint64()
	case 'd':
		return math.Float64frombits(d.uint64())
	case 's', 'o':
		return d.text(d.length())
	case 'g':
		return d.text(int(d.uint8()))
	}
	d.bad = true
	return nil
}
