package commands

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/dhow-containers/dhow/higher/cli"
	"github.com/dhow-containers/dhow/higher/cli/config"
	"github.com/dhow-containers/dhow/higher/cli/opts"
	"github.com/dhow-containers/dhow/higher/release"
)

// Root makes the command tree for args, the arguments of the program.
func Root(a *cli.App, args []string) *cobra.Command {
	var version bool
	root := &cobra.Command{
		Use: "dhow [OPTIONS] COMMAND [ARG...]", Short: "Runs containers, as docker does",
		SilenceUsage: true, SilenceErrors: true, TraverseChildren: true, DisableFlagsInUseLine: true,
		CompletionOptions: cobra.CompletionOptions{HiddenDefaultCmd: true},
		RunE: func(c *cobra.Command, args []string) error {
			switch {
			case version:
				r := release.Get()
				fmt.Fprintf(a.Out, "dhow version %s, build %s\n", r.Version, r.Commit)
				return nil
			case len(args) == 0:
				return c.Help()
			}
			return cli.Unknown(c, args[0])
		},
	}
	for _, g := range []string{cli.GroupCommon, cli.GroupManagement, cli.GroupSwarm, cli.GroupOther} {
		root.AddGroup(&cobra.Group{ID: g, Title: g})
	}
	globals(a, root)
	root.Flags().BoolVarP(&version, "version", "v", false, "Print the version and end")
	cli.Setup(a, root)
	cli.Build(a, root, entries(), args)
	root.SetHelpCommand(help(a))
	root.SetArgs(args)
	return root
}

func globals(a *cli.App, root *cobra.Command) {
	g, fs := &a.Globals, root.Flags()
	fs.SetInterspersed(false)
	dir := config.Dir("")
	fs.StringVar(&g.ConfigDir, "config", dir, "Folder of the configuration")
	fs.StringVarP(&g.Context, "context", "c", "", "Name of the context with the daemon to connect to")
	fs.BoolVarP(&g.Debug, "debug", "D", false, "Say more about what is done")
	opts.List(fs, &g.Hosts, "host", "H", "Address of the daemon", nil)
	opts.Var(fs, "string", "log-level", "l", `Level of messages ("debug", "info", "warn", "error", "fatal")`, func(s string) error {
		switch s {
		case "debug", "info", "warn", "error", "fatal":
			g.LogLevel = s
			return nil
		}
		return fmt.Errorf("unable to parse logging level: %s", s)
	})
	fs.BoolVar(&g.TLS, "tls", false, "Use TLS; --tlsverify does that, too")
	fs.StringVar(&g.CACert, "tlscacert", "", "Certificate of the authority to trust (default: ca.pem in the configuration folder)")
	fs.StringVar(&g.Cert, "tlscert", "", "Certificate to show (default: cert.pem in the configuration folder)")
	fs.StringVar(&g.Key, "tlskey", "", "Key of the certificate (default: key.pem in the configuration folder)")
	fs.BoolVar(&g.TLSVerify, "tlsverify", false, "Use TLS and check who the daemon is")
	fs.BoolVar(&g.NoAutostart, "no-autostart", false, "Do not start dhowd when it does not run")
}

func help(a *cli.App) *cobra.Command {
	return &cobra.Command{
		Use: "help [command]", Short: "Help about a command", Hidden: true,
		RunE: func(c *cobra.Command, args []string) error {
			found, rest, err := c.Root().Find(args)
			if err != nil || len(rest) > 0 {
				return fmt.Errorf("unknown help topic: %s", strings.Join(args, " "))
			}
			found.SetOut(a.Out)
			return found.Help()
		},
	}
}

// Main runs the program and returns its exit code.
func Main(ctx context.Context, a *cli.App, args []string) int {
	root := Root(a, args)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return 0
	}
	var s *cli.StatusError
	if errors.As(err, &s) {
		if s.Message != "" || s.Cause != nil {
			fmt.Fprintln(a.Err, s.Error())
		}
		return s.Code
	}
	if signalled(ctx) {
		return code(ctx)
	}
	fmt.Fprintln(a.Err, cli.Words(err))
	return 1
}
