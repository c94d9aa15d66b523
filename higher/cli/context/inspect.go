package context

import (
	"github.com/spf13/cobra"

	"github.com/dhow-containers/dhow/higher/cli"
	"github.com/dhow-containers/dhow/higher/cli/contexts"
	"github.com/dhow-containers/dhow/higher/cli/format"
	"github.com/dhow-containers/dhow/higher/cli/inspect"
)

// inspected is a context with where it is kept.
type inspected struct {
	Name        string
	Metadata    map[string]any
	Endpoints   map[string]contexts.Endpoint
	TLSMaterial map[string][]string
	Storage     storage
}

type storage struct{ MetadataPath, TLSPath string }

// Inspect is `dhow context inspect`.
func Inspect(a *cli.App) *cobra.Command {
	var source string
	c := &cobra.Command{
		Use: "inspect [OPTIONS] [CONTEXT] [CONTEXT...]", Short: "Show all about contexts", ValidArgsFunction: cli.Completed(names(a)),
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				args = []string{current(a)}
			}
			return inspect.Each(a.Out, args, source, func(name string) (format.Inspected, error) {
				i, err := look(a, name)
				return format.Inspected{Value: i}, err
			})
		},
	}
	inspect.Format(c, &source)
	return c
}

func look(a *cli.App, name string) (*inspected, error) {
	i := &inspected{Name: name, TLSMaterial: map[string][]string{}, Storage: storage{"<IN MEMORY>", "<IN MEMORY>"}}
	if name == contexts.Default {
		m, tls, err := copied(a, name, name)
		if err != nil {
			return nil, err
		}
		i.Metadata, i.Endpoints = m.Metadata, m.Endpoints
		i.files(tls)
		return i, nil
	}
	s := store(a)
	m, err := s.Get(name)
	if err != nil {
		return nil, err
	}
	tls, err := s.TLS(name)
	if err != nil {
		return nil, err
	}
	i.Metadata, i.Endpoints, i.Storage = m.Metadata, m.Endpoints, storage{s.MetaDir(name), s.TLSDir(name)}
	i.files(tls)
	return i, nil
}

func (i *inspected) files(tls contexts.TLS) {
	for _, f := range []string{"ca.pem", "cert.pem", "key.pem"} {
		if len(tls[f]) > 0 {
			i.TLSMaterial["docker"] = append(i.TLSMaterial["docker"], f)
		}
	}
}
