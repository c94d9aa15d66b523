package image

import (
	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
	digest "github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// Image is an image for one platform.
type Image struct {
	ID       digest.Digest      // of the target
	Name     string             // as it was asked for, in short form, or "" when it was by id
	Target   ocispec.Descriptor // what the name points to: a manifest or an index
	Manifest ocispec.Descriptor // of the platform
	ChainID  digest.Digest      // of all its layers; "" when there are none
	Platform ocispec.Platform
	Config   dockerspec.DockerOCIImage
}

// CommitRequest says what becomes of a container's changes.
type CommitRequest struct {
	Container string
	Parent    *Image                           // what the container was made from
	Config    *dockerspec.DockerOCIImageConfig // of the new image
	CreatedBy string                           // for the history: what the container runs
	Author    string
	Comment   string
	Ref       string // the new image's name, canonical, or ""
}
