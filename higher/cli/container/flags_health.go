package container

import (
	"errors"
	"time"

	types "github.com/moby/moby/api/types/container"
	"github.com/spf13/pflag"
)

// healthFlags are the health check.
type healthFlags struct {
	cmd     string
	retries int
	off     bool

	interval, timeout, startPeriod, startInterval time.Duration
}

func (f *healthFlags) register(fs *pflag.FlagSet) {
	fs.StringVar(&f.cmd, "health-cmd", "", "Command that checks health")
	fs.IntVar(&f.retries, "health-retries", 0, "Failures in a row until the container is unhealthy")
	fs.BoolVar(&f.off, "no-healthcheck", false, "Do not run the image's health check")
	fs.DurationVar(&f.interval, "health-interval", 0, "Time between checks (ms|s|m|h)")
	fs.DurationVar(&f.timeout, "health-timeout", 0, "Longest time that a check may take (ms|s|m|h)")
	fs.DurationVar(&f.startPeriod, "health-start-period", 0, "Time in which failures do not count yet (ms|s|m|h)")
	fs.DurationVar(&f.startInterval, "health-start-interval", 0, "Time between checks in the start period (ms|s|m|h)")
}

func (f *healthFlags) apply(r *request, _ *pflag.FlagSet) error {
	some := f.cmd != "" || f.interval != 0 || f.timeout != 0 || f.startPeriod != 0 || f.retries != 0 || f.startInterval != 0
	switch {
	case f.off && some:
		return errors.New("--no-healthcheck conflicts with --health-* options")
	case f.off:
		r.config.Healthcheck = &types.HealthConfig{Test: []string{"NONE"}}
		return nil
	case !some:
		return nil
	case f.interval < 0:
		return errors.New("--health-interval cannot be negative")
	case f.timeout < 0:
		return errors.New("--health-timeout cannot be negative")
	case f.retries < 0:
		return errors.New("--health-retries cannot be negative")
	case f.startPeriod < 0:
		return errors.New("--health-start-period cannot be negative")
	case f.startInterval < 0:
		return errors.New("--health-start-interval cannot be negative")
	}
	h := &types.HealthConfig{Interval: f.interval, Timeout: f.timeout, Retries: f.retries, StartPeriod: f.startPeriod, StartInterval: f.startInterval}
	if f.cmd != "" {
		h.Test = []string{"CMD-SHELL", f.cmd}
	}
	r.config.Healthcheck = h
	return nil
}
