package manifest

import (
	"fmt"
	"slices"

	"github.com/containerd/errdefs"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/spf13/cobra"

	"github.com/dhow-containers/dhow/higher/cli"
)

// Annotate is `dhow manifest annotate`.
func Annotate(a *cli.App) *cobra.Command {
	var p ocispec.Platform
	c := &cobra.Command{
		Use: "annotate [OPTIONS] MANIFEST_LIST MANIFEST", Short: "Say more about an image of a local manifest list", Args: cli.Exact(2), ValidArgsFunction: listAndImage(a),
		RunE: func(_ *cobra.Command, args []string) error { return annotate(a, args[0], args[1], &p) },
	}
	fs := c.Flags()
	fs.StringVar(&p.OS, "os", "", "Operating system")
	fs.StringVar(&p.Architecture, "arch", "", "Architecture")
	fs.StringVar(&p.OSVersion, "os-version", "", "Version of the operating system")
	fs.StringSliceVar(&p.OSFeatures, "os-features", nil, "Features that the operating system must have, besides those known")
	fs.StringVar(&p.Variant, "variant", "", "Variant of the architecture")
	cli.CompletedFlag(c, "os", cli.Fixed(systems()...))
	cli.CompletedFlag(c, "arch", cli.Fixed(architectures()...))
	for _, f := range []string{"os-version", "os-features", "variant"} {
		cli.CompletedFlag(c, f, cli.Fixed())
	}
	return c
}

func annotate(a *cli.App, listName, imageName string, p *ocispec.Platform) error {
	list, err := parse(listName)
	if err != nil {
		return fmt.Errorf("annotate: error parsing name for manifest list %s: %w", listName, err)
	}
	image, err := parse(imageName)
	if err != nil {
		return fmt.Errorf("annotate: error parsing name for manifest %s: %w", imageName, err)
	}
	i, err := store(a).Get(list, image)
	switch {
	case errdefs.IsNotFound(err):
		return fmt.Errorf("manifest for image %s does not exist in %s", imageName, listName)
	case err != nil:
		return err
	}
	if i.Descriptor.Platform == nil {
		i.Descriptor.Platform = &ocispec.Platform{}
	}
	merge(i.Descriptor.Platform, p)
	if !known(i.Descriptor.Platform) {
		return fmt.Errorf("manifest entry for image has unsupported os/arch combination: %s/%s", p.OS, p.Architecture)
	}
	return store(a).Save(list, image, i)
}

// merge enters what is said in p.
func merge(to, p *ocispec.Platform) {
	for _, f := range []struct {
		to   *string
		said string
	}{{&to.OS, p.OS}, {&to.Architecture, p.Architecture}, {&to.OSVersion, p.OSVersion}, {&to.Variant, p.Variant}} {
		if f.said != "" {
			*f.to = f.said
		}
	}
	for _, f := range p.OSFeatures {
		if !slices.Contains(to.OSFeatures, f) {
			to.OSFeatures = append(to.OSFeatures, f)
		}
	}
}
