package system

import (
	"context"
	"errors"
	"fmt"

	"github.com/moby/moby/api/types/system"
	"github.com/moby/moby/client"
	"github.com/spf13/cobra"

	"github.com/dhow-containers/dhow/higher/cli"
	"github.com/dhow-containers/dhow/higher/cli/format"
	"github.com/dhow-containers/dhow/higher/release"
)

// information is what templates of `dhow info` see: the daemon's fields, and the client's.
type information struct {
	*system.Info `json:",omitempty"`
	ServerErrors []string `json:",omitempty"`

	ClientInfo   *clientInfo `json:",omitempty"`
	ClientErrors []string    `json:",omitempty"`
}

type clientInfo struct {
	Debug bool
	clientVersion
	Plugins  []string // none; there for templates that ask
	Warnings []string
}

// Info is `dhow info`.
func Info(a *cli.App) *cobra.Command {
	var source string
	c := &cobra.Command{
		Use: "info [OPTIONS]", Short: "Show what daemon and host are like", Args: cli.NoArgs, ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error { return info(cmd.Context(), a, source) },
	}
	c.Flags().StringVarP(&source, "format", "f", "", "How to print: 'json', or a Go template")
	return cli.Aliased(c, "system info", "info")
}

func info(ctx context.Context, a *cli.App, source string) error {
	i := &information{ClientInfo: &clientInfo{Debug: a.Globals.Debug, Plugins: []string{}}}
	i.ClientInfo.Version, i.ClientInfo.Context = release.Get().Version, contextName(a)
	c, err := a.Client()
	if err == nil {
		var r client.SystemInfoResult
		if r, err = c.Info(ctx, client.InfoOptions{}); err == nil {
			i.Info = &r.Info
		}
	}
	if err != nil {
		if source != "" {
			i.Info = &system.Info{}
		}
		i.ServerErrors = append(i.ServerErrors, cli.Words(err).Error())
	}
	if source == "" {
		return pretty(a, i)
	}
	if source == "json" {
		source = "{{json .}}"
	}
	t, err := format.Parse(source)
	if err != nil {
		return &cli.StatusError{Code: 64, Message: "template parsing error: " + err.Error()}
	}
	if err := t.Execute(a.Out, i); err != nil {
		return err
	}
	fmt.Fprintln(a.Out)
	if len(i.ServerErrors) > 0 {
		return errors.New(i.ServerErrors[0])
	}
	return nil
}
