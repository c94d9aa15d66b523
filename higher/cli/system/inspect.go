package system

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/client"
	"github.com/spf13/cobra"

	"github.com/dhow-containers/dhow/higher/cli"
	"github.com/dhow-containers/dhow/higher/cli/complete"
	"github.com/dhow-containers/dhow/higher/cli/format"
	"github.com/dhow-containers/dhow/higher/cli/inspect"
)

// kinds is the order in which a name is looked up. Those of a swarm come to nothing here, unless asked for.
var kinds = []string{"container", "image", "network", "volume", "service", "task", "node", "plugin", "secret", "config"}

// Inspect is `dhow inspect`.
func Inspect(a *cli.App) *cobra.Command {
	var source, kind string
	var size bool
	c := &cobra.Command{
		Use: "inspect [OPTIONS] NAME|ID [NAME|ID...]", Short: "Show all about anything", Args: cli.AtLeast(1), ValidArgsFunction: cli.Completed(complete.Containers(a, nil)),
		RunE: func(cmd *cobra.Command, args []string) error {
			if cmd.Flags().Changed("type") && kind == "" {
				return fmt.Errorf(`type is empty: must be one of "%s"`, strings.Join(sortedKinds(), `", "`))
			}
			if kind != "" && !slices.Contains(kinds, kind) {
				return fmt.Errorf(`unknown type: %q: must be one of "%s"`, kind, strings.Join(sortedKinds(), `", "`))
			}
			c, err := a.Client()
			if err != nil {
				return err
			}
			s := &search{ctx: cmd.Context(), app: a, client: c, size: size}
			return inspect.Each(a.Out, args, source, func(name string) (format.Inspected, error) { return s.find(name, kind) })
		},
	}
	inspect.Format(c, &source)
	c.Flags().StringVar(&kind, "type", "", "Look only at things of one type")
	c.Flags().BoolVarP(&size, "size", "s", false, "Show the size of the files of containers, too")
	cli.CompletedFlag(c, "type", cli.Fixed(kinds...))
	return c
}

func sortedKinds() []string { return slices.Sorted(slices.Values(kinds)) }

type search struct {
	ctx    context.Context
	app    *cli.App
	client *client.Client
	size   bool
}

func (s *search) find(name, kind string) (format.Inspected, error) {
	swarm := ""
	for _, k := range kinds {
		if kind != "" && k != kind {
			continue
		}
		if kind == "" && slices.Contains([]string{"service", "task", "node", "secret", "config"}, k) {
			if swarm == "" {
				swarm = s.swarm()
			}
			if swarm == "no" {
				continue
			}
		}
		o, err := s.get(k, name)
		if err == nil {
			if s.size && k != "container" {
				fmt.Fprintf(s.app.Err, "WARNING: --size ignored for %s\n", plural(k))
			}
			return o, nil
		}
		if kind != "" || !elsewhere(err) {
			return o, err
		}
	}
	return format.Inspected{}, cli.Capital("Error: No such object: " + name)
}

// swarm says whether things of a swarm can be asked for; the daemon is asked once a name.
func (s *search) swarm() string {
	r, err := s.client.Info(s.ctx, client.InfoOptions{})
	if err == nil && r.Info.Swarm.ControlAvailable {
		return "yes"
	}
	if err != nil {
		fmt.Fprintln(s.app.Err, err)
	}
	return "no"
}

// elsewhere tells whether an error says only that the thing is of another type.
func elsewhere(err error) bool {
	return errdefs.IsNotFound(err) || strings.Contains(err.Error(), "not supported") || strings.Contains(err.Error(), "invalid reference format")
}

func plural(kind string) string { return kind + "s" }

func (s *search) get(kind, name string) (o format.Inspected, err error) {
	switch kind {
	case "container":
		r, err := s.client.ContainerInspect(s.ctx, name, client.ContainerInspectOptions{Size: s.size})
		return format.Inspected{Value: r.Container, Raw: r.Raw}, err
	case "image":
		var raw bytes.Buffer
		r, err := s.client.ImageInspect(s.ctx, name, client.ImageInspectWithRawResponse(&raw))
		return format.Inspected{Value: r.InspectResponse, Raw: raw.Bytes()}, err
	case "network":
		r, err := s.client.NetworkInspect(s.ctx, name, client.NetworkInspectOptions{})
		return format.Inspected{Value: r.Network, Raw: r.Raw}, err
	case "volume":
		r, err := s.client.VolumeInspect(s.ctx, name, client.VolumeInspectOptions{})
		return format.Inspected{Value: r.Volume, Raw: r.Raw}, err
	case "service":
		r, err := s.client.ServiceInspect(s.ctx, name, client.ServiceInspectOptions{InsertDefaults: true})
		return format.Inspected{Value: r.Service, Raw: r.Raw}, err
	case "task":
		r, err := s.client.TaskInspect(s.ctx, name, client.TaskInspectOptions{})
		return format.Inspected{Value: r.Task, Raw: r.Raw}, err
	case "node":
		r, err := s.client.NodeInspect(s.ctx, name, client.NodeInspectOptions{})
		return format.Inspected{Value: r.Node, Raw: r.Raw}, err
	case "plugin":
		r, err := s.client.PluginInspect(s.ctx, name, client.PluginInspectOptions{})
		return format.Inspected{Value: r.Plugin, Raw: r.Raw}, err
	case "secret":
		r, err := s.client.SecretInspect(s.ctx, name, client.SecretInspectOptions{})
		return format.Inspected{Value: r.Secret, Raw: r.Raw}, err
	case "config":
		r, err := s.client.ConfigInspect(s.ctx, name, client.ConfigInspectOptions{})
		return format.Inspected{Value: r.Config, Raw: r.Raw}, err
	}
	return o, errors.New("internal error: unknown type " + kind)
}
