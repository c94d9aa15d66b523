package opts

import (
	"fmt"

	"github.com/containerd/platforms"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// Platform reads OS[/ARCH[/VARIANT]].
func Platform(s string) (*ocispec.Platform, error) {
	p, err := platforms.Parse(s)
	if err != nil {
		return nil, fmt.Errorf("invalid platform: %w", err)
	}
	return &p, nil
}
