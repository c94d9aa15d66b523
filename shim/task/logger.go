package task

import (
	"os"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/shim/api"
	"github.com/dhow-containers/dhow/shim/stdio"
)

// loggerGrace is how long a logging program may take to end by itself after the end of its input, and then again
// after SIGTERM.
const loggerGrace = 6 * time.Second

// logger is a logging program.
type logger struct {
	r     *reaper
	pid   int
	ended chan struct{}
	once  sync.Once
}

// Start starts a logging program.
func (r *reaper) Start(argv, env []string, files []*os.File) (stdio.Logger, error) {
	attr := &syscall.ProcAttr{Env: env}
	for _, f := range files {
		attr.Files = append(attr.Files, f.Fd())
	}
	r.hold()
	defer r.release()
	pid, err := syscall.ForkExec(argv[0], argv, attr)
	if err != nil {
		return nil, &os.PathError{Op: "exec", Path: argv[0], Err: err}
	}
	l := &logger{r: r, pid: pid, ended: make(chan struct{})}
	r.watch(pid, func(api.Exit) { close(l.ended) })
	return l, nil
}

// Close lets the program end in its own time, which it need not be waited for.
func (l *logger) Close() {
	l.once.Do(func() {
		go func() {
			for _, sig := range [...]unix.Signal{unix.SIGTERM, unix.SIGKILL} {
				select {
				case <-l.ended:
					return
				case <-time.After(loggerGrace):
					l.r.kill(l.pid, sig)
				}
			}
		}()
	})
}
