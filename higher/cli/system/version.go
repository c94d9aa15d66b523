package system

import (
	"context"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strconv"
	"text/tabwriter"
	"text/template"
	"time"

	"github.com/moby/moby/api/types/system"
	"github.com/moby/moby/client"
	"github.com/spf13/cobra"

	"github.com/dhow-containers/dhow/higher/cli"
	"github.com/dhow-containers/dhow/higher/cli/format"
	"github.com/dhow-containers/dhow/higher/release"
)

// versions is what the template of `dhow version` sees.
type versions struct {
	Client clientVersion
	Server *serverVersion
}

type clientVersion struct {
	Platform          *client.PlatformInfo `json:",omitempty"`
	Version           string               `json:",omitempty"`
	APIVersion        string               `json:"ApiVersion,omitempty"`
	DefaultAPIVersion string               `json:",omitempty"`
	GitCommit         string               `json:",omitempty"`
	GoVersion         string               `json:",omitempty"`
	Os                string               `json:",omitempty"`
	Arch              string               `json:",omitempty"`
	BuildTime         string               `json:",omitempty"`
	Context           string
}

type serverVersion struct {
	Platform      client.PlatformInfo
	Version       string
	APIVersion    string `json:"ApiVersion"`
	MinAPIVersion string `json:",omitempty"`
	Os, Arch      string
	Components    []system.ComponentVersion `json:",omitempty"`
	GitCommit     string                    `json:",omitempty"`
	GoVersion     string                    `json:",omitempty"`
	KernelVersion string                    `json:",omitempty"`
	Experimental  bool                      `json:",omitempty"`
	BuildTime     string                    `json:",omitempty"`
}

const versionTemplate = `{{with .Client}}Client:{{with .Platform}}{{with .Name}} {{.}}{{end}}{{end}}
 Version:	{{.Version}}
 API version:	{{.APIVersion}}{{if ne .APIVersion .DefaultAPIVersion}} (downgraded from {{.DefaultAPIVersion}}){{end}}
 Go version:	{{.GoVersion}}
 Git commit:	{{.GitCommit}}
 Built:	{{.BuildTime}}
 OS/Arch:	{{.Os}}/{{.Arch}}
 Context:	{{.Context}}{{end}}{{with .Server}}

Server:{{with .Platform.Name}} {{.}}{{end}}{{range .Components}}
 {{.Name}}:
  Version:	{{.Version}}{{if eq .Name "Engine"}}
  API version:	{{index .Details "ApiVersion"}} (minimum version {{index .Details "MinAPIVersion"}})
  Go version:	{{index .Details "GoVersion"}}
  Git commit:	{{index .Details "GitCommit"}}
  Built:	{{index .Details "BuildTime"}}
  OS/Arch:	{{index .Details "Os"}}/{{index .Details "Arch"}}
  Experimental:	{{index .Details "Experimental"}}{{else}}{{$c := .}}{{range keys .}}
  {{.}}:	{{index $c.Details .}}{{end}}{{end}}{{end}}{{end}}`

// Version is `dhow version`.
func Version(a *cli.App) *cobra.Command {
	var source string
	c := &cobra.Command{
		Use: "version [OPTIONS]", Short: "Show the versions of client and daemon", Args: cli.NoArgs, ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			t, err := parseVersion(source)
			if err != nil {
				return &cli.StatusError{Code: 64, Message: err.Error()}
			}
			return version(cmd.Context(), a, t)
		},
	}
	c.Flags().StringVarP(&source, "format", "f", "", "How to print: 'json', or a Go template")
	return c
}

func parseVersion(source string) (*template.Template, error) {
	switch source {
	case "":
		source = versionTemplate
	case "json":
		source = "{{json .}}"
	}
	t, err := format.New().Funcs(template.FuncMap{"keys": func(c system.ComponentVersion) []string { return slices.Sorted(maps.Keys(c.Details)) }}).Parse(source)
	if err != nil {
		return nil, fmt.Errorf("template parsing error: %w", err)
	}
	return t, nil
}

// version prints what it knows of the client even when no daemon answers.
func version(ctx context.Context, a *cli.App, t *template.Template) error {
	a.Globals.NoAutostart = true // asking for versions is no reason to start something
	r := release.Get()
	v := versions{Client: clientVersion{
		Version: r.Version, APIVersion: client.MaxAPIVersion, DefaultAPIVersion: client.MaxAPIVersion, GitCommit: r.Commit, GoVersion: runtime.Version(),
		Os: runtime.GOOS, Arch: runtime.GOARCH, BuildTime: day(r.Built), Context: contextName(a),
	}}
	c, err := a.Client()
	if err == nil {
		var r client.ServerVersionResult
		if r, err = c.ServerVersion(ctx, client.ServerVersionOptions{}); err == nil {
			v.Client.APIVersion, v.Server = c.ClientVersion(), server(r)
		}
	}
	w := tabwriter.NewWriter(a.Out, 20, 1, 1, ' ', 0)
	if e := t.Execute(w, v); e != nil {
		return e
	}
	w.Write([]byte("\n"))
	w.Flush()
	return err
}

func contextName(a *cli.App) string {
	o := a.Globals
	o.Config = a.Config()
	return o.ContextName()
}

func server(r client.ServerVersionResult) *serverVersion {
	s := &serverVersion{Platform: r.Platform, Version: r.Version, APIVersion: r.APIVersion, MinAPIVersion: r.MinAPIVersion, Os: r.Os, Arch: r.Arch, Components: r.Components}
	i := slices.IndexFunc(s.Components, func(c system.ComponentVersion) bool { return c.Name == "Engine" })
	if i < 0 {
		s.Components = append(s.Components, system.ComponentVersion{Name: "Engine", Version: r.Version, Details: map[string]string{
			"ApiVersion": r.APIVersion, "MinAPIVersion": r.MinAPIVersion, "Os": r.Os, "Arch": r.Arch,
		}})
		return s
	}
	d := s.Components[i].Details
	s.GitCommit, s.GoVersion, s.KernelVersion, s.BuildTime = d["GitCommit"], d["GoVersion"], d["KernelVersion"], d["BuildTime"]
	s.Experimental, _ = strconv.ParseBool(d["Experimental"])
	if d["BuildTime"] != "" {
		d["BuildTime"] = day(d["BuildTime"])
	}
	return s
}

func day(s string) string {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return s
	}
	return t.Format(time.ANSIC)
}
