package oci

import (
	"path"
	"strings"
	"time"

	types "github.com/moby/moby/api/types/container"
	"github.com/moby/sys/signal"
)

// maxHostname is the kernel's __NEW_UTS_LEN.
const maxHostname = 64

func checkConfig(c *types.Config) error {
	if len(c.Entrypoint) == 0 && len(c.Cmd) == 0 {
		return invalidf("no command specified")
	}
	if c.WorkingDir != "" {
		if !path.IsAbs(c.WorkingDir) {
			return invalidf("the working directory '%s' is invalid, it needs to be an absolute path", c.WorkingDir)
		}
		c.WorkingDir = path.Clean(c.WorkingDir)
	}
	if c.StopSignal != "" {
		if _, err := signal.ParseSignal(c.StopSignal); err != nil {
			return invalidf("%v", err)
		}
	}
	for _, name := range [...]string{c.Hostname, c.Domainname} {
		if len(name) > maxHostname {
			return invalidf("hostname %q is too long (maximum %d bytes)", name, maxHostname)
		}
	}
	if err := checkEnvironment(c.Env); err != nil {
		return err
	}
	if err := checkText(c); err != nil {
		return err
	}
	return checkHealth(c.Healthcheck)
}

func checkEnvironment(env []string) error {
	for _, v := range env {
		if name, _, _ := strings.Cut(v, "="); name == "" {
			return invalidf("invalid environment variable: %s", v)
		}
	}
	return nil
}

// checkText refuses what no system call can carry.
func checkText(c *types.Config) error {
	for _, list := range [][]string{c.Entrypoint, c.Cmd, c.Env, {c.WorkingDir, c.User, c.Hostname, c.Domainname}} {
		for _, s := range list {
			if strings.ContainsRune(s, 0) {
				return invalidf("%q contains a NUL character", s)
			}
		}
	}
	return nil
}

func checkHealth(h *types.HealthConfig) error {
	if h == nil {
		return nil
	}
	for _, f := range [...]struct {
		name  string
		value time.Duration
	}{{"Interval", h.Interval}, {"Timeout", h.Timeout}, {"StartPeriod", h.StartPeriod}, {"StartInterval", h.StartInterval}} {
		if f.value != 0 && f.value < types.MinimumDuration {
			return invalidf("%s in Healthcheck cannot be less than %s", f.name, types.MinimumDuration)
		}
	}
	if h.Retries < 0 {
		return invalidf("Retries in Healthcheck cannot be negative")
	}
	return nil
}
