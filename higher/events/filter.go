package events

import (
	"slices"
	"strings"

	"github.com/moby/moby/api/types/events"
)

// Filter returns whether an event passes the filters of GET /events: for every key one of its values.
func Filter(filters map[string][]string) func(*events.Message) bool {
	return func(m *events.Message) bool {
		for key, values := range filters {
			if len(values) > 0 && !passes(m, key, values) {
				return false
			}
		}
		return true
	}
}

func passes(m *events.Message, key string, values []string) bool {
	switch key {
	case "event":
		// "health_status" stands for "health_status: healthy" and the like.
		action, _, _ := strings.Cut(string(m.Action), ":")
		return slices.Contains(values, string(m.Action)) || slices.Contains(values, action)
	case "type":
		return slices.Contains(values, string(m.Type))
	case "scope":
		return slices.Contains(values, m.Scope)
	case "label":
		return !slices.ContainsFunc(values, func(want string) bool { return !hasLabel(m, want) })
	case "image":
		return m.Type == events.ImageEventType && named(m, values, true) ||
			m.Type == events.ContainerEventType && slices.ContainsFunc(values, func(v string) bool {
				return sameImage(m.Actor.Attributes["image"], v)
			})
	case "container", "daemon", "network", "volume", "plugin":
		return string(m.Type) == key && named(m, values, false)
	default:
		return false // events of swarms, which there are none of
	}
}

func hasLabel(m *events.Message, want string) bool {
	key, value, withValue := strings.Cut(want, "=")
	got, ok := m.Actor.Attributes[key]
	return ok && (!withValue || got == value)
}

// named says whether an event is about one of names: an id, the beginning of one, or a name.
func named(m *events.Message, names []string, image bool) bool {
	return slices.ContainsFunc(names, func(n string) bool {
		name := m.Actor.Attributes["name"]
		return n != "" && (strings.HasPrefix(m.Actor.ID, n) || name == n || image && (sameImage(name, n) || sameImage(m.Actor.ID, n)))
	})
}

// sameImage compares names of images, of which want may lack the tag.
func sameImage(name, want string) bool {
	return name == want || strings.HasPrefix(name, want+":") || strings.HasPrefix(name, want+"@")
}
