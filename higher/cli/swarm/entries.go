package swarm

import (
	"context"
	"fmt"

	"github.com/moby/moby/client"
	"github.com/spf13/cobra"

	"github.com/dhow-containers/dhow/higher/cli"
)

// question is something to ask a daemon about swarms.
type question func(context.Context, *client.Client) error

func nodes(ctx context.Context, c *client.Client) error {
	_, err := c.NodeList(ctx, client.NodeListOptions{})
	return err
}

func services(ctx context.Context, c *client.Client) error {
	_, err := c.ServiceList(ctx, client.ServiceListOptions{Status: true})
	return err
}

func secrets(ctx context.Context, c *client.Client) error {
	_, err := c.SecretList(ctx, client.SecretListOptions{})
	return err
}

func configs(ctx context.Context, c *client.Client) error {
	_, err := c.ConfigList(ctx, client.ConfigListOptions{})
	return err
}

func state(ctx context.Context, c *client.Client) error {
	_, err := c.SwarmInspect(ctx, client.SwarmInspectOptions{})
	return err
}

func leave(ctx context.Context, c *client.Client) error {
	_, err := c.SwarmLeave(ctx, client.SwarmLeaveOptions{})
	return err
}

func initialize(ctx context.Context, c *client.Client) error {
	_, err := c.SwarmInit(ctx, client.SwarmInitOptions{})
	return err
}

func join(ctx context.Context, c *client.Client) error {
	_, err := c.SwarmJoin(ctx, client.SwarmJoinOptions{})
	return err
}

// Groups are the groups of commands.
func Groups() []cli.Entry {
	return []cli.Entry{
		group("config", "Configs of a swarm", configs, "create", "inspect", "ls", "rm"),
		group("node", "Nodes of a swarm", nodes, "demote", "inspect", "ls", "promote", "ps", "rm", "update"),
		group("secret", "Secrets of a swarm", secrets, "create", "inspect", "ls", "rm"),
		group("service", "Services of a swarm", services, "create", "inspect", "logs", "ls", "ps", "rollback", "rm", "scale", "update"),
		group("stack", "Stacks of a swarm", services, "config", "deploy", "ls", "ps", "rm", "services"),
		swarmGroup(),
	}
}

func swarmGroup() cli.Entry {
	g := group("swarm", "Swarms (dhow is part of none)", state, "ca", "join-token", "unlock", "unlock-key", "update")
	g.Entries = append(g.Entries, entry("init", initialize), entry("join", join), entry("leave", leave))
	g.Entries = cli.Sorted(g.Entries)
	return g
}

func group(name, short string, q question, verbs ...string) cli.Entry {
	g := cli.Entry{Name: name, Short: short}
	for _, v := range verbs {
		g.Entries = append(g.Entries, entry(v, q))
	}
	return g
}

// entry is a command that takes any arguments and asks.
func entry(verb string, q question) cli.Entry {
	short := "Not available: dhow is not part of a swarm"
	return cli.Entry{Name: verb, Short: short, New: func(a *cli.App) *cobra.Command {
		return &cobra.Command{
			Use: verb, Short: short, DisableFlagParsing: true,
			RunE: func(cmd *cobra.Command, args []string) error {
				for _, s := range args {
					if s == "--help" || s == "-h" {
						return cmd.Help()
					}
				}
				c, err := a.Client()
				if err != nil {
					return err
				}
				if err := q(cmd.Context(), c); err != nil {
					return err
				}
				return fmt.Errorf("%s is not available in dhow: use docker with this daemon, which is part of a swarm", cmd.CommandPath())
			},
		}
	}}
}
