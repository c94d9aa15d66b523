package dbus

import "encoding/binary"

// The types of messages, and the header fields ("Message Protocol" of the specification).
const (
	methodCall = 1 + iota
	methodReturn
	failure
	signal
)

const (
	fieldPath = 1 + iota
	fieldInterface
	fieldMember
	fieldErrorName
	fieldReplySerial
	fieldDestination
	fieldSender
	fieldSignature
)

// noReply is the flag of a call that wants no answer.
const noReply = 1

// fixedHeader is the length of the part of the header in front of its fields' bytes.
const fixedHeader = 16

// maxMessage bounds what is read, far above what systemd sends.
const maxMessage = 1 << 18

// message is a message of any type.
type message struct {
	kind, flags byte
	serial      uint32
	fields      [fieldSignature + 1]Value // by number; those without a type are not there
	body        []Value
}

// Signal is what a peer broadcasts.
type Signal struct {
	Path, Interface, Member string
	Body                    []Value
}

// encode makes the bytes of a message.
func (m *message) encode() []byte {
	var body encoder
	var sig string
	for _, v := range m.body {
		body.value(v)
		sig += v.Sig
	}
	if sig != "" {
		m.fields[fieldSignature] = Value{"g", sig}
	}
	e := encoder{'l', m.kind, m.flags, 1}
	e.uint32(uint32(len(body)))
	e.uint32(m.serial)
	fields := []Value{}
	for code, v := range m.fields {
		if v.Sig != "" {
			fields = append(fields, Struct(Value{"y", uint8(code)}, Variant(v)))
		}
	}
	e.value(Array("(yv)", fields...))
	e.align(8)
	return append(e, body...)
}

// order is the byte order that the first byte of a message says.
func order(first byte) (binary.ByteOrder, bool) {
	switch first {
	case 'l':
		return binary.LittleEndian, true
	case 'B':
		return binary.BigEndian, true
	}
	return nil, false
}

// size reads from the fixed header how long the header with its padding is, and the body.
func size(fixed []byte) (header, body int, err error) {
	o, ok := order(fixed[0])
	if !ok || fixed[3] != 1 {
		return 0, 0, errMalformed
	}
	fields, rest := o.Uint32(fixed[12:]), o.Uint32(fixed[4:])
	if fields > maxMessage || rest > maxMessage {
		return 0, 0, errMalformed
	}
	return (fixedHeader + int(fields) + 7) / 8 * 8, int(rest), nil
}

// decode reads a whole message, whose length is what size says.
func decode(data []byte) (*message, error) {
	header, length, err := size(data)
	if err != nil || len(data) != header+length {
		return nil, errMalformed
	}
	o, _ := order(data[0])
	m := &message{kind: data[1], flags: data[2], serial: o.Uint32(data[8:])}
	d := &decoder{data: data[:header], at: 12, order: o}
	fields := d.value("a(yv)")
	if d.bad {
		return nil, errMalformed
	}
	for _, f := range fields.V.([]Value) {
		pair := f.V.([]Value)
		code, v := pair[0].V.(uint8), pair[1].V.(Value)
		if code == 0 || !m.setField(code, v) {
			return nil, errMalformed
		}
	}
	body := &decoder{data: data[header:], order: o}
	m.body, err = body.values(m.fields[fieldSignature].Text())
	return m, err
}

// setField keeps a header field that is known; its type must be the one of the specification.
func (m *message) setField(code uint8, v Value) bool {
	if int(code) >= len(m.fields) {
		return true
	}
	want := "s"
	switch code {
	case fieldPath:
		want = "o"
	case fieldReplySerial:
		want = "u"
	case fieldSignature:
		want = "g"
	}
	m.fields[code] = v
	return v.Sig == want
}

func (m *message) signal() Signal {
	return Signal{m.fields[fieldPath].Text(), m.fields[fieldInterface].Text(), m.fields[fieldMember].Text(), m.body}
}
