package container

import (
	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
	digest "github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// Image is an image as Images resolves it.
type Image struct {
	ID               digest.Digest
	Name             string
	Target, Manifest ocispec.Descriptor
	ChainID          digest.Digest
	Platform         ocispec.Platform
	Config           dockerspec.DockerOCIImage
}
