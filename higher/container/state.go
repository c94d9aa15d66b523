package container

import (
	"slices"

	"github.com/containerd/errdefs"
	"github.com/dhow-containers/dhow/higher/api"
	types "github.com/moby/moby/api/types/container"
)

// Phase is where in its life a container is.
type Phase = types.ContainerState

// The phases. A container that is Creating is not seen by clients.
const (
	Creating   Phase = "creating"
	Created          = types.StateCreated
	Running          = types.StateRunning
	Paused           = types.StatePaused
	Restarting       = types.StateRestarting // it has ended, and will be started again
	Exited           = types.StateExited
	Removing         = types.StateRemoving
	Dead             = types.StateDead // removing it has failed
)

// next are the moves that there are.
var next = map[Phase][]Phase{
	Creating:   {Created, Removing},
	Created:    {Running, Removing},
	Running:    {Paused, Restarting, Exited},
	Paused:     {Running, Restarting, Exited},
	Restarting: {Running, Exited},
	Exited:     {Running, Removing},
	Removing:   {Dead},
	Dead:       {Removing},
}

// move changes the phase, or says in Docker's words why it cannot.
func (r *Record) move(to Phase) error {
	if slices.Contains(next[r.Phase], to) {
		r.Phase = to
		return nil
	}
	return r.refuse(to)
}

func (r *Record) refuse(to Phase) error {
	switch to {
	case Running:
		return r.refuseStart()
	case Paused:
		return r.refusePause()
	case Removing:
		return r.refuseRemove()
	case Exited, Restarting:
		return notRunning(r.ID)
	default:
		return api.Errorf(errdefs.ErrInternal, "internal error: container %s cannot become %s: it is %s", r.ID, to, r.Phase)
	}
}

func (r *Record) refuseStart() error {
	switch r.Phase {
	case Paused:
		return api.Errorf(errdefs.ErrConflict, "cannot start a paused container, try unpause instead")
	case Running, Restarting:
		return api.ErrNotModified
	default:
		return api.Errorf(errdefs.ErrConflict, "container is marked for removal and cannot be started")
	}
}

func (r *Record) refusePause() error {
	switch r.Phase {
	case Paused:
		return api.Errorf(errdefs.ErrConflict, "container %s is already paused", r.ID)
	case Restarting:
		return restarting(r.ID)
	default:
		return notRunning(r.ID)
	}
}

func (r *Record) refuseRemove() error {
	switch r.Phase {
	case Paused:
		return api.Errorf(errdefs.ErrConflict, "container is paused and must be unpaused first")
	case Removing:
		return api.Errorf(errdefs.ErrConflict, "removal of container %s is already in progress", r.Name)
	default:
		return api.Errorf(errdefs.ErrConflict, "container is %s: stop the container before removing or force remove", r.Phase)
	}
}

// canStart says why a start would be refused, without starting.
func (r *Record) canStart() error {
	if r.Phase == Restarting || !slices.Contains(next[r.Phase], Running) || r.Phase == Paused {
		return r.refuseStart()
	}
	return nil
}
