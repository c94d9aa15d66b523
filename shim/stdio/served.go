package stdio

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/dhow-containers/dhow/shim/logfile"
)

// scheme is that of streams which the shim serves itself: dhow:///PATH/OF/LOG?driver=json-file&…
const scheme = "dhow"

// Served describes streams that the shim serves itself, for the engine: it writes the log, and takes over the connections
// of attached clients (Streams.Attach).
type Served struct {
	Log       logfile.Options
	Stdin     bool // there is an input, which clients write to; else /dev/null
	StdinOnce bool // and it ends with the first of them
}

// URI is what stands for them in the place of stdout's path.
func (s *Served) URI() string {
	v := s.Log.Values()
	switch {
	case s.StdinOnce:
		v.Set("stdin", "once")
	case s.Stdin:
		v.Set("stdin", "open")
	}
	u := url.URL{Scheme: scheme, Path: s.Log.Path, RawQuery: v.Encode()}
	if s.Log.Path == "" {
		u.Path = "/"
	}
	return u.String()
}

// IsServed says whether stdout is such a URI.
func IsServed(uri string) bool { return strings.HasPrefix(uri, scheme+":") }

func parseServed(uri string) (*Served, error) {
	u, err := url.Parse(uri)
	if err != nil {
		return nil, err
	}
	v := u.Query()
	s := &Served{}
	switch in := v.Get("stdin"); in {
	case "":
	case "open":
		s.Stdin = true
	case "once":
		s.Stdin, s.StdinOnce = true, true
	default:
		return nil, fmt.Errorf("cannot use stdin %q", in)
	}
	s.Log, err = logfile.Parse(u.Path, v)
	return s, err
}

// serveOurselves makes pipes, the log and the hub between them and the clients.
func (s *Streams) serveOurselves(uri string, o Options) error {
	served, err := parseServed(uri)
	if err != nil {
		return fmt.Errorf("cannot open stdout: %w", err)
	}
	h := &hub{terminal: s.terminal, served: served, input: s.input, endInput: s.CloseStdin, ready: make(chan struct{}), warn: o.warn}
	if served.Log.Driver != logfile.None {
		if h.log, err = logfile.Open(served.Log, o.warn); err != nil {
			return fmt.Errorf("cannot open the log: %w", err)
		}
	}
	s.hub = h
	if s.terminal {
		s.stdout = h.output(stdout)
		return nil
	}
	close(h.ready)
	if served.Stdin {
		s.child[0], s.feed, err = inputPipe(o)
	} else {
		err = s.null(0)
	}
	for fd := stdout; err == nil && fd <= stderr; fd++ {
		err = s.pipe(h.output(fd), o, fd)
	}
	return err
}
