package manifest

import (
	"encoding/json"
	"fmt"

	"github.com/distribution/reference"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/dhow-containers/dhow/higher/cli/manifest/lists"
)

// The list as docker writes it: order and indentation of the fields decide its digest.
type (
	list struct {
		SchemaVersion int     `json:"schemaVersion"`
		MediaType     string  `json:"mediaType,omitempty"`
		Manifests     []entry `json:"manifests"`
	}
	entry struct {
		MediaType string           `json:"mediaType,omitempty"`
		Size      int64            `json:"size,omitempty"`
		Digest    digest.Digest    `json:"digest,omitempty"`
		Platform  ocispec.Platform `json:"platform"`
	}
)

// assemble makes the list: an index of OCI if its first image is one of OCI.
func assemble(ref reference.Named, images []*lists.Image) (mediaType string, raw []byte, err error) {
	l := list{SchemaVersion: 2, MediaType: lists.DockerList, Manifests: []entry{}}
	for _, i := range images {
		if from, to := reference.Domain(i.Ref), reference.Domain(ref); from != to {
			return "", nil, fmt.Errorf("cannot use source images from a different registry than the target image: %s != %s", from, to)
		}
		d := i.Descriptor
		if err := d.Digest.Validate(); err != nil {
			return "", nil, fmt.Errorf("digest parse of image %q failed: %w", i.Ref, err)
		}
		e := entry{MediaType: d.MediaType, Size: d.Size, Digest: d.Digest}
		if d.Platform != nil {
			e.Platform = *d.Platform
		}
		l.Manifests = append(l.Manifests, e)
	}
	if len(images) > 0 && images[0].Descriptor.MediaType == ocispec.MediaTypeImageManifest {
		l.MediaType = ocispec.MediaTypeImageIndex
	}
	raw, err = json.MarshalIndent(l, "", "   ")
	return l.MediaType, raw, err
}
