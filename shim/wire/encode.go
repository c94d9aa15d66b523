package wire

import (
	"encoding/binary"
	"math"
	"strings"
	"time"
)

// The wire types.
const (
	typeVarint = 0
	typeFixed8 = 1
	typeBytes  = 2
	typeFixed4 = 5
)

// Message is something that can be encoded.
type Message interface {
	Encode(*Encoder)
}

// Encoder builds a message field by field. As proto3 has it, a scalar that is zero is left out.
type Encoder struct {
	b []byte
}

// Marshal encodes m; nil is the empty message.
func Marshal(m Message) []byte {
	if m == nil {
		return nil
	}
	var e Encoder
	m.Encode(&e)
	return e.b
}

func (e *Encoder) tag(field, wireType int) {
	e.b = binary.AppendUvarint(e.b, uint64(field)<<3|uint64(wireType))
}

// Uint writes an unsigned number, or an enumeration.
func (e *Encoder) Uint(field int, v uint64) {
	if v != 0 {
		e.tag(field, typeVarint)
		e.b = binary.AppendUvarint(e.b, v)
	}
}

// Int writes a signed number that is not zigzag encoded (int32, int64).
func (e *Encoder) Int(field int, v int64) { e.Uint(field, uint64(v)) }

// Bool writes a boolean.
func (e *Encoder) Bool(field int, v bool) {
	if v {
		e.Uint(field, 1)
	}
}

// Double writes a floating point number.
func (e *Encoder) Double(field int, v float64) {
	if v != 0 {
		e.tag(field, typeFixed8)
		e.b = binary.LittleEndian.AppendUint64(e.b, math.Float64bits(v))
	}
}

// String writes a string. What is not UTF-8 in it is replaced, because receivers refuse the whole message otherwise.
func (e *Encoder) String(field int, v string) {
	if v != "" {
		e.Present(field, strings.ToValidUTF8(v, "�"))
	}
}

// Bytes writes bytes.
func (e *Encoder) Bytes(field int, v []byte) {
	if len(v) > 0 {
		e.Present(field, string(v))
	}
}

// Present writes a string, bytes or an encoded message also when it is empty.
func (e *Encoder) Present(field int, v string) {
	e.tag(field, typeBytes)
	e.b = binary.AppendUvarint(e.b, uint64(len(v)))
	e.b = append(e.b, v...)
}

// Strings writes a repeated string.
func (e *Encoder) Strings(field int, list []string) {
	for _, s := range list {
		e.Present(field, s)
	}
}

// Packed writes a repeated number.
func (e *Encoder) Packed(field int, list []uint64) {
	var b []byte
	for _, v := range list {
		b = binary.AppendUvarint(b, v)
	}
	e.Bytes(field, b)
}

// Message writes an embedded message, which is there also when all its fields are zero.
func (e *Encoder) Message(field int, m Message) { e.Present(field, string(Marshal(m))) }

// Func is a message that is encoded by a function.
type Func func(*Encoder)

// Encode calls f.
func (f Func) Encode(e *Encoder) { f(e) }

// Time writes a google.protobuf.Timestamp; the zero time is left out.
func (e *Encoder) Time(field int, t time.Time) {
	if t.IsZero() {
		return
	}
	e.Message(field, Func(func(e *Encoder) {
		e.Int(1, t.Unix())
		e.Int(2, int64(t.Nanosecond()))
	}))
}

// Map writes a map of strings, in the order of keys.
func (e *Encoder) Map(field int, keys []string, m map[string]string) {
	for _, k := range keys {
		e.Message(field, Func(func(e *Encoder) {
			e.String(1, k)
			e.String(2, m[k])
		}))
	}
}
