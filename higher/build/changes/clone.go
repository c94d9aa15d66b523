package changes

import (
	"maps"
	"slices"

	image "github.com/moby/docker-image-spec/specs-go/v1"
)

// clone copies what Apply changes in place.
func clone(c *image.DockerOCIImageConfig) image.DockerOCIImageConfig {
	out := *c
	out.Env, out.OnBuild = slices.Clone(c.Env), slices.Clone(c.OnBuild)
	out.Labels, out.Volumes, out.ExposedPorts = maps.Clone(c.Labels), maps.Clone(c.Volumes), maps.Clone(c.ExposedPorts)
	return out
}
