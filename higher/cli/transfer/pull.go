package transfer

import (
	"context"
	"io"

	"github.com/moby/moby/api/types/jsonstream"
	"github.com/moby/moby/client"
	"github.com/moby/moby/client/pkg/jsonmessage"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/dhow-containers/dhow/higher/cli"
	"github.com/dhow-containers/dhow/higher/cli/opts"
	"github.com/dhow-containers/dhow/higher/cli/stream"
)

// PullOptions say what to pull. Show is where progress goes.
type PullOptions struct {
	Image    string
	Platform string
	All      bool
	Show     *stream.Out
}

// Pull pulls an image.
func Pull(ctx context.Context, a *cli.App, o PullOptions) error {
	c, err := a.Client()
	if err != nil {
		return err
	}
	auth, err := Auth(a, o.Image)
	if err != nil {
		return err
	}
	p := client.ImagePullOptions{All: o.All, RegistryAuth: auth}
	if o.Platform != "" {
		parsed, err := opts.Platform(o.Platform)
		if err != nil {
			return err
		}
		p.Platforms = []ocispec.Platform{*parsed}
	}
	r, err := c.ImagePull(ctx, o.Image, p)
	if err != nil {
		return err
	}
	defer r.Close()
	return Display(r, o.Show, nil)
}

// Display shows a stream of progress: lines that are drawn again on a terminal, one after the other else. What is in the
// stream beside it goes to aux, which may be nil.
func Display(r io.Reader, out *stream.Out, aux func(jsonstream.Message)) error {
	return jsonmessage.DisplayJSONMessagesStream(r, out, out.Fd(), out.IsTerminal(), aux)
}
