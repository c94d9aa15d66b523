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

func (t *Target) fields() fields { return fields{{1, &t.ID}, {2, &t.ExecID}} }

// Field takes a field of the message.
func (t *Target) Field(number int, v wire.Value) error { return t.fields().take(number, v) }

// Encode writes the message.
func (t *Target) Encode(e *wire.Encoder) { t.fields().encode(e) }

// Stdio are the standard streams of a process as the client wants them.
type Stdio struct {
	Terminal              bool
	Stdin, Stdout, Stderr string // paths or, of Stdout, a URI; "" is none
}

// fields are those of a request, which have consecutive numbers from first on.
func (s *Stdio) fields(first int) fields {
	return fields{{first, &s.Terminal}, {first + 1, &s.Stdin}, {first + 2, &s.Stdout}, {first + 3, &s.Stderr}}
}

// Encode writes a TaskIO.
func (s *Stdio) Encode(e *wire.Encoder) {
	fields{{1, &s.Stdin}, {2, &s.Stdout}, {3, &s.Stderr}, {4, &s.Terminal}}.encode(e)
}

// Mount is containerd.types.Mount.
type Mount struct {
	Type, Source, Target string
	Options              []string
}

func (m *Mount) fields() fields {
	return fields{{1, &m.Type}, {2, &m.Source}, {3, &m.Target}, {4, &m.Options}}
}

// Encode writes the message.
func (m *Mount) Encode(e *wire.Encoder) { m.fields().encode(e) }

// Field takes a field of the message.
func (m *Mount) Field(number int, v wire.Value) error { return m.fields().take(number, v) }

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
	case 3:
		m := &Mount{}
		r.Rootfs = append(r.Rootfs, m)
		return wire.Unmarshal(v.Bytes, m)
	case 10:
		r.Options = &wire.Any{}
		return wire.Unmarshal(v.Bytes, r.Options)
	}
	return r.fields().take(number, v)
}

func (r *CreateRequest) fields() fields {
	own := fields{{1, &r.ID}, {2, &r.Bundle}, {8, &r.Checkpoint}, {9, &r.Parent}}
	return append(own, r.Stdio.fields(4)...)
}

// Encode writes the message.
func (r *CreateRequest) Encode(e *wire.Encoder) {
	r.fields().encode(e)
	for _, m := range r.Rootfs {
		e.Message(3, m)
	}
	if r.Options != nil {
		e.Message(10, r.Options)
	}
}

// ExecRequest is ExecProcessRequest.
type ExecRequest struct {
	Target
	Stdio Stdio
	Spec  wire.Any // JSON of a process (config.md)
}

func (r *ExecRequest) fields() fields {
	return append(append(r.Target.fields(), field{7, &r.Spec}), r.Stdio.fields(3)...)
}

// Field takes a field of the message.
func (r *ExecRequest) Field(number int, v wire.Value) error { return r.fields().take(number, v) }

// Encode writes the message.
func (r *ExecRequest) Encode(e *wire.Encoder) { r.fields().encode(e) }

// ResizeRequest is ResizePtyRequest.
type ResizeRequest struct {
	Target
	Width, Height uint32
}

func (r *ResizeRequest) fields() fields {
	return append(r.Target.fields(), field{3, &r.Width}, field{4, &r.Height})
}

// Field takes a field of the message.
func (r *ResizeRequest) Field(number int, v wire.Value) error { return r.fields().take(number, v) }

// Encode writes the message.
func (r *ResizeRequest) Encode(e *wire.Encoder) { r.fields().encode(e) }

// KillRequest is KillRequest.
type KillRequest struct {
	Target
	Signal uint32
	All    bool
}

func (r *KillRequest) fields() fields {
	return append(r.Target.fields(), field{3, &r.Signal}, field{4, &r.All})
}

// Field takes a field of the message.
func (r *KillRequest) Field(number int, v wire.Value) error { return r.fields().take(number, v) }

// Encode writes the message.
func (r *KillRequest) Encode(e *wire.Encoder) { r.fields().encode(e) }

// CloseIORequest is CloseIORequest.
type CloseIORequest struct {
	Target
	Stdin bool
}

