package api

import (
	"time"

	"github.com/dhow-containers/dhow/shim/wire"
)

// CreateSandboxRequest is CreateSandboxRequest of containerd.runtime.sandbox.v1.
type CreateSandboxRequest struct {
	ID, Bundle string
	Rootfs     []*Mount
	Options    *wire.Any // nil: none
	NetNS      string
}

// Field takes a field of the message.
func (r *CreateSandboxRequest) Field(number int, v wire.Value) error {
	switch number {
	case 3:
		m := &Mount{}
		r.Rootfs = append(r.Rootfs, m)
		return wire.Unmarshal(v.Bytes, m)
	case 4:
		r.Options = &wire.Any{}
		return wire.Unmarshal(v.Bytes, r.Options)
	}
	return fields{{1, &r.ID}, {2, &r.Bundle}, {5, &r.NetNS}}.take(number, v)
}

// SandboxRequest names a sandbox, which is all that the calls after the first ask for.
type SandboxRequest struct {
	ID      string
	Timeout uint32 // seconds, of StopSandbox
}

// Field takes a field of the message.
func (r *SandboxRequest) Field(number int, v wire.Value) error {
	return fields{{1, &r.ID}, {2, &r.Timeout}}.take(number, v)
}

// StartSandboxResponse is StartSandboxResponse.
type StartSandboxResponse struct {
	Pid     uint32
	Created time.Time
}

// Encode writes the message.
func (r *StartSandboxResponse) Encode(e *wire.Encoder) {
	e.Uint(1, uint64(r.Pid))
	e.Time(2, r.Created)
}

// PlatformResponse is PlatformResponse.
type PlatformResponse struct{ OS, Architecture string }

// Encode writes the message.
func (r *PlatformResponse) Encode(e *wire.Encoder) {
	e.Message(1, wire.Func(fields{{1, &r.OS}, {2, &r.Architecture}}.encode))
}

// SandboxStatusResponse is SandboxStatusResponse.
type SandboxStatusResponse struct {
	ID      string
	Pid     uint32
	State   string // a PodSandboxState of CRI
	Created time.Time
	Exited  time.Time
}

// Encode writes the message.
func (r *SandboxStatusResponse) Encode(e *wire.Encoder) {
	fields{{1, &r.ID}, {2, &r.Pid}, {3, &r.State}}.encode(e)
	e.Time(5, r.Created)
	e.Time(6, r.Exited)
}

// SandboxMetricsResponse is SandboxMetricsResponse.
type SandboxMetricsResponse struct {
	ID    string
	At    time.Time
	Stats *wire.Any
}

// Encode writes the message.
func (r *SandboxMetricsResponse) Encode(e *wire.Encoder) {
	e.Message(1, wire.Func(func(e *wire.Encoder) {
		e.Time(1, r.At)
		e.String(2, r.ID)
		e.Message(3, r.Stats)
	}))
}
