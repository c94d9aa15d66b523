package container

import (
	"slices"
	"strings"

	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
	types "github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"
)

// merge fills what a client left open in with what the image says.
func merge(c *types.Config, i *dockerspec.DockerOCIImageConfig) error {
	if c.User == "" {
		c.User = i.User
	}
	if err := mergePorts(c, i); err != nil {
		return err
	}
	mergeEnv(c, i)
	for key, value := range i.Labels {
		if c.Labels == nil {
			c.Labels = map[string]string{}
		}
		if _, ok := c.Labels[key]; !ok {
			c.Labels[key] = value
		}
	}
	mergeCommand(c, i)
	mergeHealth(c, i.Healthcheck)
	if c.WorkingDir == "" {
		c.WorkingDir = i.WorkingDir
	}
	if len(c.Volumes) == 0 {
		c.Volumes = nil // which clients see as such
	}
	for path := range i.Volumes {
		if c.Volumes == nil {
			c.Volumes = map[string]struct{}{}
		}
		c.Volumes[path] = struct{}{}
	}
	if c.StopSignal == "" {
		c.StopSignal = i.StopSignal
	}
	if len(c.Shell) == 0 {
		c.Shell = i.Shell
	}
	if len(c.OnBuild) == 0 {
		c.OnBuild = i.OnBuild
	}
	return nil
}

func mergePorts(c *types.Config, i *dockerspec.DockerOCIImageConfig) error {
	for name := range i.ExposedPorts {
		all, err := network.ParsePortRange(name)
		if err != nil {
			return invalidf("the image exposes an invalid port: %v", err)
		}
		if c.ExposedPorts == nil {
			c.ExposedPorts = network.PortSet{}
		}
		for p := range all.All() {
			c.ExposedPorts[p] = struct{}{}
		}
	}
	return nil
}

// mergeEnv puts the image's variables behind those of the client, unless it has them.
func mergeEnv(c *types.Config, i *dockerspec.DockerOCIImageConfig) {
	own := map[string]bool{}
	for _, e := range c.Env {
		key, _, _ := strings.Cut(e, "=")
		own[key] = true
	}
	for _, e := range i.Env {
		if key, _, _ := strings.Cut(e, "="); !own[key] {
			c.Env = append(c.Env, e)
		}
	}
}

// mergeCommand takes the image's command unless there is one, or another entrypoint. [""] is the way to say none.
func mergeCommand(c *types.Config, i *dockerspec.DockerOCIImageConfig) {
	if len(c.Entrypoint) == 0 {
		if len(c.Cmd) == 0 {
			c.Cmd, c.ArgsEscaped = slices.Clone(i.Cmd), i.ArgsEscaped
		}
		if c.Entrypoint == nil {
			c.Entrypoint = slices.Clone(i.Entrypoint)
		}
	}
	if len(c.Entrypoint) == 1 && c.Entrypoint[0] == "" {
		c.Entrypoint = nil
	}
}

func mergeHealth(c *types.Config, i *dockerspec.HealthcheckConfig) {
	if i == nil {
		return
	}
	if c.Healthcheck == nil {
		h := *i
		c.Healthcheck = &h
		return
	}
	h := c.Healthcheck
	if len(h.Test) == 0 {
		h.Test = i.Test
	}
	if h.Interval == 0 {
		h.Interval = i.Interval
	}
	if h.Timeout == 0 {
		h.Timeout = i.Timeout
	}
	if h.StartPeriod == 0 {
		h.StartPeriod = i.StartPeriod
	}
	if h.StartInterval == 0 {
		h.StartInterval = i.StartInterval
	}
	if h.Retries == 0 {
		h.Retries = i.Retries
	}
}

// command is what a container runs.
func command(c *types.Config) (path string, args []string, err error) {
	all := append(slices.Clone([]string(c.Entrypoint)), c.Cmd...)
	if len(all) == 0 {
		return "", nil, invalidf("no command specified")
	}
	return all[0], append([]string{}, all[1:]...), nil
}
