package api

import "github.com/dhow-containers/dhow/shim/wire"

// field is a field of a message and where its value is kept: a *string, *[]string, *[]byte, *bool, *uint32 or *Status, or a
// message that is embedded, which is a message or a wire.Receiver.
type field struct {
	number int
	at     any
}

// fields are those of a message that is read, written, or both.
type fields []field

// take puts a value where it belongs. Numbers that are not there are passed over, as protobuf has it.
func (f fields) take(number int, v wire.Value) error {
	for i := range f {
		if f[i].number == number {
			return f[i].take(v)
		}
	}
	return nil
}

func (f *field) take(v wire.Value) error {
	switch at := f.at.(type) {
	case *string:
		*at = v.String()
	case *[]string:
		*at = append(*at, v.String())
	case *[]byte:
		*at = v.Bytes
	case *bool:
		*at = v.Bool()
	case *uint32:
		*at = uint32(v.Uint)
	case wire.Receiver:
		return wire.Unmarshal(v.Bytes, at)
	}
	return nil
}

// encode writes the fields in their order.
func (f fields) encode(e *wire.Encoder) {
	for i := range f {
		switch at := f[i].at.(type) {
		case *string:
			e.String(f[i].number, *at)
		case *[]string:
			e.Strings(f[i].number, *at)
		case *[]byte:
			e.Bytes(f[i].number, *at)
		case *bool:
			e.Bool(f[i].number, *at)
		case *uint32:
			e.Uint(f[i].number, uint64(*at))
		case *Status:
			e.Uint(f[i].number, uint64(*at))
		case wire.Message:
			e.Message(f[i].number, at)
		}
	}
}
