package wire

import (
	"encoding/binary"
	"errors"
	"time"
)

// ErrMalformed is the error for bytes that are not a message.
var ErrMalformed = errors.New("malformed protobuf message")

// Value is one field's value; which part is filled in depends on the field's wire type.
type Value struct {
	Uint  uint64 // varint, or the bits of a fixed-width number
	Bytes []byte // string, bytes, embedded message; part of the decoded data
}

// Bool is the value of a boolean field.
func (v Value) Bool() bool { return v.Uint != 0 }

// String is the value of a string field.
func (v Value) String() string { return string(v.Bytes) }

// Time is the value of a google.protobuf.Timestamp.
func (v Value) Time() (time.Time, error) {
	var seconds, nanos int64
	err := Fields(v.Bytes, func(number int, v Value) error {
		switch number {
		case 1:
			seconds = int64(v.Uint)
		case 2:
			nanos = int64(int32(v.Uint))
		}
		return nil
	})
	return time.Unix(seconds, nanos), err
}

// Receiver takes the fields of a message in the order in which they come. It passes over those it does not know.
type Receiver interface {
	Field(number int, v Value) error
}

// Unmarshal hands the fields of data to r.
func Unmarshal(data []byte, r Receiver) error { return Fields(data, r.Field) }

// Fields hands the fields of data to f.
func Fields(data []byte, f func(number int, v Value) error) error {
	for len(data) > 0 {
		tag, n := binary.Uvarint(data)
		if n <= 0 || tag>>3 == 0 || tag>>3 > 1<<29-1 {
			return ErrMalformed
		}
		v, size := value(data[n:], int(tag&7))
		if size < 0 {
			return ErrMalformed
		}
		data = data[n+size:]
		if err := f(int(tag>>3), v); err != nil {
			return err
		}
	}
	return nil
}

// value reads one value; size is -1 when there is none.
func value(data []byte, wireType int) (v Value, size int) {
	switch wireType {
	case typeVarint:
		var n int
		if v.Uint, n = binary.Uvarint(data); n > 0 {
			return v, n
		}
	case typeFixed8:
		if len(data) >= 8 {
			return Value{Uint: binary.LittleEndian.Uint64(data)}, 8
		}
	case typeFixed4:
		if len(data) >= 4 {
			return Value{Uint: uint64(binary.LittleEndian.Uint32(data))}, 4
		}
	case typeBytes:
		length, n := binary.Uvarint(data)
		if n > 0 && length <= uint64(len(data)-n) {
			return Value{Bytes: data[n : n+int(length)]}, n + int(length)
		}
	}
	return v, -1
}
