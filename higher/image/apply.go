package image

import (
	"archive/tar"
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/diff"
	"github.com/containerd/containerd/v2/core/mount"
	"github.com/containerd/containerd/v2/pkg/archive"
	"github.com/dhow-containers/dhow/higher/decompress"
	digest "github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// contentReader is what is read from while layers are unpacked.
type contentReader = content.Provider

// Apply unpacks a layer into where a snapshot's changes are, and returns its description without compression: the
// unpacker compares it with the diff id of the config.
//
// containerd's archive.Apply resolves each path inside of the directory, link by link, so that neither `..` nor a link of
// the layer leads out of it, replaces a link rather than follows it, and refuses trusted attributes and whiteouts of what
// is not below a directory. The directory is root's alone while that goes on.
func (x *extraction) Apply(ctx context.Context, desc ocispec.Descriptor, mounts []mount.Mount, _ ...diff.ApplyOpt) (ocispec.Descriptor, error) {
	dir, overlay, err := destination(mounts)
	if err != nil {
		return ocispec.Descriptor{}, err
	}
	out, err := x.apply(ctx, desc, dir, overlay)
	if err != nil {
		return ocispec.Descriptor{}, &layerError{desc.Digest, strings.ReplaceAll(err.Error(), dir, ""), err}
	}
	return out, nil
}

func (x *extraction) apply(ctx context.Context, desc ocispec.Descriptor, dir string, overlay bool) (ocispec.Descriptor, error) {
	blob, err := x.content.ReaderAt(ctx, desc)
	if err != nil {
		return ocispec.Descriptor{}, err
	}
	defer func() { _ = blob.Close() }()
	read := &counter{Reader: content.NewReader(blob), heard: func(n int64) {
		if x.hooks.extracting != nil {
			x.hooks.extracting(desc, n)
		}
	}}
	plain, err := decompress.Layer(bufio.NewReaderSize(read, 256<<10))
	if err != nil {
		return ocispec.Descriptor{}, err
	}
	ahead := newReadAhead(plain)
	defer ahead.Close()
	digester := digest.Canonical.Digester()
	sum := &counter{Reader: io.TeeReader(ahead, digester.Hash())}
	w := newWatcher()
	opts := []archive.ApplyOpt{archive.WithFilter(w.filter)}
	if overlay {
		opts = append(opts, archive.WithConvertWhiteout(archive.OverlayConvertWhiteout))
	}
	if _, err := archive.Apply(ctx, dir, sum, opts...); err != nil {
		return ocispec.Descriptor{}, err
	}
	if _, err := io.Copy(io.Discard, sum); err != nil { // what pads the archive belongs to the digest
		return ocispec.Descriptor{}, err
	}
	if overlay {
		x.mu.Lock()
		x.implied[dir] = w.implied()
		x.mu.Unlock()
	}
	return ocispec.Descriptor{MediaType: ocispec.MediaTypeImageLayer, Size: sum.n, Digest: digester.Digest()}, nil
}

// destination is the directory in which a snapshot's changes are, and whether it becomes a part of an overlay.
func destination(mounts []mount.Mount) (dir string, overlay bool, err error) {
	if len(mounts) != 1 {
		return "", false, fmt.Errorf("internal error: a snapshot has %d mounts", len(mounts))
	}
	switch m := mounts[0]; m.Type {
	case "bind":
		return m.Source, false, nil
	case "overlay":
		for _, o := range m.Options {
			if upper, ok := strings.CutPrefix(o, "upperdir="); ok {
				return upper, true, nil
			}
		}
	}
	return "", false, errors.New("internal error: a snapshot that is unpacked into has no directory for it")
}

// counter counts what is read, and tells of it.
type counter struct {
	io.Reader
	n     int64
	heard func(int64)
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.n += int64(n)
	if c.heard != nil && n > 0 {
		c.heard(c.n)
	}
	return n, err
}

// watcher looks at the entries of a layer.
type watcher struct {
	listed map[string]bool // directories that have an entry
	passed map[string]bool // directories that something lies in
}

func newWatcher() *watcher { return &watcher{listed: map[string]bool{}, passed: map[string]bool{}} }

// filter takes out of an entry what would tell the overlay file system something that only whiteouts may.
func (w *watcher) filter(h *tar.Header) (bool, error) {
	for key := range h.PAXRecords {
		if strings.HasPrefix(key, "SCHILY.xattr.trusted.") || strings.HasPrefix(key, "SCHILY.xattr.user.overlay.") {
			delete(h.PAXRecords, key)
		}
	}
	name := path.Join("/", h.Name)
	if h.Typeflag == tar.TypeDir {
		w.listed[name] = true
	}
	for dir := path.Dir(name); dir != "/" && !w.passed[dir]; dir = path.Dir(dir) {
		w.passed[dir] = true
	}
	return true, nil
}

// implied are the directories that have no entry of their own: what they are is the matter of the layers below.
func (w *watcher) implied() (dirs []string) {
	for dir := range w.passed {
		if !w.listed[dir] {
			dirs = append(dirs, dir)
		}
	}
	return dirs
}
