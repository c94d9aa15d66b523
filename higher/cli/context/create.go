package context

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/containerd/errdefs"
	"github.com/spf13/cobra"

	"github.com/dhow-containers/dhow/higher/cli"
	"github.com/dhow-containers/dhow/higher/cli/connect"
	"github.com/dhow-containers/dhow/higher/cli/contexts"
)

const createExample = `  dhow context create far --docker "host=tcp://10.0.0.5:2376,ca=~/ca.pem,cert=~/cert.pem,key=~/key.pem"`

func store(a *cli.App) *contexts.Store { return contexts.At(a.Config().Dir()) }

func current(a *cli.App) string {
	o := a.Globals
	o.Config = a.Config()
	return o.ContextName()
}

// Create is `dhow context create`.
func Create(a *cli.App) *cobra.Command {
	var description, from string
	var docker map[string]string
	c := &cobra.Command{
		Use: "create [OPTIONS] CONTEXT", Short: "Make a context", Args: cli.Exact(1), Example: createExample, ValidArgsFunction: cobra.NoFileCompletions,
		Long: "Make a context\n\nKeys of --docker:\n  from             take the endpoint of another context\n  host             address of the daemon\n  ca, cert, key    files for TLS\n  skip-tls-verify  take any certificate",
		RunE: func(_ *cobra.Command, args []string) error {
			name := args[0]
			if err := fresh(a, name); err != nil {
				return err
			}
			if from != "" && len(docker) > 0 {
				return errors.New("cannot use --docker flag when --from is set")
			}
			m := &contexts.Meta{Name: name, Metadata: map[string]any{}}
			var tls contexts.TLS
			var err error
			if from == "" && len(docker) == 0 {
				from = current(a)
			}
			if from != "" {
				m, tls, err = copied(a, from, name)
			} else {
				var e contexts.Endpoint
				e, tls, err = endpoint(a, docker)
				m.Endpoints = map[string]contexts.Endpoint{"docker": e}
			}
			if err != nil {
				return err
			}
			if description != "" {
				m.Metadata["Description"] = description
			}
			if err := store(a).Put(m, tls); err != nil {
				return err
			}
			fmt.Fprintln(a.Out, name)
			fmt.Fprintf(a.Err, "Successfully created context %q\n", name)
			return nil
		},
	}
	fs := c.Flags()
	fs.StringVar(&description, "description", "", "Description of the context")
	fs.StringToStringVar(&docker, "docker", nil, "Set the endpoint (host=…,ca=…)")
	fs.StringVar(&from, "from", "", "Copy another context")
	cli.CompletedFlag(c, "from", names(a))
	return c
}

func fresh(a *cli.App, name string) error {
	if err := contexts.CheckName(name); err != nil {
		return err
	}
	_, err := store(a).Get(name)
	if errdefs.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("error while getting existing contexts: %w", err)
	}
	return fmt.Errorf("context %q already exists", name)
}

// copied is another context under a new name; the default one is what the environment says now.
func copied(a *cli.App, from, name string) (*contexts.Meta, contexts.TLS, error) {
	if from == contexts.Default {
		o := a.Globals
		o.Context, o.Config = contexts.Default, a.Config()
		if len(o.Hosts) > 0 {
			o.Context = ""
		}
		e, err := connect.Resolve(&o)
		if err != nil {
			return nil, nil, err
		}
		m := &contexts.Meta{Name: name, Metadata: map[string]any{}, Endpoints: map[string]contexts.Endpoint{"docker": {Host: e.Host, SkipTLSVerify: e.SkipVerify}}}
		tls := contexts.TLS{}
		if e.TLS != nil {
			for file, data := range map[string][]byte{"ca.pem": e.TLS.CA, "cert.pem": e.TLS.Cert, "key.pem": e.TLS.Key} {
				if len(data) > 0 {
					tls[file] = data
				}
			}
		}
		return m, tls, nil
	}
	m, err := store(a).Get(from)
	if err != nil {
		return nil, nil, err
	}
	tls, err := store(a).TLS(from)
	m.Name = name
	return m, tls, err
}

// endpoint reads the keys of --docker.
func endpoint(a *cli.App, keys map[string]string) (contexts.Endpoint, contexts.TLS, error) {
	if from := keys["from"]; from != "" {
		m, tls, err := copied(a, from, "")
		if err != nil {
			return contexts.Endpoint{}, nil, err
		}
		return m.Docker(), tls, nil
	}
	e, tls := contexts.Endpoint{}, contexts.TLS{}
	for k, v := range keys {
		switch k {
		case "host":
			e.Host = v
		case "skip-tls-verify":
			on, err := strconv.ParseBool(v)
			if err != nil {
				return e, nil, fmt.Errorf("unable to create docker endpoint config: skip-tls-verify: %w", err)
			}
			e.SkipTLSVerify = on
		case "ca", "cert", "key":
			data, err := os.ReadFile(v)
			if err != nil {
				return e, nil, fmt.Errorf("unable to create docker endpoint config: %w", err)
			}
			tls[k+".pem"] = data
		default:
			return e, nil, fmt.Errorf("unable to create docker endpoint config: unrecognized config key: %s", k)
		}
	}
	if e.Host == "" {
		return e, nil, errors.New("unable to create docker endpoint config: host is missing")
	}
	host, err := connect.ParseHost(e.Host, len(tls) > 0)
	if err != nil {
		return e, nil, fmt.Errorf("unable to create docker endpoint config: %w", err)
	}
	if !strings.Contains(e.Host, "://") {
		e.Host = host
	}
	return e, tls, nil
}
