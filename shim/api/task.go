package api

import (
	"time"

	"github.com/dhow-containers/dhow/shim/wire"
)

// Target names a container, or an exec in it. State, Start, Delete, Pids, Pause, Resume, Wait, Stats and Connect ask
// for nothing more.
type Target struct {
	ID     string
	ExecID string // "" is the container's init
}

// Field takes a field of the message.
func (t *Target) Field(number int, v wire.Value) error {
	switch number {
	case 1:
		t.ID = v.String()
	case 2:
		t.ExecID = v.String()
	}
	return nil
}

// Stdio are the standard streams of a process as the client wants them.
type Stdio struct {
	Terminal              bool
	Stdin, Stdout, Stderr string // paths or, of Stdout, a URI; "" is none
}

// field takes the fields, which have consecutive numbers from first on.
func (s *Stdio) field(number, first int, v wire.Value) {
	switch number - first {
	case 0:
		s.Terminal = v.Bool()
	case 1:
		s.Stdin = v.String()
	case 2:
		s.Stdout = v.String()
	case 3:
		s.Stderr = v.String()
	}
}

// Encode writes a TaskIO.
func (s *Stdio) Encode(e *wire.Encoder) {
	e.String(1, s.Stdin)
	e.String(2, s.Stdout)
	e.String(3, s.Stderr)
	e.Bool(4, s.Terminal)
}

// Mount is containerd.types.Mount.
type Mount struct {
	Type, Source, Target string
	Options              []string
}

// Encode writes the message.
func (m *Mount) Encode(e *wire.Encoder) {
	e.String(1, m.Type)
	e.String(2, m.Source)
	e.String(3, m.Target)
	e.Strings(4, m.Options)
}

// Field takes a field of the message.
func (m *Mount) Field(number int, v wire.Value) error {
	switch number {
	case 1:
		m.Type = v.String()
	case 2:
		m.Source = v.String()
	case 3:
		m.Target = v.String()
	case 4:
		m.Options = append(m.Options, v.String())
	}
	return nil
}

// CreateRequest is CreateTaskRequest.
type CreateRequest struct {
	ID, Bundle         string
	Rootfs             []*Mount
	Stdio              Stdio
	Checkpoint, Parent string
	Options            *wire.Any // nil: none
}

// Field takes a field of the message.
func (r *CreateRequest) Field(number int, v wire.Value) error {
	switch number {
	case 1:
		r.ID = v.String()
	case 2:
		r.Bundle = v.String()
	case 3:
		m := &Mount{}
		r.Rootfs = append(r.Rootfs, m)
		return wire.Unmarshal(v.Bytes, m)
	case 4, 5, 6, 7:
		r.Stdio.field(number, 4, v)
	case 8:
		r.Checkpoint = v.String()
	case 9:
		r.Parent = v.String()
	case 10:
		r.Options = &wire.Any{}
		return wire.Unmarshal(v.Bytes, r.Options)
	}
	return nil
}

// ExecRequest is ExecProcessRequest.
type ExecRequest struct {
	Target
	Stdio Stdio
	Spec  wire.Any // JSON of a process (config.md)
}

// Field takes a field of the message.
func (r *ExecRequest) Field(number int, v wire.Value) error {
	switch number {
	case 3, 4, 5, 6:
		r.Stdio.field(number, 3, v)
	case 7:
		return wire.Unmarshal(v.Bytes, &r.Spec)
	}
	return r.Target.Field(number, v)
}

// ResizeRequest is ResizePtyRequest.
type ResizeRequest struct {
	Target
	Width, Height uint32
}

// Field takes a field of the message.
func (r *ResizeRequest) Field(number int, v wire.Value) error {
	switch number {
	case 3:
		r.Width = uint32(v.Uint)
	case 4:
		r.Height = uint32(v.Uint)
	}
	return r.Target.Field(number, v)
}

// KillRequest is KillRequest.
type KillRequest struct {
	Target
	Signal uint32
	All    bool
}

// Field takes a field of the message.
func (r *KillRequest) Field(number int, v wire.Value) error {
	switch number {
	case 3:
		r.Signal = uint32(v.Uint)
	case 4:
		r.All = v.Bool()
	}
	return r.Target.Field(number, v)
}

