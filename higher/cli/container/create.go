package container

import (
	"context"
	"errors"
	"fmt"

	"github.com/containerd/errdefs"
	"github.com/distribution/reference"
	"github.com/moby/moby/client"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/dhow-containers/dhow/higher/cli"
	"github.com/dhow-containers/dhow/higher/cli/opts"
	"github.com/dhow-containers/dhow/higher/cli/stream"
	"github.com/dhow-containers/dhow/higher/cli/transfer"
)

// creation is how a container is made, beside what it is.
type creation struct {
	flags

	command  string // create or run, for errors
	name     string
	pull     string
	platform string
	quiet    bool
}

func (c *creation) register(fs *pflag.FlagSet) {
	fs.SetInterspersed(false)
	fs.StringVar(&c.name, "name", "", "Name of the container")
	fs.StringVar(&c.pull, "pull", "missing", `When to pull the image: "always", "missing" or "never"`)
	fs.StringVar(&c.platform, "platform", "", "Platform of the image, if it has several")
	fs.BoolVarP(&c.quiet, "quiet", "q", false, "Do not show how pulling goes")
	c.flags.register(fs)
}

// Create is `dhow create`.
func Create(a *cli.App) *cobra.Command {
	o := &creation{command: "create"}
	c := &cobra.Command{
		Use: "create [OPTIONS] IMAGE [COMMAND] [ARG...]", Short: "Make a container from an image, but do not start it", Args: cli.AtLeast(1),
		RunE: func(c *cobra.Command, args []string) error {
			r, err := o.prepare(a, args)
			if err != nil {
				return err
			}
			id, err := o.create(c.Context(), a, r)
			if err != nil {
				return err
			}
			fmt.Fprintln(a.Out, id)
			return nil
		},
	}
	o.register(c.Flags())
	completeCreation(a, c)
	return cli.Aliased(c, "container create", "create")
}

// prepare makes the request of the arguments; what is wrong with them is status 125.
func (o *creation) prepare(a *cli.App, args []string) (*request, error) {
	r, err := o.check(a, args)
	if err != nil {
		return nil, &cli.StatusError{Code: 125, Message: cli.WithHelp(err, o.command).Error()}
	}
	return r, nil
}

func (o *creation) check(a *cli.App, args []string) (*request, error) {
	switch o.pull {
	case "always", "missing", "never", "":
	default:
		return nil, fmt.Errorf(`invalid pull option: '%s': must be one of "always", "missing" or "never"`, o.pull)
	}
	e, err := a.Endpoint()
	if err != nil {
		return nil, err
	}
	o.process.env = a.Config().ProxyEnv(e.Host, o.process.env)
	return o.request(args[0], args[1:])
}

// create makes the container, pulling its image if need be, and returns its id.
func (o *creation) create(ctx context.Context, a *cli.App, r *request) (string, error) {
	c, err := a.Client()
	if err != nil {
		return "", err
	}
	var platform *ocispec.Platform
	if o.platform != "" {
		if platform, err = opts.Platform(o.platform); err != nil {
			return "", fmt.Errorf("error parsing specified platform: %w", errors.Unwrap(err))
		}
	}
	file, err := newCIDFile(r.host.ContainerIDFile)
	if err != nil {
		return "", err
	}
	defer file.close()
	ref, err := reference.ParseAnyReference(r.config.Image)
	if err != nil {
		return "", err
	}
	var secrets []byte
	if o.storage.socket {
		if secrets, err = mountSocket(a, r); err != nil {
			return "", err
		}
	}
	if o.pull == "always" {
		if err := o.pullImage(ctx, a, r.config.Image); err != nil {
			return "", err
		}
	}
	h, w := a.Out.Size()
	r.host.ConsoleSize = [2]uint{h, w}
	what := client.ContainerCreateOptions{Config: r.config, HostConfig: r.host, NetworkingConfig: r.networking, Platform: platform, Name: o.name}
	made, err := c.ContainerCreate(ctx, what)
	if named, ok := ref.(reference.Named); ok && errdefs.IsNotFound(err) && o.pull == "missing" {
		if !o.quiet {
			fmt.Fprintf(a.Err, "Unable to find image '%s' locally\n", reference.FamiliarString(reference.TagNameOnly(named)))
		}
		if err := o.pullImage(ctx, a, r.config.Image); err != nil {
			return "", err
		}
		made, err = c.ContainerCreate(ctx, what)
	}
	if err != nil {
		return "", err
	}
	if secrets != nil {
		if err := putSecrets(ctx, c, made.ID, secrets); err != nil {
			made.Warnings = append(made.Warnings, fmt.Sprintf("cannot give the container the credentials: %v", err))
		}
	}
	for _, w := range made.Warnings {
		fmt.Fprintln(a.Err, "WARNING:", w)
	}
	return made.ID, file.write(made.ID)
}

func (o *creation) pullImage(ctx context.Context, a *cli.App, image string) error {
	show := a.ErrOut() // standard output is for the id or the container's
	if o.quiet {
		show = stream.Discard()
	}
	return transfer.Pull(ctx, a, transfer.PullOptions{Image: image, Platform: o.platform, Show: show})
}