func (r *CloseIORequest) fields() fields {
	return append(r.Target.fields(), field{3, &r.Stdin})
}

// Field takes a field of the message.
func (r *CloseIORequest) Field(number int, v wire.Value) error { return r.fields().take(number, v) }

// Encode writes the message.
func (r *CloseIORequest) Encode(e *wire.Encoder) { r.fields().encode(e) }

// UpdateRequest is UpdateTaskRequest.
type UpdateRequest struct {
	ID        string
	Resources wire.Any // JSON of linux.resources (config-linux.md)
}

func (r *UpdateRequest) fields() fields {
	return fields{{1, &r.ID}, {2, &r.Resources}}
}

// Field takes a field of the message.
func (r *UpdateRequest) Field(number int, v wire.Value) error { return r.fields().take(number, v) }

// Encode writes the message.
func (r *UpdateRequest) Encode(e *wire.Encoder) { r.fields().encode(e) }

// ShutdownRequest is ShutdownRequest.
type ShutdownRequest struct {
	ID  string
	Now bool
}

// Encode writes the message.
func (r *ShutdownRequest) Encode(e *wire.Encoder) { fields{{1, &r.ID}, {2, &r.Now}}.encode(e) }

// Field takes a field of the message.
func (r *ShutdownRequest) Field(number int, v wire.Value) error {
	return fields{{1, &r.ID}, {2, &r.Now}}.take(number, v)
}

// PidResponse is the answer to Create and Start.
type PidResponse struct{ Pid uint32 }

// Encode writes the message.
func (r *PidResponse) Encode(e *wire.Encoder) { e.Uint(1, uint64(r.Pid)) }

// Field takes a field of the message.
func (r *PidResponse) Field(number int, v wire.Value) error {
	return fields{{1, &r.Pid}}.take(number, v)
}

// Exit is how a process ended.
type Exit struct {
	Status    uint32
	At        time.Time
	OOMKilled bool // of an init: the kernel has killed for want of memory in its container
}

// oomKilled is a field of ours in messages of containerd, which passes over it.
const oomKilled = 1000

// Field takes a field of a WaitResponse.
func (x *Exit) Field(number int, v wire.Value) error { return x.take(number-1, v) }

// take takes a field of an exit whose first has the number 0.
func (x *Exit) take(number int, v wire.Value) (err error) {
	switch number {
	case 0:
		x.Status = uint32(v.Uint)
	case 1:
		x.At, err = v.Time()
	case oomKilled:
		x.OOMKilled = v.Bool()
	}
	return err
}

// WaitResponse is WaitResponse.
type WaitResponse struct{ Exit }

// Encode writes the message.
func (r *WaitResponse) Encode(e *wire.Encoder) {
	e.Uint(1, uint64(r.Status))
	e.Time(2, r.At)
	e.Bool(oomKilled+1, r.OOMKilled)
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
	e.Bool(oomKilled+2, r.OOMKilled)
}

// Field takes a field of the message.
func (r *DeleteResponse) Field(number int, v wire.Value) error {
	if number == 1 {
		r.Pid = uint32(v.Uint)
		return nil
	}
	return r.take(number-2, v)
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
	fields{{1, &r.ID}, {2, &r.Bundle}, {3, &r.Pid}, {4, &r.Status}, {5, &r.Stdio.Stdin}, {6, &r.Stdio.Stdout}, {7, &r.Stdio.Stderr},
		{8, &r.Stdio.Terminal}, {9, &r.Exit.Status}}.encode(e)
	e.Time(10, r.At)
	e.String(11, r.ExecID)
}

// Field takes a field of the message, of those that the engine asks for.
func (r *StateResponse) Field(number int, v wire.Value) error {
	status := uint32(r.Status)
	err := fields{{1, &r.ID}, {3, &r.Pid}, {4, &status}, {11, &r.ExecID}}.take(number, v)
	r.Status = Status(status)
	return err
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
	r.fields().encode(e)
}

func (r *ConnectResponse) fields() fields {
	return fields{{1, &r.ShimPid}, {2, &r.TaskPid}, {3, &r.Version}}
}

// Field takes a field of the message.
func (r *ConnectResponse) Field(number int, v wire.Value) error { return r.fields().take(number, v) }
