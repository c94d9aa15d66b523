// Package complete asks the daemon for the names that can stand on a command line.
package complete

import (
	"context"
	"strings"

	types "github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

	"github.com/dhow-containers/dhow/higher/cli"
)

// Containers are the names of containers that keep says yes to; nil for all.
func Containers(a *cli.App, keep func(*types.Summary) bool) cli.Names {
	return cli.Ask(a, func(ctx context.Context, c *client.Client) (names []string) {
		r, err := c.ContainerList(ctx, client.ContainerListOptions{All: true})
		if err != nil {
			return nil
		}
		for _, s := range r.Items {
			if keep != nil && !keep(&s) {
				continue
			}
			for _, n := range s.Names {
				if n = strings.TrimPrefix(n, "/"); !strings.Contains(n, "/") {
					names = append(names, n)
				}
			}
		}
		return names
	})
}

// Images are the tags of images.
func Images(a *cli.App) cli.Names {
	return cli.Ask(a, func(ctx context.Context, c *client.Client) (names []string) {
		r, err := c.ImageList(ctx, client.ImageListOptions{})
		if err != nil {
			return nil
		}
		for _, i := range r.Items {
			names = append(names, i.RepoTags...)
		}
		return names
	})
}

// Networks are the names of networks.
func Networks(a *cli.App) cli.Names {
	return cli.Ask(a, func(ctx context.Context, c *client.Client) (names []string) {
		r, err := c.NetworkList(ctx, client.NetworkListOptions{})
		if err != nil {
			return nil
		}
		for _, n := range r.Items {
			names = append(names, n.Name)
		}
		return names
	})
}

// Volumes are the names of volumes.
func Volumes(a *cli.App) cli.Names {
	return cli.Ask(a, func(ctx context.Context, c *client.Client) (names []string) {
		r, err := c.VolumeList(ctx, client.VolumeListOptions{})
		if err != nil {
			return nil
		}
		for _, v := range r.Items {
			names = append(names, v.Name)
		}
		return names
	})
}
