package image

// reach is how registries are reached: what can change of Options.
type reach struct{ insecure, mirrors []string }

// Reload goes on with other insecure registries and mirrors; what is under way does not mind.
func (m *Manager) Reload(insecure, mirrors []string) { m.reached.Store(&reach{insecure, mirrors}) }
