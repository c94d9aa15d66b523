package image

import (
	"context"
	"maps"

	"github.com/containerd/containerd/v2/core/images"
)

// attributes are those of an event about an image: the labels of its config, and a name.
func (m *Manager) attributes(ctx context.Context, record images.Image, name string) map[string]string {
	out := map[string]string{}
	if one, err := m.choose(ctx, record.Target, nil, record.Name); err == nil {
		maps.Copy(out, one.image.Config.Labels)
	}
	out["name"] = name
	return out
}