// CloseIORequest is CloseIORequest.
type CloseIORequest struct {
	Target
	Stdin bool
}

// Field takes a field of the message.
func (r *CloseIORequest) Field(number int, v wire.Value) error {
	if number == 3 {
		r.Stdin = v.Bool()
	}
	return r.Target.Field(number, v)
}

// UpdateRequest is UpdateTaskRequest.
type UpdateRequest struct {
	ID        string
	Resources wire.Any // JSON of linux.resources (config-linux.md)
}

// Field takes a field of the message.
func (r *UpdateRequest) Field(number int, v wire.Value) error {
	switch number {
	case 1:
		r.ID = v.String()
	case 2:
		return wire.Unmarshal(v.Bytes, &r.Resources)
	}
	return nil
}

// ShutdownRequest is ShutdownRequest.
type ShutdownRequest struct {
	ID  string
	Now bool
}

// Field takes a field of the message.
func (r *ShutdownRequest) Field(number int, v wire.Value) error {
	switch number {
	case 1:
		r.ID = v.String()
	case 2:
		r.Now = v.Bool()
	}
	return nil
}

// PidResponse is the answer to Create and Start.
type PidResponse struct{ Pid uint32 }

// Encode writes the message.
func (r *PidResponse) Encode(e *wire.Encoder) { e.Uint(1, uint64(r.Pid)) }

// Exit is how a process ended.
type Exit struct {
	Status uint32
	At     time.Time
}

// WaitResponse is WaitResponse.
type WaitResponse struct{ Exit }

// Encode writes the message.
func (r *WaitResponse) Encode(e *wire.Encoder) {
	e.Uint(1, uint64(r.Status))
	e.Time(2, r.At)
}

// DeleteResponse is DeleteResponse.
type DeleteResponse struct {
	Pid uint32
	Exit
}

// Encode writes the message.
func (r *DeleteResponse) Encode(e *wire.Encoder) {
	e.Uint(1, uint64(r.Pid))
	e.Uint(2, uint64(r.Status))
	e.Time(3, r.At)
}

// Status is containerd.v1.types.Status.
type Status uint32

// The statuses.
const (
	Created Status = 1
	Running Status = 2
	Stopped Status = 3
	Paused  Status = 4
)

// StateResponse is StateResponse.
type StateResponse struct {
	Target
	Bundle string
	Pid    uint32
	Status Status
	Stdio  Stdio
	Exit
}

// Encode writes the message.
func (r *StateResponse) Encode(e *wire.Encoder) {
	e.String(1, r.ID)
	e.String(2, r.Bundle)
	e.Uint(3, uint64(r.Pid))
	e.Uint(4, uint64(r.Status))
	e.String(5, r.Stdio.Stdin)
	e.String(6, r.Stdio.Stdout)
	e.String(7, r.Stdio.Stderr)
	e.Bool(8, r.Stdio.Terminal)
	e.Uint(9, uint64(r.Exit.Status))
	e.Time(10, r.At)
	e.String(11, r.ExecID)
}

// PidsResponse is PidsResponse: all processes, with the exec that began with it, if one did.
type PidsResponse struct {
	Pids  []int
	Execs map[int]string
}

// Encode writes the message.
func (r *PidsResponse) Encode(e *wire.Encoder) {
	for _, pid := range r.Pids {
		e.Message(1, wire.Func(func(e *wire.Encoder) {
			e.Uint(1, uint64(pid))
			if id, ok := r.Execs[pid]; ok {
				details := wire.Func(func(e *wire.Encoder) { e.String(1, id) })
				e.Message(2, wire.Pack("containerd.runc.v1.ProcessDetails", details))
			}
		}))
	}
}

// StatsResponse is StatsResponse.
type StatsResponse struct{ Stats *wire.Any }

// Encode writes the message.
func (r *StatsResponse) Encode(e *wire.Encoder) { e.Message(1, r.Stats) }

// ConnectResponse is ConnectResponse.
type ConnectResponse struct {
	ShimPid, TaskPid uint32
	Version          string
}

// Encode writes the message.
func (r *ConnectResponse) Encode(e *wire.Encoder) {
	e.Uint(1, uint64(r.ShimPid))
	e.Uint(2, uint64(r.TaskPid))
	e.String(3, r.Version)
}
