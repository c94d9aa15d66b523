package image

import (
	"context"
	"encoding/json"
	"fmt"
	"sort"
	"time"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/containerd/v2/core/remotes"
	"github.com/containerd/containerd/v2/core/remotes/docker"
	"github.com/containerd/errdefs"
	"github.com/containerd/platforms"
	"github.com/dhow-containers/dhow/higher/api"
	"github.com/distribution/reference"
	"github.com/moby/moby/api/types/registry"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// ImagePush pushes a tag, or with all every tag of a repository. Of an image for several platforms, one is pushed if it is
// asked for, or if others are not there.
func (m *Manager) ImagePush(ctx context.Context, ref string, all bool, p *ocispec.Platform, auth *registry.AuthConfig, progress api.Progress) error {
	named, err := parseRef(ref)
	if err != nil {
		return err
	}
	if _, ok := named.(reference.Digested); ok {
		return api.Errorf(errdefs.ErrInvalidArgument, "cannot push a digest reference")
	}
	ctx, release, err := m.hold(ctx, false)
	if err != nil {
		return err
	}
	defer release()
	t := &tracker{client: progress}
	defer t.close()
	t.message("", fmt.Sprintf("The push refers to repository [%s]", named.Name()))
	records, err := m.toPush(ctx, named, all)
	if err != nil {
		return err
	}
	s, err := m.connect(ctx, named, auth)
	if err != nil {
		return err
	}
	defer s.close()
	for _, record := range records {
		ps := &push{session: s, t: t, record: record, tracker: docker.NewInMemoryTracker()}
		if err := ps.run(ctx, p); err != nil {
			return transferError(err)
		}
	}
	return nil
}

// toPush finds the records that a client means.
func (m *Manager) toPush(ctx context.Context, named reference.Named, all bool) ([]images.Image, error) {
	if !all {
		named = reference.TagNameOnly(named)
	}
	list, err := m.images.List(ctx)
	if err != nil {
		return nil, fmt.Errorf("cannot read the image database: %w", err)
	}
	var out []images.Image
	for _, record := range list {
		n, err := reference.ParseNormalizedNamed(record.Name)
		if err != nil || n.Name() != named.Name() || isDangling(record.Name) {
			continue
		}
		if _, ok := n.(reference.Tagged); ok && (all || record.Name == named.String()) {
			out = append(out, record)
		}
	}
	switch {
	case len(out) == 0 && !all:
		return nil, api.Errorf(errdefs.ErrNotFound, "tag does not exist: %s", reference.FamiliarString(named))
	case len(out) == 0:
		return nil, api.Errorf(errdefs.ErrNotFound, "An image does not exist locally with the tag: %s", reference.FamiliarName(named))
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Name < out[j].Name })
	return out, nil
}

// push is the push of one tag.
type push struct {
	*session
	t       *tracker
	record  images.Image
	tracker docker.StatusTracker
}

func (ps *push) run(ctx context.Context, p *ocispec.Platform) error {
	named, err := parseRef(ps.record.Name)
	if err != nil {
		return err
	}
	target, note, err := ps.choose(ctx, p)
	if err != nil {
		return err
	}
	if err := ps.prepare(ctx, target); err != nil {
		return err
	}
	pusher, err := ps.resolver(ps.tracker).Pusher(ctx, named.String()+"@"+target.Digest.String())
	if err != nil {
		return err
	}
	store := &uploads{Store: ps.m.content, t: ps.t}
	if err := remotes.PushContent(ctx, pusher, target, store, nil, platforms.All, ps.told); err != nil {
		return err
	}
	ps.remember(ctx, named, target)
	if note != "" {
		ps.t.message("", note)
	}
	ps.finish(named, target)
	ps.m.emit("push", reference.FamiliarString(named), ps.m.attributes(ctx, ps.record, reference.FamiliarName(named)))
	return nil
}

