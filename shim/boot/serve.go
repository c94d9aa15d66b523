package boot

import (
	"log/slog"
	"os"
	"os/signal"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/shim/events"
	"github.com/dhow-containers/dhow/shim/task"
	"github.com/dhow-containers/dhow/shim/ttrpc"
)

// drainLimit is how long the end of a shim may take: answers that are on their way, events that wait for containerd.
const drainLimit = 5 * time.Second

// Serve answers on the socket that `start` has made, until containerd shuts the shim down.
func (p *Params) Serve() error {
	log := p.openLog()
	done := make(chan struct{})
	stop := shutdownOnce(done)
	server, err := ttrpc.NewServer(ListenerFD)
	if err != nil {
		return err
	}
	reaper, err := task.NewReaper()
	if err != nil {
		return err
	}
	publisher := p.publisher(reaper, log)
	service := task.New(p.Namespace, reaper, publisher, log, stop)
	service.Register(server)
	handleSignals(stop)
	failed := make(chan error, 1)
	go func() { failed <- server.Serve() }()
	select {
	case err = <-failed:
	case <-done:
	}
	server.Remove()
	server.Close()
	server.Drain(drainLimit)
	publisher.Close(drainLimit)
	return err
}

func shutdownOnce(done chan struct{}) func() {
	once := make(chan struct{}, 1)
	return func() {
		select {
		case once <- struct{}{}:
			close(done)
		default:
		}
	}
}

// publisher takes events to containerd. The engine, which gives no address, wants none.
func (p *Params) publisher(runner events.Runner, log *slog.Logger) publisher {
	if p.TTRPCAddress == "" && p.PublishBinary == "" && p.Address == "" {
		return events.Nowhere{}
	}
	return events.NewPublisher(p.sender(runner), p.Namespace, log)
}

type publisher interface {
	task.Publisher
	Close(time.Duration)
}

// sender is the way to containerd for events.
func (p *Params) sender(runner events.Runner) events.Sender {
	switch {
	case p.TTRPCAddress != "":
		return events.NewSocket(p.TTRPCAddress)
	case p.PublishBinary != "":
		return &events.Program{Path: p.PublishBinary, Address: p.Address, Runner: runner}
	}
	return events.NewSocket(p.Address + ".ttrpc") // where it is unless containerd's config says otherwise
}

// handleSignals ends the shim on TERM and INT. A broken pipe is an error of write(2) and nothing more; it is not
// ignored, because the containers' processes would inherit that. So it is with HUP, which who started the shim may ignore.
func handleSignals(stop func()) {
	signal.Notify(make(chan os.Signal, 1), unix.SIGPIPE, unix.SIGHUP)
	end := make(chan os.Signal, 1)
	signal.Notify(end, unix.SIGTERM, unix.SIGINT)
	go func() {
		<-end
		stop()
	}()
}

// openLog opens the fifo through which containerd takes the log, and what Go prints of a crash: `log` in the bundle of
// the first container. Without containerd at the other end there is no log.
func (p *Params) openLog() *slog.Logger {
	fd, err := unix.Open("log", unix.O_WRONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err == nil {
		unix.Dup2(fd, 2)
		unix.Close(fd)
	}
	level := slog.LevelWarn
	if p.Debug {
		level = slog.LevelDebug
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: level}))
	return log.With("namespace", p.Namespace, "id", p.ID)
}
