package container

import types "github.com/moby/moby/api/types/container"

// Phase is where in its life a container is.
type Phase = types.ContainerState

// The phases. Creating is not seen by clients.
const (
	Creating   Phase = "creating"
	Created          = types.StateCreated
	Running          = types.StateRunning
	Paused           = types.StatePaused
	Restarting       = types.StateRestarting
	Exited           = types.StateExited
	Removing         = types.StateRemoving
	Dead             = types.StateDead
)
