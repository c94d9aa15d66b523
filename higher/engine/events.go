package engine

import (
	"context"
	"time"

	types "github.com/moby/moby/api/types/events"
	"github.com/moby/moby/api/types/registry"

	"github.com/dhow-containers/dhow/higher/api"
	"github.com/dhow-containers/dhow/higher/events"
)

// SystemEvents hands out what has happened, and what happens.
func (e *Engine) SystemEvents(ctx context.Context, since, until time.Time, f api.Filters, emit func(types.Message) error) error {
	return e.bus.Subscribe(ctx, since, until, events.Filter(f), emit)
}

// RegistryLogin checks credentials with their registry.
func (e *Engine) RegistryLogin(ctx context.Context, auth *registry.AuthConfig) (*registry.AuthResponse, error) {
	return e.images.Login(ctx, auth)
}
