package lists

import (
	"encoding/json"
	"fmt"

	"github.com/distribution/reference"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// Docker's media types of a manifest and of a list of them.
const (
	DockerManifest = "application/vnd.docker.distribution.manifest.v2+json"
	DockerList     = "application/vnd.docker.distribution.manifest.list.v2+json"
)

// Image is the manifest of an image, with what was said about it.
type Image struct {
	Ref              Name
	Descriptor       ocispec.Descriptor
	Raw              []byte          `json:",omitempty"` // as the registry has it, to the byte
	SchemaV2Manifest json.RawMessage `json:",omitempty"` // Raw again, if it is Docker's
	OCIManifest      json.RawMessage `json:",omitempty"` // Raw again, if it is OCI's
}

// Name is where an image is from. In a file it is written in full.
type Name struct{ reference.Named }

func (n Name) MarshalJSON() ([]byte, error) { return json.Marshal(n.String()) }

func (n *Name) UnmarshalJSON(data []byte) error {
	var s string
	if err := json.Unmarshal(data, &s); err != nil {
		return err
	}
	named, err := reference.ParseNamed(s)
	n.Named = named
	return err
}

// NewImage is what a registry has under ref.
func NewImage(ref reference.Named, mediaType string, raw []byte, platform *ocispec.Platform) *Image {
	i := &Image{Ref: Name{ref}, Raw: raw, Descriptor: ocispec.Descriptor{
		MediaType: mediaType, Digest: digest.FromBytes(raw), Size: int64(len(raw)), Platform: platform,
	}}
	if mediaType == DockerManifest {
		i.SchemaV2Manifest = raw
	} else {
		i.OCIManifest = raw
	}
	return i
}

// Manifest is the manifest as it may be printed. The bytes that have the digest are those of Payload.
func (i *Image) Manifest() json.RawMessage {
	if len(i.SchemaV2Manifest) > 0 {
		return i.SchemaV2Manifest
	}
	return i.OCIManifest
}

// Payload is the manifest to the byte. Old files do not have that: docker then tries the indentation of its own builds.
func (i *Image) Payload() ([]byte, error) {
	raw := i.Raw
	if len(raw) == 0 {
		indent := "  "
		if len(i.SchemaV2Manifest) > 0 {
			indent = "   "
		}
		var err error
		if raw, err = json.MarshalIndent(i.Manifest(), "", indent); err != nil {
			return nil, err
		}
	}
	want := i.Descriptor.Digest
	if err := want.Validate(); err != nil {
		return nil, fmt.Errorf("digest parse of image %q failed: %w", i.Ref, err)
	}
	if got := want.Algorithm().FromBytes(raw); got != want {
		return nil, fmt.Errorf("internal digest mismatch for %s: expected %s, got %s", i.Ref, want, got)
	}
	return raw, nil
}

// Blobs are the config and the layers.
func (i *Image) Blobs() ([]digest.Digest, error) {
	var m ocispec.Manifest
	if err := json.Unmarshal(i.Manifest(), &m); err != nil {
		return nil, fmt.Errorf("cannot read the manifest of %s: %w", i.Ref, err)
	}
	all := []digest.Digest{m.Config.Digest}
	for _, l := range m.Layers {
		all = append(all, l.Digest)
	}
	return all, nil
}
