package dbus

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	godbus "github.com/godbus/dbus/v5"
)

// godbus, the library that others use, is the oracle: it must read what is written here, and write the same.

// native turns a Value into what godbus takes for it.
func native(v Value) any {
	switch x := v.V.(type) {
	case string:
		switch v.Sig {
		case "o":
			return godbus.ObjectPath(x)
		case "g":
			return godbus.ParseSignatureMust(x)
		}
		return x
	case Value:
		return godbus.MakeVariantWithSignature(native(x), godbus.ParseSignatureMust(x.Sig))
	case []Value:
		if v.Sig[0] == '(' {
			return nativeStruct(v.Sig, x)
		}
		return nativeList(v.Sig, x)
	}
	return v.V
}

func nativeList(sig string, list []Value) any {
	switch {
	case sig == "ay":
		return collect[byte](list)
	case sig == "as":
		return collect[string](list)
	case sig == "au":
		return collect[uint32](list)
	case sig == "ai":
		return collect[int32](list)
	case sig == "at":
		return collect[uint64](list)
	case sig == "a{sv}":
		m := map[string]godbus.Variant{}
		for _, e := range list {
			pair := e.V.([]Value)
			m[pair[0].Text()] = native(pair[1]).(godbus.Variant)
		}
		return m
	case sig == "a(ss)":
		return collect[pair[string, string]](list)
	case sig == "a(sv)":
		return collect[pair[string, godbus.Variant]](list)
	case sig == "a(sa(sv))":
		return []pair[string, []pair[string, godbus.Variant]]{}
	}
	panic("no native form of " + sig)
}

type pair[A, B any] struct {
	First  A
	Second B
}

func nativeStruct(sig string, f []Value) any {
	switch sig {
	case "(ss)":
		return pair[string, string]{f[0].Text(), f[1].Text()}
	case "(sv)":
		return pair[string, godbus.Variant]{f[0].Text(), native(f[1]).(godbus.Variant)}
	case "(st)":
		return pair[string, uint64]{f[0].Text(), f[1].V.(uint64)}
	case "(y(st))":
		return pair[byte, pair[string, uint64]]{f[0].V.(byte), native(f[1]).(pair[string, uint64])}
	}
	panic("no native form of " + sig)
}

func collect[T any](list []Value) []T {
	result := make([]T, len(list))
	for i := range list {
		result[i] = native(list[i]).(T)
	}
	return result
}

var samples = []Value{
	Bool(true), {"y", uint8(7)}, {"n", int16(-3)}, {"q", uint16(9)}, {"i", int32(-70000)}, Uint32(1 << 31),
	{"x", int64(-1 << 40)}, Uint64(1 << 63), {"d", 1.5}, String("wörd"), Object("/a/b"), {"g", "a{sv}"},
	Bytes([]byte{1, 2, 3}), Strings("a", "", "ccc"), Array("u", Uint32(1), Uint32(2)), Array("t"), Array("t", Uint64(5)),
	Variant(Strings("x")), Variant(Variant(Bool(false))),
	Array("(ss)", Struct(String("/dev/null"), String("rwm")), Struct(String("char-*"), String("m"))),
	Array("(sv)", Struct(String("A"), Variant(Uint64(1))), Struct(String("PIDs"), Variant(Array("u", Uint32(9))))),
	Array("(sa(sv))"), Array("{sv}", Value{"{sv}", []Value{String("k"), Variant(Bool(true))}}),
	Struct(Value{"y", uint8(1)}, Struct(String("in"), Uint64(2))),
}

func signature(list []Value) string {
	var s strings.Builder
	for _, v := range list {
		s.WriteString(v.Sig)
	}
	return s.String()
}

