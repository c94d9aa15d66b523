package context

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/dhow-containers/dhow/higher/cli"
	"github.com/dhow-containers/dhow/higher/cli/contexts"
)

// Export is `dhow context export`.
func Export(a *cli.App) *cobra.Command {
	return &cobra.Command{
		Use: "export [OPTIONS] CONTEXT [FILE|-]", Short: "Write a context as a tar archive", Args: cli.Range(1, 2), ValidArgsFunction: cli.CompletedFirst(names(a)),
		RunE: func(_ *cobra.Command, args []string) error {
			name, path := args[0], args[0]+".dockercontext"
			if len(args) == 2 {
				path = args[1]
			}
			if err := contexts.CheckName(name); err != nil && name != contexts.Default {
				return err
			}
			if path == "-" {
				if a.Out.IsTerminal() {
					return errors.New("cowardly refusing to export to a terminal, specify a file path")
				}
				return store(a).Export(name, a.Out)
			}
			f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
			if err != nil {
				return err
			}
			err = store(a).Export(name, f)
			if e := f.Close(); err == nil {
				err = e
			}
			if err != nil {
				os.Remove(path)
				return err
			}
			fmt.Fprintf(a.Err, "Written file %q\n", path)
			return nil
		},
	}
}

// Import is `dhow context import`.
func Import(a *cli.App) *cobra.Command {
	return &cobra.Command{
		Use: "import CONTEXT FILE|-", Short: "Make a context from a tar archive", Args: cli.Exact(2),
		RunE: func(_ *cobra.Command, args []string) error {
			name, from := args[0], args[1]
			if err := fresh(a, name); err != nil {
				return err
			}
			in := a.In.Reader
			if from != "-" {
				f, err := os.Open(from)
				if err != nil {
					return err
				}
				defer f.Close()
				in = f
			}
			if err := store(a).Import(name, in); err != nil {
				return err
			}
			fmt.Fprintln(a.Out, name)
			fmt.Fprintf(a.Err, "Successfully imported context %q\n", name)
			return nil
		},
	}
}
