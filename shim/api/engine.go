package api

import "github.com/dhow-containers/dhow/shim/wire"

// StreamsSocket is the name of the socket in a bundle over which clients are attached to streams that the shim serves itself
// (shim/stdio). It is of the type SOCK_SEQPACKET: a message, AttachRequest, comes with the client's connection as descriptor; the
// answers are one AttachAnswer when the client is attached, and another at the end.
const StreamsSocket = "streams.sock"

// EngineService is the ttrpc service of calls that containerd does not have: OOM.
const EngineService = "dhow.engine.v1.Task"

// AttachRequest has a client attached.
type AttachRequest struct {
	Target
	Stdin, Stdout, Stderr bool
	DetachKeys            []byte
	CloseStdin, Raw       bool
	Begun                 []byte // input that was read from the connection already
}

func (r *AttachRequest) fields() fields {
	return append(r.Target.fields(), field{3, &r.Stdin}, field{4, &r.Stdout}, field{5, &r.Stderr}, field{6, &r.DetachKeys},
		field{7, &r.CloseStdin}, field{8, &r.Raw}, field{9, &r.Begun})
}

// Field takes a field of the message.
func (r *AttachRequest) Field(number int, v wire.Value) error { return r.fields().take(number, v) }

// Encode writes the message.
func (r *AttachRequest) Encode(e *wire.Encoder) { r.fields().encode(e) }

// AttachAnswer tells how an attachment is.
type AttachAnswer struct {
	Detached bool   // at the end: by the keys
	Code     uint32 // of gRPC; 0 is success
	Message  string
}

func (r *AttachAnswer) fields() fields {
	return fields{{1, &r.Detached}, {2, &r.Code}, {3, &r.Message}, {4, new(true)}}
}

// Field takes a field of the message.
func (r *AttachAnswer) Field(number int, v wire.Value) error { return r.fields().take(number, v) }

// Encode writes the message, which is never empty: an empty packet is the end of a connection.
func (r *AttachAnswer) Encode(e *wire.Encoder) { r.fields().encode(e) }

// OOMRequest asks for the number of OOM kills in a container, and waits for them to be more than Seen unless Now is set.
type OOMRequest struct {
	ID   string
	Seen uint32
	Now  bool
}

func (r *OOMRequest) fields() fields { return fields{{1, &r.ID}, {2, &r.Seen}, {3, &r.Now}} }

// Field takes a field of the message.
func (r *OOMRequest) Field(number int, v wire.Value) error { return r.fields().take(number, v) }

// Encode writes the message.
func (r *OOMRequest) Encode(e *wire.Encoder) { r.fields().encode(e) }

// OOMResponse says how many there were. The container has ended if they are no more than were seen.
type OOMResponse struct{ Count uint32 }

func (r *OOMResponse) fields() fields { return fields{{1, &r.Count}} }

// Field takes a field of the message.
func (r *OOMResponse) Field(number int, v wire.Value) error { return r.fields().take(number, v) }

// Encode writes the message.
func (r *OOMResponse) Encode(e *wire.Encoder) { r.fields().encode(e) }
