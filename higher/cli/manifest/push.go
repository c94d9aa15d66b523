package manifest

import (
	"context"
	"fmt"

	"github.com/distribution/reference"
	"github.com/spf13/cobra"

	"github.com/dhow-containers/dhow/higher/cli"
	"github.com/dhow-containers/dhow/higher/cli/manifest/lists"
	"github.com/dhow-containers/dhow/higher/cli/manifest/remote"
)

// Push is `dhow manifest push`.
func Push(a *cli.App) *cobra.Command {
	var purge, insecure bool
	c := &cobra.Command{
		Use: "push [OPTIONS] MANIFEST_LIST", Short: "Put a manifest list into a registry", Args: cli.Exact(1), ValidArgsFunction: cli.CompletedFirst(names(a)),
		RunE: func(cmd *cobra.Command, args []string) error {
			ref, err := parse(args[0])
			if err != nil {
				return err
			}
			if err := push(cmd.Context(), a, ref, insecure); err != nil || !purge {
				return err
			}
			return store(a).Remove(ref)
		},
	}
	c.Flags().BoolVarP(&purge, "purge", "p", false, "Remove the local list when it is pushed")
	insecureFlag(c, &insecure)
	return c
}

func push(ctx context.Context, a *cli.App, ref reference.Named, insecure bool) error {
	images, err := store(a).List(ref)
	if err != nil {
		return err
	}
	for _, i := range images {
		if p := i.Descriptor.Platform; p == nil || p.Architecture == "" || p.OS == "" {
			return fmt.Errorf("manifest %s must have an OS and Architecture to be pushed to a registry", i.Ref)
		}
	}
	mediaType, raw, err := assemble(ref, images)
	if err != nil {
		return err
	}
	r := registries(a, insecure)
	if err := lend(ctx, a, r, ref, images); err != nil {
		return err
	}
	d, err := r.Put(ctx, ref, mediaType, raw)
	if err != nil {
		return err
	}
	fmt.Fprintln(a.Out, d)
	return nil
}

// lend brings images of other repositories into that of the list: all their blobs first, without moving content, and then the
// manifests.
func lend(ctx context.Context, a *cli.App, r *remote.Client, ref reference.Named, images []*lists.Image) error {
	var foreign []*lists.Image
	for _, i := range images {
		if reference.Path(i.Ref) != reference.Path(ref) {
			foreign = append(foreign, i)
		}
	}
	raws := make([][]byte, len(foreign))
	for n, i := range foreign {
		var err error
		if raws[n], err = i.Payload(); err != nil {
			return err
		}
	}
	for _, i := range foreign {
		if err := mount(ctx, r, ref, i); err != nil {
			return err
		}
	}
	for n, i := range foreign {
		to, err := reference.WithDigest(reference.TrimNamed(ref), i.Descriptor.Digest)
		if err != nil {
			return err
		}
		d, err := r.Put(ctx, to, i.Descriptor.MediaType, raws[n])
		if err != nil {
			return err
		}
		fmt.Fprintf(a.Out, "Pushed ref %s with digest: %s\n", to, d)
	}
	return nil
}

// mount brings the blobs of an image into the repository of the list. Layers of Windows may lie elsewhere, and cannot be mounted.
func mount(ctx context.Context, r *remote.Client, ref reference.Named, i *lists.Image) error {
	blobs, err := i.Blobs()
	if err != nil {
		return err
	}
	from := reference.Path(i.Ref)
	for _, b := range blobs {
		mounted, err := r.Mount(ctx, b, from, ref)
		if err != nil {
			return err
		}
		if !mounted && i.Descriptor.Platform.OS != "windows" {
			return fmt.Errorf("error mounting %s@%s to %s", from, b, ref)
		}
	}
	return nil
}
