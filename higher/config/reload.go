package config

import (
	"log/slog"
	"maps"
	"slices"
)

// say sets an option, and keeps what was said of it.
func (c *Config) say(o *option, s string) error {
	key := o.jsonKey()
	c.said[key] = append(c.said[key], s)
	return o.set(c, s)
}

// reloadable are the keys that a running daemon takes over, with how: those of dockerd's that there are here, and the
// level of the log.
var reloadable = map[string]func(to, from *Config){
	"debug":               func(to, from *Config) { to.Debug = from.Debug },
	"log-level":           func(to, from *Config) { to.LogLevel = from.LogLevel },
	"labels":              func(to, from *Config) { to.Labels = from.Labels },
	"live-restore":        func(to, from *Config) { to.LiveRestore = from.LiveRestore },
	"insecure-registries": func(to, from *Config) { to.InsecureRegistries = from.InsecureRegistries },
	"registry-mirrors":    func(to, from *Config) { to.RegistryMirrors = from.RegistryMirrors },
	"default-runtime":     func(to, from *Config) { to.DefaultRuntime = from.DefaultRuntime },
	"runtimes":            func(to, from *Config) { to.Runtimes = from.Runtimes },
}

// Reload returns what becomes of a running daemon's configuration when the file says something else: a copy with the
// keys that can change as next has them, and the keys that differ but need a new start.
func (c *Config) Reload(next *Config) (merged *Config, refused []string) {
	n := *c
	n.said = maps.Clone(c.said)
	keys := maps.Clone(c.said)
	maps.Copy(keys, next.said)
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		if slices.Equal(c.said[key], next.said[key]) {
			continue
		}
		take := reloadable[key]
		if take == nil {
			refused = append(refused, key)
			continue
		}
		take(&n, next)
		n.said[key] = next.said[key]
	}
	return &n, refused
}

// Level is what is logged.
func (c *Config) Level() slog.Level {
	if c.Debug {
		return slog.LevelDebug
	}
	switch c.LogLevel {
	case "debug":
		return slog.LevelDebug
	case "warn":
		return slog.LevelWarn
	case "error", "fatal":
		return slog.LevelError
	}
	return slog.LevelInfo
}
