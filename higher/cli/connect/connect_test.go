package connect

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/moby/moby/client"

	"github.com/dhow-containers/dhow/higher/cli/config"
	"github.com/dhow-containers/dhow/higher/cli/contexts"
)

// TestMain is also the daemon that the tests start: under its name, this program listens and says so.
func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) == "dhowd" {
		daemon()
		return
	}
	os.Exit(m.Run())
}

func daemon() {
	if os.Getenv("TEST_BROKEN") != "" {
		fmt.Fprintln(os.Stderr, "dhowd: cannot do anything")
		os.Exit(1)
	}
	l, err := net.Listen("unix", os.Getenv("TEST_SOCKET"))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	ready := os.NewFile(3, "ready")
	ready.Write([]byte("1"))
	ready.Close()
	s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Api-Version", "1.50")
		if r.URL.Path == "/_ping" && r.Header.Get("User-Agent") == "last" {
			defer os.Exit(0)
		}
		fmt.Fprintf(w, "%d", os.Getpid())
	})}
	s.Serve(l)
}

// ready puts the daemon of the tests into PATH.
func ready(t *testing.T) *Endpoint {
	t.Helper()
	dir := t.TempDir()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(self, filepath.Join(dir, "dhowd")); err != nil {
		t.Fatal(err)
	}
	socket := filepath.Join(dir, "sock")
	t.Setenv("PATH", dir)
	t.Setenv("TEST_SOCKET", socket)
	oldLock, oldLog, oldID := lockAt, logAt, euid
	lockAt, logAt, euid = filepath.Join(dir, "lock"), filepath.Join(dir, "log"), func() int { return 0 }
	t.Cleanup(func() { lockAt, logAt, euid = oldLock, oldLog, oldID })
	return &Endpoint{Host: "unix://" + socket, Autostart: true, Report: &bytes.Buffer{}}
}

func TestAutostart(t *testing.T) {
	e := ready(t)
	var all sync.WaitGroup
	for range 5 { // at the same time: one daemon for all
		all.Go(func() {
			c, err := e.Client()
			if err != nil {
				t.Error(err)
				return
			}
			if _, err := c.Ping(context.Background(), client.PingOptions{}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if said := e.Report.(*bytes.Buffer).String(); strings.Count(said, "starting") != 1 {
		t.Errorf("it said %q", said)
	}
	c, err := e.Client(client.WithUserAgent("last"))
	if err != nil {
		t.Fatal(err)
	}
	c.Ping(context.Background(), client.PingOptions{})
}

func TestAutostartFails(t *testing.T) {
	e := ready(t)
	t.Setenv("TEST_BROKEN", "1")
	c, err := e.Client()
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.Ping(context.Background(), client.PingOptions{})
	var s *StartError
	if !errors.As(err, &s) || !strings.Contains(err.Error(), "cannot do anything") {
		t.Errorf("%v", err)
	}
	euid = func() int { return 1000 }
	if _, err = c.Ping(context.Background(), client.PingOptions{}); !errors.As(err, &s) || !strings.Contains(err.Error(), "only root") {
		t.Errorf("%v", err)
	}
}

func TestParseHost(t *testing.T) {
	for in, want := range map[string]string{
		"": DefaultHost, "unix://": DefaultHost, "unix:///a": "unix:///a", "tcp://1.2.3.4": "tcp://1.2.3.4:2375", "1.2.3.4:5": "tcp://1.2.3.4:5",
		"tcp://": "tcp://localhost:2375", "tcp://[::1]:7": "tcp://[::1]:7", "tcp://[::1]": "tcp://[::1]:2375", "ssh://u@h": "ssh://u@h", "tcp://h:1/p": "tcp://h:1/p",
	} {
		if got, err := ParseHost(in, false); err != nil || got != want {
			t.Errorf("%q: %q, %v; not %q", in, got, err, want)
		}
	}
	if got, _ := ParseHost("tcp://h", true); got != "tcp://h:2376" {
		t.Errorf("with TLS %q", got)
	}
	for _, in := range []string{"foo://x", "/var/run/x"} {
		if got, err := ParseHost(in, false); err == nil {
			t.Errorf("%q gave %q", in, got)
		}
	}
}

// The flag wins over the variables, dhow's over docker's, they over the context in use, that over the default.
func TestResolve(t *testing.T) {
	dir := t.TempDir()
	s := contexts.At(dir)
	for _, n := range []string{"one", "two"} {
		if err := s.Put(&contexts.Meta{Name: n, Endpoints: map[string]contexts.Endpoint{"docker": {Host: "tcp://" + n + ":1"}}}, nil); err != nil {
			t.Fatal(err)
		}
	}
	f, _ := config.Load(dir)
	f.Set("currentContext", "one")
	for _, c := range []struct {
		name      string
		o         Options
		env       map[string]string
		host      string
		autostart bool
	}{
		{"flag", Options{Hosts: []string{"tcp://f:1"}}, map[string]string{"DHOW_HOST": "tcp://d:1", "DOCKER_CONTEXT": "two"}, "tcp://f:1", false},
		{"dhow's variable", Options{}, map[string]string{"DHOW_HOST": "tcp://d:1", "DOCKER_HOST": "tcp://e:1"}, "tcp://d:1", false},
		{"docker's variable", Options{}, map[string]string{"DOCKER_HOST": "tcp://e:1", "DOCKER_CONTEXT": "two"}, "tcp://e:1", false},
		{"named context", Options{Context: "two"}, map[string]string{"DOCKER_HOST": "tcp://e:1"}, "tcp://two:1", false},
		{"variable of the context", Options{}, map[string]string{"DOCKER_CONTEXT": "two"}, "tcp://two:1", false},
		{"context in use", Options{}, nil, "tcp://one:1", false},
		{"default", Options{Context: "default"}, nil, DefaultHost, true},
		{"no autostart", Options{Context: "default", NoAutostart: true}, nil, DefaultHost, false},
		{"variable against autostart", Options{Context: "default"}, map[string]string{"DHOW_NO_AUTOSTART": "1"}, DefaultHost, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, v := range []string{"DHOW_HOST", "DOCKER_HOST", "DOCKER_CONTEXT", "DHOW_NO_AUTOSTART", "DOCKER_TLS", "DOCKER_TLS_VERIFY"} {
				t.Setenv(v, c.env[v])
			}
			c.o.Config = f
			e, err := Resolve(&c.o)
			if err != nil || e.Host != c.host || e.Autostart != c.autostart {
				t.Errorf("%+v, %v", e, err)
			}
		})
	}
	for _, o := range []Options{{Hosts: []string{"a", "b"}}, {Hosts: []string{"a"}, Context: "one"}, {Context: "none"}} {
		o.Config = f
		if e, err := Resolve(&o); err == nil {
			t.Errorf("%+v gave %+v", o, e)
		}
	}
}

func TestParseSSH(t *testing.T) {
	if s, err := parseSSH("ssh://u@h:22"); err != nil || !strings.HasPrefix(strings.Join(s.args, " "), "-l u -p 22 ") {
		t.Errorf("%+v, %v", s, err)
	}
	for _, bad := range []string{"ssh://", "ssh://-oProxyCommand=x", "ssh://u:p@h", "ssh://h/path"} {
		if s, err := parseSSH(bad); err == nil {
			t.Errorf("%s gave %v", bad, s.args)
		}
	}
}
