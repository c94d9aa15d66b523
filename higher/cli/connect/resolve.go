package connect

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"

	"github.com/dhow-containers/dhow/higher/cli/config"
	"github.com/dhow-containers/dhow/higher/cli/contexts"
)

// DefaultHost is where dhowd listens unless told otherwise.
const DefaultHost = "unix:///var/run/dhow.sock"

// Options are the flags in front of a command.
type Options struct {
	ConfigDir   string
	Context     string
	Hosts       []string
	Debug       bool
	LogLevel    string
	NoAutostart bool

	TLS, TLSVerify, TLSVerifySet bool
	CACert, Cert, Key            string

	Config *config.File // to look the context up in
}

// hostVariables are asked for an address, in order.
var hostVariables = []string{"DHOW_HOST", "DOCKER_HOST"}

// Resolve finds the daemon.
func Resolve(o *Options) (*Endpoint, error) {
	if len(o.Hosts) > 0 && o.Context != "" {
		return nil, errors.New("conflicting options: cannot specify both --host and --context")
	}
	name := o.ContextName()
	if name != contexts.Default {
		return fromContext(contexts.At(o.Config.Dir()), name)
	}
	return fromEnvironment(o)
}

// ContextName is the context in use.
func (o *Options) ContextName() string {
	switch {
	case o.Context != "":
		return o.Context
	case len(o.Hosts) > 0 || hostFromEnvironment() != "":
		return contexts.Default
	case os.Getenv("DOCKER_CONTEXT") != "":
		return os.Getenv("DOCKER_CONTEXT")
	case o.Config != nil && o.Config.String("currentContext") != "":
		return o.Config.String("currentContext")
	}
	return contexts.Default
}

func hostFromEnvironment() string {
	for _, v := range hostVariables {
		if h := os.Getenv(v); h != "" {
			return h
		}
	}
	return ""
}

// HostVariable is the variable that says where the daemon is, if one does.
func HostVariable() string {
	for _, v := range hostVariables {
		if os.Getenv(v) != "" {
			return v
		}
	}
	return ""
}

func fromContext(s *contexts.Store, name string) (*Endpoint, error) {
	m, err := s.Get(name)
	if err != nil {
		return nil, fmt.Errorf("unable to resolve docker endpoint: %w", err)
	}
	files, err := s.TLS(name)
	if err != nil {
		return nil, err
	}
	d := m.Docker()
	if d.Host == "" {
		return nil, fmt.Errorf("unable to resolve docker endpoint: context %q has none", name)
	}
	e := &Endpoint{Context: name, Host: d.Host, SkipVerify: d.SkipTLSVerify}
	if len(files) > 0 || d.SkipTLSVerify {
		e.TLS = &Files{CA: files["ca.pem"], Cert: files["cert.pem"], Key: files["key.pem"]}
	}
	return e, nil
}

func fromEnvironment(o *Options) (*Endpoint, error) {
	if len(o.Hosts) > 1 {
		return nil, errors.New("specify only one -H")
	}
	e := &Endpoint{Context: contexts.Default}
	host := hostFromEnvironment()
	if len(o.Hosts) == 1 {
		host = o.Hosts[0]
	}
	secure := o.TLS || o.TLSVerify || os.Getenv("DOCKER_TLS") != "" || os.Getenv("DOCKER_TLS_VERIFY") != "" && !o.TLSVerifySet
	var err error
	if e.Host, err = ParseHost(host, secure); err != nil {
		return nil, err
	}
	e.Autostart = host == "" && !o.NoAutostart && os.Getenv("DHOW_NO_AUTOSTART") == ""
	if secure && !strings.HasPrefix(e.Host, "unix://") {
		if e.TLS, err = o.files(); err != nil {
			return nil, err
		}
		e.SkipVerify = !o.TLSVerify && os.Getenv("DOCKER_TLS_VERIFY") == ""
	}
	return e, nil
}

// files reads the certificates: those of the flags must be there, the default ones may be missing.
func (o *Options) files() (*Files, error) {
	dir := os.Getenv("DOCKER_CERT_PATH")
	if dir == "" {
		dir = config.Dir(o.ConfigDir)
	}
	f := &Files{}
	for _, x := range []struct {
		flag, name string
		to         *[]byte
	}{{o.CACert, "ca.pem", &f.CA}, {o.Cert, "cert.pem", &f.Cert}, {o.Key, "key.pem", &f.Key}} {
		path := x.flag
		if path == "" {
			path = filepath.Join(dir, x.name)
		}
		data, err := os.ReadFile(path)
		if err != nil && (x.flag != "" || !os.IsNotExist(err)) {
			return nil, fmt.Errorf("unable to resolve docker endpoint: %w", err)
		}
		*x.to = data
	}
	return f, nil
}

// ParseHost completes an address as docker does: a bare one is TCP, a missing port 2375, or 2376 with TLS.
func ParseHost(host string, secure bool) (string, error) {
	host = strings.TrimSpace(host)
	if host == "" {
		return DefaultHost, nil
	}
	scheme, address, ok := strings.Cut(host, "://")
	if !ok {
		scheme, address = "tcp", host
		if strings.HasPrefix(host, "/") {
			return "", fmt.Errorf("invalid bind address format: %s", host)
		}
	}
	switch scheme {
	case "unix":
		if address == "" {
			return DefaultHost, nil
		}
		return host, nil
	case "ssh":
		return host, nil
	case "tcp", "http", "https":
		return "tcp://" + withPort(address, secure), nil
	}
	return "", fmt.Errorf("invalid bind address format: %s", host)
}

func withPort(address string, secure bool) string {
	address, path, _ := strings.Cut(address, "/")
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		host = strings.Trim(address, "[]")
	}
	if host == "" {
		host = "localhost"
	}
	if port == "" {
		port = "2375"
		if secure {
			port = "2376"
		}
	}
	s := net.JoinHostPort(host, port)
	if path != "" {
		s += "/" + path
	}
	return s
}