// choose finds what is pushed: the whole image if it is all there, else one manifest.
func (ps *push) choose(ctx context.Context, p *ocispec.Platform) (target ocispec.Descriptor, note string, err error) {
	list, err := ps.m.manifests(ctx, ps.record.Target)
	if err != nil {
		return target, "", err
	}
	whole := true
	for i := range list {
		whole = whole && list[i].available
	}
	if p == nil && whole {
		return ps.record.Target, "", nil
	}
	best := bestOf(list, p)
	switch {
	case best == nil && p != nil:
		_, err := ps.m.choose(ctx, ps.record.Target, p, familiar(ps.record))
		return target, "", err
	case best == nil || !best.available:
		return target, "", api.Errorf(errdefs.ErrNotFound, "cannot push %s: content of it is missing here", familiar(ps.record))
	}
	if p == nil {
		note = "Not all multiplatform-content is present and only the available single-platform image was pushed"
	}
	return best.desc, note, nil
}

// prepare finds which layers are to be pushed, and tells of those that wait for a registry.
func (ps *push) prepare(ctx context.Context, target ocispec.Descriptor) error {
	list, err := ps.m.manifests(ctx, target)
	if err != nil {
		return err
	}
	all := &manifest{}
	for i := range list {
		all.layers = append(all.layers, list[i].layers...)
	}
	ps.t.add(all)
	time.AfterFunc(progressEvery, func() { ps.t.waiting("Waiting") })
	return nil
}

// told has a client hear what becomes of each layer.
func (ps *push) told(next images.Handler) images.Handler {
	return images.HandlerFunc(func(ctx context.Context, desc ocispec.Descriptor) ([]ocispec.Descriptor, error) {
		children, err := next.Handle(ctx, desc)
		l := ps.t.layer(desc)
		if err != nil || l == nil {
			return children, err
		}
		status, e := ps.tracker.GetStatus(remotes.MakeRefKey(ctx, desc))
		switch {
		case e == nil && status.MountedFrom != "":
			from := status.MountedFrom
			if named, err := parseRef(from); err == nil {
				from = reference.Path(named)
			}
			ps.t.say(l, "Mounted from "+from)
		case e == nil && status.Exists:
			ps.t.say(l, "Layer already exists")
		default:
			ps.t.say(l, "Pushed")
		}
		return children, nil
	})
}

// remember notes where the blobs are now, so that a push to another repository of the registry need not send them.
func (ps *push) remember(ctx context.Context, named reference.Named, target ocispec.Descriptor) {
	label, err := docker.AppendDistributionSourceLabel(ps.m.content, named.String())
	if err == nil {
		err = images.Walk(ctx, images.Handlers(label, images.ChildrenHandler(ps.m.content)), target)
	}
	if err != nil {
		ps.m.log.Warn("cannot note where an image was pushed to", "image", named.String(), "error", err)
	}
}

// finish tells what the tag is now.
func (ps *push) finish(named reference.Named, target ocispec.Descriptor) {
	tag := tagOf(named)
	ps.t.message("", fmt.Sprintf("%s: digest: %s size: %d", tag, target.Digest, target.Size))
	raw, err := json.Marshal(map[string]any{"Tag": tag, "Digest": target.Digest, "Size": target.Size})
	if err == nil {
		ps.t.aux(raw)
	}
}

// uploads is a content store that tells how far a blob that is pushed has been read.
type uploads struct {
	content.Store
	t *tracker
}

func (u *uploads) ReaderAt(ctx context.Context, desc ocispec.Descriptor) (content.ReaderAt, error) {
	r, err := u.Store.ReaderAt(ctx, desc)
	if err == nil && u.t.layer(desc) != nil {
		return &upload{ReaderAt: r, u: u, desc: desc}, nil
	}
	return r, err
}

type upload struct {
	content.ReaderAt
	u    *uploads
	desc ocispec.Descriptor
}

func (r *upload) ReadAt(p []byte, off int64) (int, error) {
	n, err := r.ReaderAt.ReadAt(p, off)
	if n > 0 {
		r.u.t.progress(r.desc, "Pushing", off+int64(n))
	}
	return n, err
}
