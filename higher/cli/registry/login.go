package registry

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/containerd/errdefs"
	types "github.com/moby/moby/api/types/registry"
	"github.com/moby/moby/client"
	"github.com/spf13/cobra"

	"github.com/dhow-containers/dhow/higher/cli"
	"github.com/dhow-containers/dhow/higher/cli/config"
)

type loginOptions struct {
	user, password string
	fromStdin      bool
}

// Login is `dhow login`.
func Login(a *cli.App) *cobra.Command {
	var o loginOptions
	c := &cobra.Command{
		Use: "login [OPTIONS] [SERVER]", Short: "Log in to a registry", Args: cli.AtMost(1), ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.check(cmd, a); err != nil {
				return err
			}
			server := config.DockerHub
			if len(args) > 0 && args[0] != "docker.io" {
				server = config.Hostname(args[0])
			}
			return o.login(cmd.Context(), a, server)
		},
	}
	fs := c.Flags()
	fs.StringVarP(&o.user, "username", "u", "", "User name")
	fs.StringVarP(&o.password, "password", "p", "", "Password or token")
	fs.BoolVar(&o.fromStdin, "password-stdin", false, "Read the password or token from standard input")
	return c
}

func (o *loginOptions) check(cmd *cobra.Command, a *cli.App) error {
	fs := cmd.Flags()
	switch {
	case o.fromStdin && fs.Changed("password"):
		return errors.New("conflicting options: cannot specify both --password and --password-stdin")
	case o.fromStdin && !fs.Changed("username"):
		return errors.New("the --password-stdin option requires --username to be set")
	case fs.Changed("username") && o.user == "":
		return errors.New("username is empty")
	case fs.Changed("password") && o.password == "":
		return errors.New("password is empty")
	}
	if o.password != "" {
		fmt.Fprintln(a.Err, "WARNING! Using --password via the CLI is insecure. Use --password-stdin.")
	}
	if !o.fromStdin {
		return nil
	}
	data, err := io.ReadAll(a.In)
	if err != nil {
		return err
	}
	o.password = strings.TrimSuffix(strings.TrimSuffix(string(data), "\n"), "\r")
	if strings.TrimSpace(o.password) == "" {
		return errors.New("password is empty")
	}
	return nil
}

// login tries what is stored first, unless something was given, and then asks.
func (o *loginOptions) login(ctx context.Context, a *cli.App, server string) error {
	known := types.AuthConfig{ServerAddress: server}
	if o.user == "" && o.password == "" {
		var err error
		if known, err = a.Config().Credentials(server); err == nil && known.Username != "" && known.Password != "" {
			fmt.Fprintf(a.Err, "Authenticating with existing credentials... [Username: %s]\n\n", known.Username)
			fmt.Fprint(a.Err, "To login with a different account, run 'dhow logout' followed by 'dhow login'\n\n\n")
			status, err := try(ctx, a, known)
			if err == nil {
				fmt.Fprintln(a.Out, status)
				return nil
			}
			if !errdefs.IsUnauthorized(err) {
				return err
			}
			fmt.Fprintln(a.Err, "Stored credentials invalid or expired")
		}
	}
	given := types.AuthConfig{ServerAddress: server, Username: o.user, Password: o.password}
	if err := ask(a, &given, known.Username); err != nil {
		return err
	}
	status, err := try(ctx, a, given)
	if err != nil {
		return err
	}
	fmt.Fprintln(a.Out, status)
	return nil
}

// try asks the daemon to log in, and keeps what worked.
func try(ctx context.Context, a *cli.App, given types.AuthConfig) (string, error) {
	c, err := a.Client()
	if err != nil {
		return "", err
	}
	r, err := c.RegistryLogin(ctx, client.RegistryLoginOptions{
		Username: given.Username, Password: given.Password, ServerAddress: given.ServerAddress, IdentityToken: given.IdentityToken, RegistryToken: given.RegistryToken,
	})
	if err != nil {
		return "", err
	}
	if r.Auth.IdentityToken != "" {
		given.Password, given.IdentityToken = "", r.Auth.IdentityToken
	}
	inFile, err := a.Config().Store(given)
	if err != nil {
		return "", fmt.Errorf("error saving credentials: %w", err)
	}
	if inFile {
		fmt.Fprintf(a.Err, "\nWARNING! Your credentials are stored unencrypted in '%s'.\nConfigure a credential helper to remove this warning. See\nhttps://docs.docker.com/go/credential-store/\n\n", a.Config().Path())
	}
	return r.Auth.Status, nil
}

// ask reads what is missing from the terminal.
func ask(a *cli.App, given *types.AuthConfig, known string) error {
	if given.Username != "" && given.Password != "" {
		return nil
	}
	if !a.In.IsTerminal() {
		return errors.New("error: cannot perform an interactive login from a non-TTY device")
	}
	in := bufio.NewReader(a.In)
	if given.Username == "" {
		question := "Username: "
		if known != "" {
			question = fmt.Sprintf("Username (%s): ", known)
		}
		given.Username = line(a, in, question)
		if given.Username == "" {
			given.Username = known
		}
		if given.Username == "" {
			return errors.New("error: username is required")
		}
	}
	if given.Password == "" {
		if err := a.In.NoEcho(); err != nil {
			return err
		}
		defer a.In.Restore()
		given.Password = line(a, in, "Password: ")
		fmt.Fprintln(a.Out)
		if given.Password == "" {
			return errors.New("error: password is required")
		}
	}
	return nil
}

func line(a *cli.App, in *bufio.Reader, question string) string {
	fmt.Fprint(a.Out, question)
	s, _ := in.ReadString('\n')
	return strings.TrimRight(s, "\r\n")
}
