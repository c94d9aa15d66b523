package image

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/errdefs"
	"github.com/dhow-containers/dhow/higher/api"
	"github.com/dhow-containers/dhow/higher/decompress"
	digest "github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// entry is an image of an archive; its name is canonical, or "".
type entry struct {
	name   string
	target ocispec.Descriptor
}

// archived is what an archive holds.
type archived struct {
	blobs  map[string]ocispec.Descriptor // by path
	links  map[string]string
	layout *ocispec.ImageLayout
	index  *ocispec.Index
	docker []dockerManifest
}

// dockerManifest is an element of manifest.json of `docker save`.
type dockerManifest struct {
	Config   string
	RepoTags []string
	Layers   []string
}

func badArchive(format string, args ...any) error {
	return api.Errorf(errdefs.ErrInvalidArgument, "cannot load the archive: "+format, args...)
}

// readArchive stores the blobs of an archive and tells which images they make.
func (m *Manager) readArchive(ctx context.Context, r io.Reader) ([]entry, error) {
	a := &archived{blobs: map[string]ocispec.Descriptor{}, links: map[string]string{}}
	tr := tar.NewReader(r)
	for {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, api.Errorf(errdefs.ErrInvalidArgument, "%v", err)
		}
		if err := m.readEntry(ctx, a, h, tr); err != nil {
			return nil, fmt.Errorf("cannot load %s of the archive: %w", h.Name, err)
		}
	}
	if _, err := io.Copy(io.Discard, r); err != nil { // a checksum at the end of compression
		return nil, badArchive("%v", err)
	}
	switch {
	case a.layout != nil && a.index != nil:
		return m.layoutImages(a)
	case a.docker != nil:
		return m.dockerImages(ctx, a)
	}
	return nil, api.Errorf(errdefs.ErrInvalidArgument, "unrecognized image format")
}

// readEntry stores one file of an archive.
func (m *Manager) readEntry(ctx context.Context, a *archived, h *tar.Header, r io.Reader) error {
	name := path.Join("/", h.Name)[1:]
	switch h.Typeflag {
	case tar.TypeSymlink, tar.TypeLink:
		to := path.Join("/", path.Dir(name), h.Linkname)[1:]
		if h.Typeflag == tar.TypeLink {
			to = path.Join("/", h.Linkname)[1:]
		}
		a.links[name] = to
		return nil
	case tar.TypeReg:
	default:
		return nil
	}
	switch name {
	case ocispec.ImageLayoutFile:
		return readDocument(r, &a.layout)
	case ocispec.ImageIndexFile:
		return readDocument(r, &a.index)
	case "manifest.json":
		return readDocument(r, &a.docker)
	}
	if base := path.Base(name); name == "repositories" || base == "VERSION" || base == "json" {
		return nil // of Docker before 1.10
	}
	d, err := m.ingest(ctx, r, h.Size, blobDigest(name))
	if err != nil {
		return err
	}
	a.blobs[name] = ocispec.Descriptor{Digest: d, Size: h.Size}
	return nil
}

// blobDigest is the digest that a file of an OCI layout must have.
func blobDigest(name string) digest.Digest {
	parts := strings.Split(name, "/")
	if len(parts) != 3 || parts[0] != "blobs" {
		return ""
	}
	d := digest.Digest(parts[1] + ":" + parts[2])
	if d.Validate() != nil {
		return ""
	}
	return d
}

func readDocument(r io.Reader, v any) error {
	raw, err := io.ReadAll(io.LimitReader(r, maxDocument+1))
	if err != nil {
		return err
	}
	if len(raw) > maxDocument {
		return badArchive("a document is larger than %d bytes", maxDocument)
	}
	if err := json.NewDecoder(bytes.NewReader(raw)).Decode(v); err != nil {
		return badArchive("%v", err)
	}
	return nil
}

