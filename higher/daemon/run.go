package daemon

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"runtime/pprof"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/higher/api"
	"github.com/dhow-containers/dhow/higher/config"
	"github.com/dhow-containers/dhow/higher/engine"
	"github.com/dhow-containers/dhow/higher/release"
)

// Program is what the daemon was started as.
type Program struct {
	Config  *config.Config
	Reload  func() (*config.Config, error) // reads flags and file once more
	Release release.Info
	Log     *slog.Logger
	Level   *slog.LevelVar // of Log
}

// Run is the daemon's life: it returns after SIGTERM or SIGINT, or with an error.
func (p *Program) Run(ctx context.Context) (err error) {
	c, log := p.Config, p.Log
	// From the first moment on: a hang-up that comes early must not end the daemon.
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, unix.SIGHUP)
	defer signal.Stop(hangups)
	if os.Geteuid() != 0 {
		return errors.New("cannot start: dhowd needs root")
	}
	lock, err := Lock(c.DataRoot)
	if err != nil {
		return err
	}
	defer lock.Close()
	removePidfile, err := WritePidfile(c.Pidfile)
	if err != nil {
		return err
	}
	defer removePidfile()
	// Sockets before anything else: what comes early waits there, and a taken address costs nothing.
	listeners, err := Listen(c, log)
	if err != nil {
		return err
	}
	e, err := engine.Open(ctx, c, p.Release, log)
	if err != nil {
		for _, l := range listeners {
			l.Close()
		}
		return err
	}
	s := newServer(e, p.Release, log)
	ended := s.serve(listeners)
	if err := Ready(); err != nil {
		log.Warn("not everybody knows that the daemon is ready", "error", err)
	}
	log.Info("dhowd is ready", "version", p.Release.Version, "addresses", c.Hosts)
	stopped := p.wait(e, ended, hangups)
	if err := Stopping(); err != nil {
		log.Warn("cannot tell that the daemon stops", "error", err)
	}
	s.stop()
	closing, cancel := context.WithTimeout(ctx, engine.CloseLimit)
	defer cancel()
	return errors.Join(stopped, e.Close(closing))
}

// wait returns when a signal asks for the end, or a listener fails.
func (p *Program) wait(e *engine.Engine, ended <-chan error, hangups <-chan os.Signal) error {
	log := p.Log
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, unix.SIGTERM, unix.SIGINT, unix.SIGQUIT, unix.SIGUSR1)
	defer signal.Stop(signals)
	signal.Ignore(unix.SIGPIPE)
	for {
		select {
		case err := <-ended:
			return err
		case <-hangups:
			p.reload(e)
		case s := <-signals:
			if s != unix.SIGUSR1 {
				log.Info("the daemon stops", "signal", s.String())
				return nil
			}
			if err := pprof.Lookup("goroutine").WriteTo(os.Stderr, 2); err != nil {
				log.Warn("cannot dump the goroutines", "error", err)
			}
		}
	}
}

// server is the API on its listeners.
type server struct {
	http.Server
	running sync.WaitGroup
}

// headerLimit is how long a client may take for the head of a request.
const headerLimit = time.Minute

func newServer(e *engine.Engine, b release.Info, log *slog.Logger) *server {
	a := &api.Server{Backend: e, Log: log, Release: b.Version, BuilderVersion: "1"}
	a.Init()
	return &server{Server: http.Server{Handler: a, ReadHeaderTimeout: headerLimit, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug)}}
}

// serve serves on all listeners; the first error of one is sent.
func (s *server) serve(listeners []net.Listener) <-chan error {
	ended := make(chan error, len(listeners))
	for _, l := range listeners {
		s.running.Add(1)
		go func() {
			defer s.running.Done()
			if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
				ended <- fmt.Errorf("cannot go on listening on %s: %w", l.Addr(), err)
			}
		}()
	}
	return ended
}

// stop ends all connections at once: attached clients are their shims', and requests that change something do not
// depend on their clients.
func (s *server) stop() {
	_ = s.Close()
	s.running.Wait()
}
