package container

import (
	"fmt"

	types "github.com/moby/moby/api/types/checkpoint"
	"github.com/moby/moby/client"
	"github.com/spf13/cobra"

	"github.com/dhow-containers/dhow/higher/cli"
	"github.com/dhow-containers/dhow/higher/cli/format"
)

// CheckpointEntries are the commands of `dhow checkpoint`.
func CheckpointEntries() []cli.Entry {
	return []cli.Entry{
		{Name: "create", Short: "Make a checkpoint of a running container", New: checkpointCreate},
		{Name: "ls", Aliases: []string{"list"}, Short: "List the checkpoints of a container", New: checkpointList},
		{Name: "rm", Aliases: []string{"remove"}, Short: "Remove a checkpoint", New: checkpointRemove},
	}
}

func checkpointCreate(a *cli.App) *cobra.Command {
	var o client.CheckpointCreateOptions
	var leave bool
	c := &cobra.Command{
		Use: "create [OPTIONS] CONTAINER CHECKPOINT", Short: "Make a checkpoint of a running container", Args: cli.Exact(2), ValidArgsFunction: cli.CompletedFirst(running(a)),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := a.Client()
			if err != nil {
				return err
			}
			o.CheckpointID, o.Exit = args[1], !leave
			if _, err := c.CheckpointCreate(cmd.Context(), args[0], o); err != nil {
				return err
			}
			fmt.Fprintln(a.Out, args[1])
			return nil
		},
	}
	c.Flags().BoolVar(&leave, "leave-running", false, "Let the container run on")
	c.Flags().StringVar(&o.CheckpointDir, "checkpoint-dir", "", "Folder of checkpoints")
	return c
}

func checkpointList(a *cli.App) *cobra.Command {
	var o client.CheckpointListOptions
	c := &cobra.Command{
		Use: "ls [OPTIONS] CONTAINER", Short: "List the checkpoints of a container", Args: cli.Exact(1), ValidArgsFunction: cli.CompletedFirst(all(a)),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := a.Client()
			if err != nil {
				return err
			}
			r, err := c.CheckpointList(cmd.Context(), args[0], o)
			if err != nil {
				return err
			}
			rows := make([]*checkpointRow, len(r.Items))
			for i, s := range r.Items {
				rows[i] = &checkpointRow{s}
			}
			return format.Rows(a.Out, "", "{{.Name}}", format.Headings{"Name": "CHECKPOINT NAME"}, rows)
		},
	}
	c.Flags().StringVar(&o.CheckpointDir, "checkpoint-dir", "", "Folder of checkpoints")
	return cli.Aliased(c, "checkpoint ls", "checkpoint list")
}

type checkpointRow struct{ s types.Summary }

func (r *checkpointRow) Name() string { return r.s.Name }

func checkpointRemove(a *cli.App) *cobra.Command {
	var o client.CheckpointRemoveOptions
	c := &cobra.Command{
		Use: "rm [OPTIONS] CONTAINER CHECKPOINT", Short: "Remove a checkpoint", Args: cli.Exact(2), ValidArgsFunction: cli.CompletedFirst(all(a)),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := a.Client()
			if err != nil {
				return err
			}
			o.CheckpointID = args[1]
			_, err = c.CheckpointRemove(cmd.Context(), args[0], o)
			return err
		},
	}
	c.Flags().StringVar(&o.CheckpointDir, "checkpoint-dir", "", "Folder of checkpoints")
	return cli.Aliased(c, "checkpoint rm", "checkpoint remove")
}
