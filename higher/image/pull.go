package image

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/containerd/v2/core/remotes"
	"github.com/containerd/errdefs"
	"github.com/dhow-containers/dhow/higher/api"
	"github.com/distribution/reference"
	"github.com/moby/moby/api/types/registry"
	digest "github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// ImagePull pulls an image, or with all every tag of a repository. What an earlier pull has brought is not fetched again,
// also when the daemon was killed in it.
func (m *Manager) ImagePull(ctx context.Context, ref string, all bool, p *ocispec.Platform, auth *registry.AuthConfig, progress api.Progress) error {
	named, err := parseRef(ref)
	if err != nil {
		return err
	}
	s, err := m.connect(ctx, named, auth)
	if err != nil {
		return err
	}
	defer s.close()
	pl := &pull{session: s, platform: p, t: &tracker{client: progress}}
	defer pl.t.close()
	if !all || !reference.IsNameOnly(named) {
		return pl.one(ctx, normal(named))
	}
	tags, err := s.tags(ctx, named)
	if statusOf(err) == http.StatusNotFound {
		return api.Errorf(errdefs.ErrNotFound, "repository %s not found: %s", reference.FamiliarName(named), or(said(err), "name unknown"))
	}
	if err != nil {
		return s.askError(named, "Get", "/tags/list", err)
	}
	for _, tag := range tags {
		tagged, err := reference.WithTag(named, tag)
		if err != nil {
			continue // no client could name it
		}
		if err := pl.one(ctx, tagged); err != nil {
			return fmt.Errorf("error pulling %s: %w", tagged, err)
		}
	}
	return nil
}

// normal adds the default tag, and takes a tag away that a digest makes meaningless.
func normal(named reference.Named) reference.Named {
	if d, ok := named.(reference.Digested); ok {
		if only, err := reference.WithDigest(reference.TrimNamed(named), d.Digest()); err == nil {
			return only
		}
	}
	return reference.TagNameOnly(named)
}

// pull is a client's pull.
type pull struct {
	*session
	platform *ocispec.Platform
	t        *tracker
}

// one pulls one tag or digest.
func (pl *pull) one(ctx context.Context, named reference.Named) error {
	m := pl.m
	resolver := pl.resolver(nil)
	desc, err := pl.resolve(ctx, resolver, named)
	if err != nil {
		if isHello(named) && unreachable(err) {
			return pl.embedded(ctx, named, err)
		}
		return pullError(named, unresolved(named, err))
	}
	newer := !m.has(m.in(ctx), named, desc.Digest)
	p := pl.platform
	if !images.IsIndexType(desc.MediaType) {
		p = nil // there is nothing to choose from; whether it fits is asked when a container is made
	}
	if m.whole(m.in(ctx), named.String(), desc, p) {
		pl.began(named)
		_, err = m.name(m.in(ctx), named.String(), desc)
	} else {
		err = pl.fetch(ctx, resolver, named, desc, p)
	}
	if err != nil {
		return err
	}
	pl.t.message("", "Digest: "+desc.Digest.String())
	if newer {
		pl.t.message("", "Status: Downloaded newer image for "+reference.FamiliarString(named))
	} else {
		pl.t.message("", "Status: Image is up to date for "+reference.FamiliarString(named))
	}
	pl.pulled(ctx, named)
	return nil
}

// began tells that there is something to pull.
func (pl *pull) began(named reference.Named) {
	pl.t.message(tagOf(named), "Pulling from "+reference.Path(named))
}

func (pl *pull) pulled(ctx context.Context, named reference.Named) {
	ctx = pl.m.in(ctx)
	if record, err := pl.m.images.Get(ctx, named.String()); err == nil {
		pl.m.emit("pull", reference.FamiliarString(named), pl.m.attributes(ctx, record, reference.FamiliarName(named)))
	}
}

func tagOf(named reference.Named) string {
	switch n := named.(type) {
	case reference.Digested:
		return named.String()
	case reference.Tagged:
		return n.Tag()
	}
	return ""
}

// helloPatience is how long a registry may take to be reached before hello-world comes from the program itself.
const helloPatience = 5 * time.Second

func (pl *pull) resolve(ctx context.Context, resolver remotes.Resolver, named reference.Named) (ocispec.Descriptor, error) {
	if isHello(named) {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, helloPatience)
		defer cancel()
	}
	_, desc, err := resolver.Resolve(ctx, named.String())
	if err == nil {
		err = desc.Digest.Validate()
	}
	return desc, err
}

// unreachable says whether no registry answered.
func unreachable(err error) bool {
	return ofNetwork(err) || errors.Is(err, context.DeadlineExceeded)
}

// has says whether a name, or for one with a digest any, stands for an image already.
func (m *Manager) has(ctx context.Context, named reference.Named, d digest.Digest) bool {
	if _, ok := named.(reference.Digested); ok {
		list, err := m.images.List(ctx, "target.digest=="+d.String())
		return err == nil && len(list) > 0
	}
	record, err := m.images.Get(ctx, named.String())
	return err == nil && record.Target.Digest == d
}

// whole says whether a name stands for an image already, with everything for a platform.
func (m *Manager) whole(ctx context.Context, name string, desc ocispec.Descriptor, p *ocispec.Platform) bool {
	record, err := m.images.Get(ctx, name)
	if err != nil || record.Target.Digest != desc.Digest {
		return false
	}
	list, err := m.manifests(ctx, record.Target)
	if err != nil {
		return false
	}
	best := bestOf(list, p)
	return best != nil && best.available && m.isUnpacked(ctx, best)
}

// fetch brings an image and names it.
func (pl *pull) fetch(ctx context.Context, resolver remotes.Resolver, named reference.Named, desc ocispec.Descriptor, p *ocispec.Platform) error {
	m := pl.m
	ctx, release, err := m.hold(ctx, true)
	if err != nil {
		return err
	}
	defer m.sweeper.soon()
	fetcher, err := resolver.Fetcher(ctx, named.String())
	if err != nil {
		return pullError(named, err)
	}
	f := &fetching{Fetcher: fetcher, m: m, t: pl.t, named: named, began: sync.OnceFunc(func() { pl.began(named) })}
	err = f.run(ctx, desc, p)
	if err == nil {
		err = pl.check(ctx, desc, named, p)
	}
	if err == nil {
		_, err = m.name(ctx, named.String(), desc)
	}
	if err == nil || full(err) {
		release() // else what has come stays for the next attempt
	} else {
		m.letGo(ctx)
	}
	return err
}

// check says why what was pulled is not an image that can be used.
func (pl *pull) check(ctx context.Context, desc ocispec.Descriptor, named reference.Named, p *ocispec.Platform) error {
	list, err := pl.m.manifests(ctx, desc)
	if err != nil {
		return err
	}
	if best := bestOf(list, p); best != nil && best.available {
		return nil
	}
	return fmt.Errorf("cannot pull %s: it is not an image of a container", reference.FamiliarString(named))
}
