package container

import (
	"fmt"
	"time"

	"github.com/docker/go-units"
	types "github.com/moby/moby/api/types/container"
)

// status is a state in the words of `docker ps`.
func (s *State) status(now time.Time) string {
	since := func(t time.Time) string { return units.HumanDuration(now.Sub(t)) }
	switch s.Phase {
	case Paused:
		return "Up " + since(s.StartedAt) + " (Paused)"
	case Restarting:
		return fmt.Sprintf("Restarting (%d) %s ago", s.ExitCode, since(s.FinishedAt))
	case Running:
		if s.Health != nil {
			return "Up " + since(s.StartedAt) + " (" + healthWords(s.Health.Status) + ")"
		}
		return "Up " + since(s.StartedAt)
	case Removing:
		return "Removal In Progress"
	case Dead:
		return "Dead"
	case Created:
		return "Created"
	default:
		return fmt.Sprintf("Exited (%d) %s ago", s.ExitCode, since(s.FinishedAt))
	}
}

func healthWords(s types.HealthStatus) string {
	if s == types.Starting {
		return "health: starting"
	}
	return string(s)
}

// health is the status of health checks; none without any.
func (s *State) health() types.HealthStatus {
	if s.Health == nil {
		return types.NoHealthcheck
	}
	return s.Health.Status
}
