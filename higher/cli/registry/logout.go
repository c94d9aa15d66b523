package registry

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/dhow-containers/dhow/higher/cli"
	"github.com/dhow-containers/dhow/higher/cli/config"
)

// Logout is `dhow logout`.
func Logout(a *cli.App) *cobra.Command {
	return &cobra.Command{
		Use: "logout [SERVER]", Short: "Log out from a registry", Args: cli.AtMost(1), ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(_ *cobra.Command, args []string) error {
			shown, names := config.DockerHub, []string{config.DockerHub}
			if len(args) > 0 && args[0] != "" {
				shown = config.Hostname(args[0])
				names = []string{args[0], shown, "http://" + shown, "https://" + shown} // as older files name it
			}
			fmt.Fprintln(a.Out, "Removing login credentials for", shown)
			failed := map[string]error{}
			for _, n := range names {
				if err := a.Config().Erase(n); err != nil {
					failed[n] = err
				}
			}
			if len(failed) == len(names) {
				fmt.Fprintln(a.Err, "WARNING: could not erase credentials:")
				for _, n := range names {
					fmt.Fprintf(a.Err, "%s: %s\n", n, failed[n])
				}
			}
			return nil
		},
	}
}
