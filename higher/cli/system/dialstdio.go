package system

import (
	"errors"
	"io"

	"github.com/spf13/cobra"

	"github.com/dhow-containers/dhow/higher/cli"
)

// DialStdio is `dhow system dial-stdio`, the other end of ssh:// addresses.
func DialStdio(a *cli.App) *cobra.Command {
	return &cobra.Command{
		Use: "dial-stdio", Short: "Connect standard input and output with the daemon", Args: cli.NoArgs, Hidden: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := a.Client()
			if err != nil {
				return err
			}
			conn, err := c.Dialer()(cmd.Context())
			if err != nil {
				return err
			}
			defer conn.Close()
			half, ok := conn.(interface{ CloseWrite() error })
			if !ok {
				return errors.New("the connection to the daemon cannot be closed on one side")
			}
			sent, received := make(chan error, 1), make(chan error, 1)
			go func() {
				_, err := io.Copy(conn, a.In)
				half.CloseWrite()
				sent <- err
			}()
			go func() {
				_, err := io.Copy(a.Out, conn)
				received <- err
			}()
			for {
				select {
				case err := <-sent:
					if err != nil {
						return err
					}
					sent = nil // answers still come
				case err := <-received:
					return err
				case <-cmd.Context().Done():
					return cmd.Context().Err()
				}
			}
		},
	}
}
