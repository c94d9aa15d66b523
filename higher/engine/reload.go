package engine

import (
	"encoding/json"
	"strconv"

	"github.com/moby/moby/api/types/events"

	"github.com/dhow-containers/dhow/higher/config"
)

// config is what the daemon was told; nobody changes it, Reload puts another in its place.
func (e *Engine) config() *config.Config { return e.current.Load() }

// Reload goes on with what of another configuration can change, and returns the keys that cannot. An event tells what
// goes now, in dockerd's words.
func (e *Engine) Reload(next *config.Config) (refused []string) {
	c, refused := e.config().Reload(next)
	e.current.Store(c)
	e.images.Reload(c.InsecureRegistries, c.RegistryMirrors)
	e.containers.Reload(c.DefaultRuntime, c.Runtimes, c.LiveRestore)
	e.bus.Publish(events.DaemonEventType, events.ActionReload, e.id, map[string]string{
		"name": e.host.name, "debug": strconv.FormatBool(c.Debug), "live-restore": strconv.FormatBool(c.LiveRestore),
		"labels": asJSON(append([]string{}, c.Labels...)), "insecure-registries": asJSON(append([]string{}, c.InsecureRegistries...)), "registry-mirrors": asJSON(e.mirrors()),
		"default-runtime": c.DefaultRuntime, "runtimes": asJSON(c.Runtimes),
	})
	return refused
}

// asJSON writes a list or map of strings, which does not fail.
func asJSON(v any) string {
	text, _ := json.Marshal(v)
	return string(text)
}
