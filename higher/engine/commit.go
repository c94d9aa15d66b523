package engine

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/containerd/errdefs"
	"github.com/distribution/reference"
	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
	types "github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/events"
	"github.com/opencontainers/go-digest"

	"github.com/dhow-containers/dhow/higher/api"
	"github.com/dhow-containers/dhow/higher/build/changes"
	"github.com/dhow-containers/dhow/higher/container"
	"github.com/dhow-containers/dhow/higher/image"
)

// ContainerCommit makes an image of what a container has changed. The container stands still meanwhile, if o.Pause.
func (e *Engine) ContainerCommit(ctx context.Context, o api.CommitOptions) (types.CommitResponse, error) {
	r, err := e.containers.Record(o.Container)
	if err != nil {
		return types.CommitResponse{}, err
	}
	ref, err := commitReference(o.Repo, o.Tag)
	if err != nil {
		return types.CommitResponse{}, err
	}
	config := imageConfig(r.Config)
	if o.Config != nil {
		config = overlay(imageConfig(o.Config), config)
	}
	if err := changes.Apply(config, o.Changes); err != nil {
		return types.CommitResponse{}, err
	}
	request := image.CommitRequest{Container: r.ID, Config: config, CreatedBy: strings.Join(r.Config.Cmd, " "), Author: o.Author, Comment: o.Comment, Ref: ref}
	// The image may have been removed by force: then there is no parent.
	if request.Parent, err = e.images.Resolve(ctx, r.Image.String(), &r.Platform); err != nil && !errdefs.IsNotFound(err) {
		return types.CommitResponse{}, err
	}
	var id digest.Digest
	commit := func(*container.Record) (err error) {
		id, err = e.images.Commit(ctx, request)
		return err
	}
	if o.Pause {
		err = e.containers.WhilePaused(ctx, r.ID, commit)
	} else {
		err = commit(r)
	}
	if err != nil {
		return types.CommitResponse{}, err
	}
	attributes := map[string]string{"comment": o.Comment, "imageID": id.String(), "imageRef": familiar(ref), "name": r.Name, "image": r.Config.Image}
	maps.Copy(attributes, r.Config.Labels)
	e.bus.Publish(events.ContainerEventType, events.ActionCommit, r.ID, attributes)
	return types.CommitResponse{ID: id.String()}, nil
}

// familiar is a reference as users write it; "" for none.
func familiar(ref string) string {
	named, err := reference.ParseNormalizedNamed(ref)
	if err != nil {
		return ""
	}
	return reference.FamiliarString(named)
}

// commitReference is the name of the image, "" for none.
func commitReference(repo, tag string) (string, error) {
	if repo == "" {
		return "", nil
	}
	named, err := reference.ParseNormalizedNamed(repo)
	if err == nil && tag != "" {
		named, err = reference.WithTag(reference.TrimNamed(named), tag)
	}
	if err != nil {
		return "", errdefs.ErrInvalidArgument.WithMessage(fmt.Sprintf("invalid reference format: %v", err))
	}
	if _, ok := named.(reference.Digested); ok {
		return "", errdefs.ErrInvalidArgument.WithMessage("cannot commit to a name with a digest")
	}
	return reference.TagNameOnly(named).String(), nil
}

// imageConfig is a container's config as an image has it.
func imageConfig(c *types.Config) *dockerspec.DockerOCIImageConfig {
	out := &dockerspec.DockerOCIImageConfig{}
	out.User, out.Env, out.Entrypoint, out.Cmd = c.User, slices.Clone(c.Env), slices.Clone(c.Entrypoint), slices.Clone(c.Cmd)
	out.WorkingDir, out.StopSignal, out.Labels, out.Volumes = c.WorkingDir, c.StopSignal, maps.Clone(c.Labels), maps.Clone(c.Volumes)
	out.Healthcheck, out.OnBuild, out.Shell = c.Healthcheck, slices.Clone(c.OnBuild), slices.Clone(c.Shell)
	if len(c.ExposedPorts) > 0 {
		out.ExposedPorts = map[string]struct{}{}
		for p := range c.ExposedPorts {
			out.ExposedPorts[p.String()] = struct{}{}
		}
	}
	return out
}

// overlay puts what a client wants of the image over what the container has.
func overlay(over, under *dockerspec.DockerOCIImageConfig) *dockerspec.DockerOCIImageConfig {
	out := *under
	for _, f := range []struct{ to, from *string }{{&out.User, &over.User}, {&out.WorkingDir, &over.WorkingDir}, {&out.StopSignal, &over.StopSignal}} {
		if *f.from != "" {
			*f.to = *f.from
		}
	}
	if len(over.Entrypoint) > 0 { // the command that there was is for the old one
		out.Entrypoint, out.Cmd = over.Entrypoint, nil
	}
	if len(over.Cmd) > 0 {
		out.Cmd = over.Cmd
	}
	out.Env = mergeEnv(under.Env, over.Env)
	out.Labels = merged(under.Labels, over.Labels)
	out.Volumes = merged(under.Volumes, over.Volumes)
	out.ExposedPorts = merged(under.ExposedPorts, over.ExposedPorts)
	if over.Healthcheck != nil {
		out.Healthcheck = over.Healthcheck
	}
	return &out
}

func merged[V any](under, over map[string]V) map[string]V {
	if len(over) == 0 {
		return under
	}
	out := maps.Clone(under)
	if out == nil {
		out = map[string]V{}
	}
	maps.Copy(out, over)
	return out
}

// mergeEnv adds the variables of under that over does not set.
func mergeEnv(under, over []string) []string {
	out := slices.Clone(over)
	for _, entry := range under {
		key, _, _ := strings.Cut(entry, "=")
		if !slices.ContainsFunc(over, func(o string) bool { return strings.HasPrefix(o, key+"=") }) {
			out = append(out, entry)
		}
	}
	return out
}
