package image

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/containerd/v2/core/remotes"
	"github.com/containerd/containerd/v2/core/remotes/docker"
	"github.com/containerd/containerd/v2/core/unpack"
	"github.com/containerd/errdefs"
	"github.com/containerd/platforms"
	"github.com/dhow-containers/dhow/higher/api"
	"github.com/distribution/reference"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/sync/semaphore"
	"golang.org/x/sys/unix"
)

const (
	fetchers = 6 // layers that are fetched at a time
	attempts = 5 // at a layer, as in Docker
)

// fetching brings the blobs of one image, and has its layers unpacked as they come.
type fetching struct {
	remotes.Fetcher
	m     *Manager
	t     *tracker
	named reference.Named
	began func() // once there is a manifest that fits
}

// run fetches and unpacks.
func (f *fetching) run(ctx context.Context, desc ocispec.Descriptor, p *ocispec.Platform) error {
	u, err := f.m.unpacker(ctx, &hooks{
		extracting: func(layer ocispec.Descriptor, n int64) { f.t.progress(layer, "Extracting", n) },
		unpacked:   func(chainID string) { f.t.finish(chainID, "Pull complete") },
	}, unpack.WithLimiter(semaphore.NewWeighted(fetchers)), unpack.WithFetchAllContent())
	if err != nil {
		return err
	}
	var match platforms.MatchComparer = platforms.Only(Host())
	if p != nil {
		match = platforms.Only(*p)
	}
	children := images.SetChildrenLabels(f.m.content, images.ChildrenHandler(f.m.content))
	children = images.LimitManifests(images.FilterPlatforms(children, match), match, 1)
	source, err := docker.AppendDistributionSourceLabel(f.m.content, f.named.String())
	if err != nil {
		return err
	}
	handler := images.Handlers(images.HandlerFunc(f.handle), source, f.announce(children))
	err = images.Dispatch(ctx, u.Unpack(handler), nil, desc)
	if _, e := u.Wait(); err == nil {
		err = e
	}
	if err != nil {
		return f.explain(err, p)
	}
	return nil
}

// explain puts an error into Docker's words.
func (f *fetching) explain(err error, p *ocispec.Platform) error {
	if errdefs.IsNotFound(err) && strings.Contains(err.Error(), "no match for platform") {
		spec := Host()
		if p != nil {
			spec = *p
		}
		return api.Errorf(errdefs.ErrNotFound, "no matching manifest for %s in the manifest list entries: %v", platforms.FormatAll(spec), err)
	}
	if full(err) {
		return api.Errorf(unix.ENOSPC, "cannot pull %s: no space left on device", reference.FamiliarString(f.named))
	}
	var e *layerError
	if errors.As(err, &e) || strings.Contains(err.Error(), "wrong diff id") {
		return unpackError(err)
	}
	return pullError(f.named, err)
}

// full says whether there was no space for something.
func full(err error) bool { return errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT) }

// handle fetches one blob.
func (f *fetching) handle(ctx context.Context, desc ocispec.Descriptor) ([]ocispec.Descriptor, error) {
	if desc.MediaType == images.MediaTypeDockerSchema1Manifest {
		return nil, api.Errorf(errdefs.ErrInvalidArgument, "cannot pull %s: its manifest is of schema 1, which is no longer supported", reference.FamiliarString(f.named))
	}
	if !images.IsLayerType(desc.MediaType) {
		if desc.Size > maxDocument {
			return nil, api.Errorf(errdefs.ErrInvalidArgument, "cannot pull %s: %s has %d bytes, more than the %d that a manifest or config may have", reference.FamiliarString(f.named), desc.Digest, desc.Size, maxDocument)
		}
		return nil, f.fetch(ctx, desc)
	}
	l := f.t.layer(desc)
	for n := 1; ; n++ {
		err := f.fetch(ctx, desc)
		if err == nil {
			if l != nil {
				f.t.downloaded(l)
			}
			return nil, nil
		}
		if n == attempts || !transient(ctx, err) {
			return nil, err
		}
		if err := f.retry(ctx, l, n); err != nil {
			return nil, err
		}
	}
}

// retry waits before another attempt, longer each time.
func (f *fetching) retry(ctx context.Context, l *tracked, n int) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for left := 2 * n; left > 0; left-- {
		plural := "s"
		if left == 1 {
			plural = ""
		}
		if l != nil {
			f.t.say(l, fmt.Sprintf("Retrying in %d second%s", left, plural))
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// transient says whether another attempt may help.
func transient(ctx context.Context, err error) bool {
	return ctx.Err() == nil && (ofNetwork(err) || errors.Is(err, io.ErrUnexpectedEOF) || statusOf(err) >= 500)
}

// ofNetwork says whether an error is one of a connection. (That it is a net.Error would not tell: so is each errno.)
func ofNetwork(err error) bool {
	var op *net.OpError
	var request *url.Error
	return errors.As(err, &op) || errors.As(err, &request)
}

// fetch stores a blob, from where an earlier attempt has ended. One that is not what its digest says is thrown away.
func (f *fetching) fetch(ctx context.Context, desc ocispec.Descriptor) error {
	err := remotes.Fetch(ctx, f.m.content, f, desc)
	if errdefs.IsAlreadyExists(err) {
		return nil
	}
	if err != nil && broken(err) {
		_ = f.m.content.Abort(context.WithoutCancel(ctx), remotes.MakeRefKey(ctx, desc))
		return api.Errorf(errdefs.ErrDataLoss, "filesystem layer verification failed for digest %s: %v", desc.Digest, err)
	}
	return err
}

// Fetch opens a blob of the registry; it is what is behind remotes.Fetch.
func (f *fetching) Fetch(ctx context.Context, desc ocispec.Descriptor) (io.ReadCloser, error) {
	r, err := f.Fetcher.Fetch(ctx, desc)
	if l := f.t.layer(desc); err == nil && l != nil {
		return &download{ReadCloser: r, t: f.t, l: l, desc: desc}, nil
	}
	return r, err
}

// download tells how far a blob is.
type download struct {
	io.ReadCloser
	t    *tracker
	l    *tracked
	desc ocispec.Descriptor
	n    int64
}

func (d *download) Read(p []byte) (int, error) {
	n, err := d.ReadCloser.Read(p)
	if d.n += int64(n); n > 0 {
		d.t.progress(d.desc, "Downloading", d.n)
		if d.n == d.desc.Size {
			d.t.say(d.l, "Verifying Checksum")
		}
	}
	return n, err
}

// Seek begins in the middle, where an earlier attempt ended.
func (d *download) Seek(offset int64, whence int) (int64, error) {
	s, ok := d.ReadCloser.(io.Seeker)
	if !ok {
		return 0, errors.New("internal error: a registry's blob cannot be read from the middle")
	}
	n, err := s.Seek(offset, whence)
	if err == nil {
		d.n = n
	}
	return n, err
}
