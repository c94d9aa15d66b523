package context

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/dhow-containers/dhow/higher/cli"
	"github.com/dhow-containers/dhow/higher/cli/contexts"
)

// Update is `dhow context update`.
func Update(a *cli.App) *cobra.Command {
	var description string
	var docker map[string]string
	c := &cobra.Command{
		Use: "update [OPTIONS] CONTEXT", Short: "Change a context", Args: cli.Exact(1), ValidArgsFunction: cli.CompletedFirst(names(a)),
		RunE: func(_ *cobra.Command, args []string) error {
			name := args[0]
			if err := contexts.CheckName(name); err != nil {
				return err
			}
			m, err := store(a).Get(name)
			if err != nil {
				return err
			}
			var tls contexts.TLS // nil leaves the files as they are
			if description != "" {
				if m.Metadata == nil {
					m.Metadata = map[string]any{}
				}
				m.Metadata["Description"] = description
			}
			if len(docker) > 0 {
				var e contexts.Endpoint
				if e, tls, err = endpoint(a, docker); err != nil {
					return err
				}
				if m.Endpoints == nil {
					m.Endpoints = map[string]contexts.Endpoint{}
				}
				m.Endpoints["docker"] = e
			}
			if err := store(a).Put(m, tls); err != nil {
				return err
			}
			fmt.Fprintln(a.Out, name)
			fmt.Fprintf(a.Err, "Successfully updated context %q\n", name)
			return nil
		},
	}
	c.Flags().StringVar(&description, "description", "", "Description of the context")
	c.Flags().StringToStringVar(&docker, "docker", nil, "Set the endpoint (host=…,ca=…)")
	return c
}
