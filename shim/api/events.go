package api

import (
	"time"

	"github.com/dhow-containers/dhow/shim/wire"
)

// Event is something that happened to a task.
type Event interface {
	wire.Message
	Topic() string // as subscribers know it
	Type() string  // name of the message
}

// Envelope is containerd.types.Envelope: an event on its way.
type Envelope struct {
	At        time.Time
	Namespace string
	Topic     string
	Event     *wire.Any
}

// Encode writes a ForwardRequest with the envelope in it.
func (v *Envelope) Encode(e *wire.Encoder) {
	e.Message(1, wire.Func(func(e *wire.Encoder) {
		e.Time(1, v.At)
		e.String(2, v.Namespace)
		e.String(3, v.Topic)
		e.Message(4, v.Event)
	}))
}

// TaskCreate tells that a container has been created.
type TaskCreate struct {
	ContainerID, Bundle string
	Rootfs              []*Mount
	Stdio               *Stdio
	Checkpoint          string
	Pid                 uint32
}

// Encode writes the message.
func (t *TaskCreate) Encode(e *wire.Encoder) {
	e.String(1, t.ContainerID)
	e.String(2, t.Bundle)
	for _, m := range t.Rootfs {
		e.Message(3, m)
	}
	e.Message(4, t.Stdio)
	e.String(5, t.Checkpoint)
	e.Uint(6, uint64(t.Pid))
}

// Topic is the event's topic.
func (*TaskCreate) Topic() string { return "/tasks/create" }

// Type is the message's name.
func (*TaskCreate) Type() string { return "containerd.events.TaskCreate" }

// TaskExit tells that a process of a container has ended.
type TaskExit struct {
	ContainerID, ID string // ID is the container's for its init, or else the exec's
	Pid             uint32
	Exit
}

// Encode writes the message.
func (t *TaskExit) Encode(e *wire.Encoder) {
	e.String(1, t.ContainerID)
	e.String(2, t.ID)
	e.Uint(3, uint64(t.Pid))
	e.Uint(4, uint64(t.Status))
	e.Time(5, t.At)
}

// Topic is the event's topic.
func (*TaskExit) Topic() string { return "/tasks/exit" }

// Type is the message's name.
func (*TaskExit) Type() string { return "containerd.events.TaskExit" }

// TaskDelete tells that a container is gone.
type TaskDelete struct {
	ContainerID string
	Pid         uint32
	Exit
}

// Encode writes the message.
func (t *TaskDelete) Encode(e *wire.Encoder) {
	e.String(1, t.ContainerID)
	e.Uint(2, uint64(t.Pid))
	e.Uint(3, uint64(t.Status))
	e.Time(4, t.At)
}

// Topic is the event's topic.
func (*TaskDelete) Topic() string { return "/tasks/delete" }

// Type is the message's name.
func (*TaskDelete) Type() string { return "containerd.events.TaskDelete" }

// plain is an event that says little: container, exec, pid.
type plain struct {
	topic, name         string
	ContainerID, ExecID string
	Pid                 uint32
	pidField            int
}

// Encode writes the message.
func (p *plain) Encode(e *wire.Encoder) {
	e.String(1, p.ContainerID)
	e.String(2, p.ExecID)
	e.Uint(p.pidField, uint64(p.Pid))
}

func (p *plain) Topic() string { return p.topic }

func (p *plain) Type() string { return p.name }

// TaskStart tells that a container's program has begun.
func TaskStart(id string, pid uint32) Event {
	return &plain{"/tasks/start", "containerd.events.TaskStart", id, "", pid, 2}
}

// TaskExecAdded tells that an exec is known.
func TaskExecAdded(id, exec string) Event {
	return &plain{"/tasks/exec-added", "containerd.events.TaskExecAdded", id, exec, 0, 3}
}

// TaskExecStarted tells that an exec's program has begun.
func TaskExecStarted(id, exec string, pid uint32) Event {
	return &plain{"/tasks/exec-started", "containerd.events.TaskExecStarted", id, exec, pid, 3}
}

// TaskOOM tells that the kernel killed for want of memory.
func TaskOOM(id string) Event {
	return &plain{"/tasks/oom", "containerd.events.TaskOOM", id, "", 0, 3}
}

// TaskPaused tells that a container stands still.
func TaskPaused(id string) Event {
	return &plain{"/tasks/paused", "containerd.events.TaskPaused", id, "", 0, 3}
}

// TaskResumed tells that a container goes on.
func TaskResumed(id string) Event {
	return &plain{"/tasks/resumed", "containerd.events.TaskResumed", id, "", 0, 3}
}
