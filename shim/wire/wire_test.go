package wire_test

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/dhow-containers/dhow/shim/wire"
)

// TestEncoding compares with what the protobuf module writes.
func TestEncoding(t *testing.T) {
	var want []byte
	want = protowire.AppendTag(want, 1, protowire.VarintType)
	want = protowire.AppendVarint(want, 300)
	want = protowire.AppendTag(want, 2, protowire.BytesType)
	want = protowire.AppendString(want, "héllo")
	want = protowire.AppendTag(want, 3, protowire.VarintType)
	want = protowire.AppendVarint(want, ^uint64(0)) // -1
	want = protowire.AppendTag(want, 4, protowire.VarintType)
	want = protowire.AppendVarint(want, 1)
	want = protowire.AppendTag(want, 5, protowire.Fixed64Type)
	want = protowire.AppendFixed64(want, 0x3ff8000000000000) // 1.5
	want = protowire.AppendTag(want, 200, protowire.BytesType)
	want = protowire.AppendBytes(want, nil)
	got := wire.Marshal(wire.Func(func(e *wire.Encoder) {
		e.Uint(1, 300)
		e.String(2, "héllo")
		e.Int(3, -1)
		e.Bool(4, true)
		e.Double(5, 1.5)
		e.Uint(6, 0)
		e.String(7, "")
		e.Bool(8, false)
		e.Double(9, 0)
		e.Time(10, time.Time{})
		e.Message(200, nil)
	}))
	if !bytes.Equal(got, want) {
		t.Errorf("got  %x\nwant %x", got, want)
	}
}

func TestStringsAreUTF8(t *testing.T) {
	got := wire.Marshal(wire.Func(func(e *wire.Encoder) { e.String(1, "a\xffb") }))
	if want := "\x0a\x05a�b"; string(got) != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestFields(t *testing.T) {
	var data []byte
	data = protowire.AppendTag(data, 1, protowire.Fixed32Type)
	data = protowire.AppendFixed32(data, 7)
	data = protowire.AppendTag(data, 2, protowire.Fixed64Type)
	data = protowire.AppendFixed64(data, 8)
	data = protowire.AppendTag(data, 3, protowire.BytesType)
	data = protowire.AppendString(data, "x")
	data = protowire.AppendTag(data, 1<<29-1, protowire.VarintType)
	data = protowire.AppendVarint(data, 1<<63)
	var uints []uint64
	text := ""
	if err := wire.Fields(data, func(n int, v wire.Value) error {
		uints, text = append(uints, v.Uint), text+v.String()
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if len(uints) != 4 || uints[0] != 7 || uints[1] != 8 || uints[3] != 1<<63 || text != "x" {
		t.Errorf("got %v %q", uints, text)
	}
}

func TestMalformed(t *testing.T) {
	for name, data := range map[string]string{
		"field 0":           "\x00\x01",
		"cut varint":        "\x08\x80",
		"cut string":        "\x0a\x05ab",
		"huge length":       "\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
		"cut fixed":         "\x09\x00",
		"group":             "\x0b\x0c",
		"varint too long":   "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
		"field number 2^29": "\x80\x80\x80\x80\x10\x01",
	} {
		err := wire.Fields([]byte(data), func(int, wire.Value) error { return nil })
		if !errors.Is(err, wire.ErrMalformed) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// FuzzFields holds the decoder against the protobuf module's.
func FuzzFields(f *testing.F) {
	f.Add([]byte("\x08\x01\x12\x02ab\x19\x00\x00\x00\x00\x00\x00\x00\x00\x25\x00\x00\x00\x00"))
	f.Add([]byte("\x0a\x05ab"))
	f.Fuzz(func(t *testing.T, data []byte) {
		n := 0
		err := wire.Fields(data, func(number int, v wire.Value) error { n++; return nil })
		if err != nil {
			return // what is refused here and not there are groups
		}
		for rest := data; len(rest) > 0; n-- {
			_, _, size := protowire.ConsumeField(rest)
			if size < 0 {
				t.Fatalf("the oracle refuses %x: %v", data, protowire.ParseError(size))
			}
			rest = rest[size:]
		}
		if n != 0 {
			t.Errorf("%d fields more or less than the oracle sees", n)
		}
	})
}