// godbus writes the fields of a header in any order, so a message is compared once it is read again.
func TestMessagesAsTheOracleReadsThem(t *testing.T) {
	m := &message{kind: methodCall, serial: 7, body: samples}
	m.fields[fieldPath] = Object("/org/freedesktop/systemd1")
	m.fields[fieldInterface] = String("org.freedesktop.systemd1.Manager")
	m.fields[fieldMember] = String("StartTransientUnit")
	m.fields[fieldDestination] = String("org.freedesktop.systemd1")
	data := m.encode()
	theirs, err := godbus.DecodeMessage(bytes.NewReader(data))
	if err != nil {
		t.Fatalf("the oracle cannot read it: %v\n%s", err, hex.Dump(data))
	}
	if theirs.Type != godbus.TypeMethodCall || theirs.Headers[godbus.FieldMember].Value() != "StartTransientUnit" {
		t.Errorf("read as %v %v", theirs.Type, theirs.Headers)
	}
	for i, v := range theirs.Body {
		got := strings.NewReplacer("[", "{", "]", "}").Replace(fmt.Sprint(v)) // it reads structures as slices
		if want := strings.NewReplacer("[", "{", "]", "}").Replace(fmt.Sprint(native(samples[i]))); got != want {
			t.Errorf("%s %s: read as %s, want %s", samples[i].Sig, samples[i], got, want)
		}
	}
	again, err := decode(data)
	if err != nil || fmt.Sprint(again.body) != fmt.Sprint(samples) {
		t.Errorf("decode: %v\n got %v\nwant %v", err, again, samples)
	}
}

func TestMessagesOfTheOracle(t *testing.T) {
	for _, o := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
		theirs := &godbus.Message{Type: godbus.TypeMethodReply, Headers: map[godbus.HeaderField]godbus.Variant{
			godbus.FieldReplySerial: godbus.MakeVariant(uint32(3)),
			godbus.FieldSignature:   godbus.MakeVariant(godbus.ParseSignatureMust(signature(samples))),
		}}
		for _, v := range samples {
			theirs.Body = append(theirs.Body, native(v))
		}
		var b bytes.Buffer
		if err := theirs.EncodeTo(&b, o); err != nil {
			t.Fatal(err)
		}
		m, err := decode(b.Bytes())
		if err != nil {
			t.Fatalf("%v: %v", o, err)
		}
		if fmt.Sprint(m.body) != fmt.Sprint(samples) || m.fields[fieldReplySerial].V != uint32(3) || m.kind != methodReturn {
			t.Errorf("%v: read as %+v", o, m)
		}
	}
}

// Bodies are written the same byte for byte.
func TestBodiesAreTheOraclesBytes(t *testing.T) {
	for _, v := range samples {
		theirs := &godbus.Message{Type: godbus.TypeMethodReply, Headers: map[godbus.HeaderField]godbus.Variant{
			godbus.FieldReplySerial: godbus.MakeVariant(uint32(3)),
			godbus.FieldSignature:   godbus.MakeVariant(godbus.ParseSignatureMust(v.Sig)),
		}, Body: []any{native(v)}}
		var b bytes.Buffer
		if err := theirs.EncodeTo(&b, binary.LittleEndian); err != nil {
			t.Fatal(err)
		}
		var mine encoder
		mine.value(v)
		if want := b.Bytes()[b.Len()-len(mine):]; !bytes.Equal(mine, want) {
			t.Errorf("%s %s\n got %x\nwant %x", v.Sig, v, []byte(mine), want)
		}
	}
}