// layoutImages are the images of an OCI layout.
func (m *Manager) layoutImages(a *archived) ([]entry, error) {
	if a.layout.Version != ocispec.ImageLayoutVersion {
		return nil, badArchive("unsupported version %q of the OCI layout", a.layout.Version)
	}
	var out []entry
	for _, desc := range a.index.Manifests {
		if err := desc.Digest.Validate(); err != nil {
			return nil, badArchive("digest %q: %v", desc.Digest, err)
		}
		if _, ok := a.blobs["blobs/"+desc.Digest.Algorithm().String()+"/"+desc.Digest.Encoded()]; !ok {
			return nil, badArchive("blob %s is missing", desc.Digest)
		}
		e := entry{target: desc}
		name := desc.Annotations[images.AnnotationImageName]
		if name == "" {
			name = desc.Annotations[ocispec.AnnotationRefName]
			if !strings.ContainsAny(name, ":/") {
				name = "" // a tag of a name that is not told
			}
		}
		if name != "" {
			named, err := parseRef(name)
			if err != nil {
				return nil, badArchive("name %q: %v", name, err)
			}
			e.name = recordName(named)
		}
		out = append(out, e)
	}
	return out, nil
}

// dockerImages are the images of an archive of `docker save` before it was an OCI layout, too.
func (m *Manager) dockerImages(ctx context.Context, a *archived) ([]entry, error) {
	var out []entry
	for _, doc := range a.docker {
		target, err := m.dockerManifest(ctx, a, doc)
		if err != nil {
			return nil, err
		}
		if len(doc.RepoTags) == 0 {
			out = append(out, entry{target: target})
		}
		for _, name := range doc.RepoTags {
			named, err := parseRef(name)
			if err != nil {
				return nil, badArchive("name %q: %v", name, err)
			}
			out = append(out, entry{name: recordName(named), target: target})
		}
	}
	return out, nil
}

// dockerManifest makes the manifest that such an archive does not have.
func (m *Manager) dockerManifest(ctx context.Context, a *archived, doc dockerManifest) (ocispec.Descriptor, error) {
	config, err := a.blob(doc.Config)
	if err != nil {
		return ocispec.Descriptor{}, err
	}
	config.MediaType = images.MediaTypeDockerSchema2Config
	out := ocispec.Manifest{MediaType: images.MediaTypeDockerSchema2Manifest, Config: config}
	out.SchemaVersion = 2
	for _, name := range doc.Layers {
		layer, err := a.blob(name)
		if err != nil {
			return ocispec.Descriptor{}, err
		}
		if layer.MediaType, err = m.layerType(ctx, layer); err != nil {
			return ocispec.Descriptor{}, err
		}
		out.Layers = append(out.Layers, layer)
	}
	return m.ingestJSON(ctx, out.MediaType, out)
}

// blob finds a file of an archive, over at most one link, as `docker save` made them.
func (a *archived) blob(name string) (ocispec.Descriptor, error) {
	name = path.Join("/", name)[1:]
	if to, ok := a.links[name]; ok {
		name = to
	}
	desc, ok := a.blobs[name]
	if !ok {
		return ocispec.Descriptor{}, badArchive("%s is missing", name)
	}
	return desc, nil
}

// layerType tells a layer's media type by its first bytes.
func (m *Manager) layerType(ctx context.Context, layer ocispec.Descriptor) (string, error) {
	r, err := m.content.ReaderAt(ctx, layer)
	if err != nil {
		return "", err
	}
	defer func() { _ = r.Close() }()
	var head [decompress.Head]byte
	n, err := r.ReadAt(head[:], 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return "", err
	}
	switch c := decompress.Kind(head[:n]); c {
	case "":
		return images.MediaTypeDockerSchema2Layer, nil
	case "gzip":
		return images.MediaTypeDockerSchema2LayerGzip, nil
	case "zstd":
		return images.MediaTypeDockerSchema2LayerZstd, nil
	default:
		return "", badArchive("a layer is compressed with %s, which no manifest can say", c)
	}
}
