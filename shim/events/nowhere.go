package events

import (
	"time"

	"github.com/dhow-containers/dhow/shim/api"
)

// Nowhere is for a client that wants no events.
type Nowhere struct{}

// Publish drops an event.
func (Nowhere) Publish(api.Event) {}

// Close does nothing.
func (Nowhere) Close(time.Duration) {}