func TestTextLikeTheOracle(t *testing.T) {
	for _, text := range []string{
		"true", "false", "5", "-5", "uint64 123456789", "int16 -4", "byte 0x1f", "uint32 010", "1.5", "3e2",
		"'a'", `"b\"c"`, `'\u00e4\n'`, "string 's'", "objectpath '/a'", "signature 'as'", "['a', 'b']", "[1, 2]",
		"[1, uint64 2]", "@as []", "@at [1, 2]", "[[1], [2, 3]]", "<5>", "[<1>, <'x'>]", "b'abc'", `b'\n\x'`,
		"{'a': 1}", "{'a': <true>}", "@a{sv} {}", "  7 ",
	} {
		if strings.Contains(text, `\x`) {
			continue // GLib has no \x, the oracle does
		}
		want, err := godbus.ParseVariant(text, godbus.Signature{})
		if err != nil {
			t.Errorf("%s: the oracle: %v", text, err)
			continue
		}
		got, err := ParseText(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got.Sig != want.Signature().String() {
			t.Errorf("%s: type %s, want %s", text, got.Sig, want.Signature())
			continue
		}
		m := &message{kind: signal, serial: 1, body: []Value{got}}
		m.fields[fieldPath], m.fields[fieldInterface], m.fields[fieldMember] = Object("/"), String("a.b"), String("C")
		theirs, err := godbus.DecodeMessage(bytes.NewReader(m.encode()))
		if err != nil {
			t.Errorf("%s: %v", text, err)
		} else if a, b := fmt.Sprint(theirs.Body[0]), fmt.Sprint(want.Value()); a != b {
			t.Errorf("%s: %s, want %s", text, a, b)
		}
	}
}

// What GLib's manual has and the oracle has not.
func TestTextOfGLib(t *testing.T) {
	for text, want := range map[string]string{
		"('/dev/sda', uint64 5)":   "('/dev/sda', uint64 5)",
		"[('a', 'b'), ('c', 'd')]": "[('a', 'b'), ('c', 'd')]",
		"(1,)":                     "(1,)",
		"@(su) ('a', 1)":           "('a', uint32 1)",
		"@a(ss) []":                "@a(ss) []",
		"[1.5, 2]":                 "[1.5, 2.0]",
		"-0x10":                    "-16",
		"double 4":                 "4.0",
		"[byte 1, 2]":              "[byte 1, 2]",
	} {
		v, err := ParseText(text)
		if err != nil || v.String() != want {
			t.Errorf("%s: %s, %v; want %s", text, v, err, want)
		}
	}
}

func TestTextThatIsWrong(t *testing.T) {
	for _, text := range []string{
		"", "  ", "abc", "5 6", "'a", `'\`, "[", "[1", "[1,", "[1 2]", "[1, 'a']", "[]", "{}", "{1}", "{1:}", "()", "(1", "<1",
		"uint64 'a'", "byte 256", "uint32 -1", "@", "@z 1", "@as [1]", "99999999999", "'\xff'", "'\\u00'", "signature 'z'",
		"@(ss) ('a',)", "<[]>", "[true, 1]", "just 1", "nothing", strings.Repeat("<", 200) + "1" + strings.Repeat(">", 200),
	} {
		if v, err := ParseText(text); err == nil {
			t.Errorf("%q: read as %s", text, v)
		}
	}
}

func FuzzDecode(f *testing.F) {
	m := &message{kind: signal, serial: 7, body: samples}
	m.fields[fieldPath] = Object("/")
	f.Add(m.encode())
	f.Add((&message{kind: failure, body: []Value{String("no")}}).encode())
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) < fixedHeader {
			return
		}
		m, err := decode(data)
		if err != nil {
			return
		}
		again, err := decode(m.encode())
		if err != nil {
			t.Fatalf("not read again: %v", err)
		}
		if a, b := fmt.Sprint(m.body), fmt.Sprint(again.body); a != b {
			t.Errorf("%s became %s", a, b)
		}
	})
}

func FuzzText(f *testing.F) {
	for _, s := range []string{"uint64 5", "['a']", "{'a': <true>}", "(1, 'x')", `b'\101'`, "@as []"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		v, err := ParseText(s)
		if err != nil {
			return
		}
		again, err := ParseText(v.String())
		if err != nil || again.String() != v.String() {
			t.Errorf("%q: %s is read again as %s, %v", s, v, again, err)
		}
		var e encoder
		e.value(v)
		d := &decoder{data: e, order: binary.LittleEndian}
		if v.Sig != "" && len(v.Sig) < 255 {
			d.value(v.Sig)
			if d.bad {
				t.Errorf("%q: %s cannot be decoded", s, v)
			}
		}
	})
}
