package ttrpc

import (
	"encoding/binary"
	"fmt"
	"io"

	"github.com/dhow-containers/dhow/shim/wire"
)

const (
	headerSize = 10
	maxMessage = 4 << 20 // messageLengthMax

	typeRequest  = 1
	typeResponse = 2

	flagRemoteClosed = 1 // the sender sends nothing more on this stream
)

// frame is one message on a connection.
type frame struct {
	stream  uint32
	kind    byte
	flags   byte
	payload []byte
}

// readFrame reads a frame. An error for which resync is true is about this one frame.
func readFrame(r io.Reader) (f frame, resync bool, err error) {
	var h [headerSize]byte
	if _, err := io.ReadFull(r, h[:]); err != nil {
		return f, false, err
	}
	length := binary.BigEndian.Uint32(h[:])
	f = frame{stream: binary.BigEndian.Uint32(h[4:]), kind: h[8], flags: h[9]}
	if length > maxMessage {
		_, err := io.CopyN(io.Discard, r, int64(length))
		return f, err == nil, Errorf(ResourceExhausted, "message of %d bytes exceeds the maximum of %d", length, maxMessage)
	}
	f.payload = make([]byte, length)
	_, err = io.ReadFull(r, f.payload)
	return f, false, err
}

// encode gives the bytes of a frame, for one write.
func (f *frame) encode() []byte {
	b := make([]byte, headerSize, headerSize+len(f.payload))
	binary.BigEndian.PutUint32(b, uint32(len(f.payload)))
	binary.BigEndian.PutUint32(b[4:], f.stream)
	b[8], b[9] = f.kind, f.flags
	return append(b, f.payload...)
}

// request is the ttrpc.Request of a call.
type request struct {
	service, method string
	payload         []byte
	timeout         int64
}

func (r *request) Encode(e *wire.Encoder) {
	e.String(1, r.service)
	e.String(2, r.method)
	e.Bytes(3, r.payload)
	e.Int(4, r.timeout)
}

func (r *request) Field(number int, v wire.Value) error {
	switch number {
	case 1:
		r.service = v.String()
	case 2:
		r.method = v.String()
	case 3:
		r.payload = v.Bytes
	case 4:
		r.timeout = int64(v.Uint)
	}
	return nil
}

// response is the ttrpc.Response, with the google.rpc.Status in it.
type response struct {
	status  *Error
	payload []byte
}

func (r *response) Encode(e *wire.Encoder) {
	if r.status != nil {
		e.Message(1, r.status)
	}
	e.Bytes(2, r.payload)
}

func (r *response) Field(number int, v wire.Value) error {
	switch number {
	case 1:
		r.status = &Error{}
		if err := wire.Unmarshal(v.Bytes, r.status); err != nil {
			return fmt.Errorf("status: %w", err)
		}
	case 2:
		r.payload = v.Bytes
	}
	return nil
}
