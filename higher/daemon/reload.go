package daemon

import "github.com/dhow-containers/dhow/higher/engine"

// reload is the answer to SIGHUP: what can change is as the configuration file says from now on. With a file that cannot
// be used everything stays as it is.
func (p *Program) reload(e *engine.Engine) {
	next, err := p.Reload()
	if err != nil {
		p.Log.Error("cannot reload the configuration: the old one stays", "error", err)
		return
	}
	for _, key := range e.Reload(next) {
		p.Log.Warn("cannot change this while the daemon runs: it takes effect at the next start", "key", key)
	}
	p.Level.Set(next.Level())
	p.Log.Info("the configuration was reloaded")
}
