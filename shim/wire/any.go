package wire

// Any is google.protobuf.Any: a message and the name of its type.
type Any struct {
	URL   string
	Value []byte
}

// Encode writes the message.
func (a *Any) Encode(e *Encoder) {
	e.String(1, a.URL)
	e.Bytes(2, a.Value)
}

// Field takes a field of the message.
func (a *Any) Field(number int, v Value) error {
	switch number {
	case 1:
		a.URL = v.String()
	case 2:
		a.Value = v.Bytes
	}
	return nil
}

// Pack makes an Any of m, whose type has this name.
func Pack(name string, m Message) *Any { return &Any{name, Marshal(m)} }
