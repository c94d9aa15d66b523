package cli

import (
	"fmt"
	"io"
	"net/http"
	"os"

	"github.com/moby/moby/client"

	"github.com/dhow-containers/dhow/higher/cli/config"
	"github.com/dhow-containers/dhow/higher/cli/connect"
	"github.com/dhow-containers/dhow/higher/cli/stream"
	"github.com/dhow-containers/dhow/higher/release"
)

// App is one run of the program. Commands get everything from it, so that tests can give them something else.
type App struct {
	In  *stream.In
	Out *stream.Out
	Err io.Writer

	// Globals are the flags in front of the command.
	Globals connect.Options

	config *config.File
	client *client.Client
	quiet  bool
}

// New returns an App on the standard streams.
func New() *App {
	return &App{In: stream.NewIn(os.Stdin), Out: stream.NewOut(os.Stdout), Err: os.Stderr}
}

// ErrOut is the standard error as a terminal, if it is one.
func (a *App) ErrOut() *stream.Out {
	if f, ok := a.Err.(*os.File); ok {
		return stream.NewOut(f)
	}
	return stream.Piped(a.Err)
}

// Config is the configuration file of the user. A file that cannot be read is reported once and taken for empty, as docker
// does: a typing error in there should not make `dhow ps` impossible.
func (a *App) Config() *config.File {
	if a.config == nil {
		var err error
		if a.config, err = config.Load(config.Dir(a.Globals.ConfigDir)); err != nil && !a.quiet {
			io.WriteString(a.Err, "WARNING: "+err.Error()+"\n")
		}
	}
	return a.config
}

// Endpoint is the daemon that this run talks to.
func (a *App) Endpoint() (*connect.Endpoint, error) {
	o := a.Globals
	o.Config = a.Config()
	return connect.Resolve(&o)
}

// Client returns the client of the daemon. Nothing is sent yet: the API version is negotiated by the first request, and a
// daemon is started, if it comes to that, by the first connection.
func (a *App) Client() (*client.Client, error) {
	if a.client != nil {
		return a.client, nil
	}
	e, err := a.Endpoint()
	if err != nil {
		return nil, err
	}
	e.Report = a.Err
	how := []client.Opt{client.WithHTTPHeaders(a.Config().Headers()), client.WithUserAgent("dhow/" + release.Get().Version)}
	if a.Globals.Debug || a.Globals.LogLevel == "debug" {
		how = append(how, client.WithHTTPRequestHook(a.trace))
	}
	a.client, err = e.Client(how...)
	return a.client, err
}

// trace says what is sent, with --debug.
func (a *App) trace(r *http.Request) error {
	fmt.Fprintf(a.Err, "DEBUG: %s %s\n", r.Method, r.URL.RequestURI())
	return nil
}

// Quietly is for completions: nothing is reported, and no daemon is started.
func (a *App) Quietly() {
	a.quiet, a.Globals.NoAutostart = true, true
}
