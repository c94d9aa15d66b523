package container

import (
	"fmt"

	"github.com/moby/moby/client"
	"github.com/spf13/cobra"

	"github.com/dhow-containers/dhow/higher/cli"
	"github.com/dhow-containers/dhow/higher/cli/opts"
)

// Commit is `dhow commit`.
func Commit(a *cli.App) *cobra.Command {
	var o client.ContainerCommitOptions
	var pause bool
	c := &cobra.Command{
		Use: "commit [OPTIONS] CONTAINER [REPOSITORY[:TAG]]", Short: "Make an image of a container", Args: cli.Range(1, 2), ValidArgsFunction: cli.CompletedFirst(all(a)),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := a.Client()
			if err != nil {
				return err
			}
			if len(args) == 2 {
				o.Reference = args[1]
			}
			o.NoPause = o.NoPause || !pause
			r, err := c.ContainerCommit(cmd.Context(), args[0], o)
			if err != nil {
				return err
			}
			fmt.Fprintln(a.Out, r.ID)
			return nil
		},
	}
	fs := c.Flags()
	fs.BoolVarP(&pause, "pause", "p", true, "Pause the container meanwhile")
	fs.BoolVar(&o.NoPause, "no-pause", false, "Do not pause the container meanwhile")
	fs.MarkHidden("no-pause")
	fs.StringVarP(&o.Comment, "message", "m", "", "Message")
	fs.StringVarP(&o.Author, "author", "a", "", `Author ("John Hannibal Smith <hannibal@a-team.com>")`)
	opts.List(fs, &o.Changes, "change", "c", "Apply an instruction of a Dockerfile to the image", nil)
	return cli.Aliased(c, "container commit", "commit")
}
