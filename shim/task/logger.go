package task

import (
	"fmt"
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
	r     *Reaper
	pid   int
	ended chan api.Exit
	once  sync.Once
}

// Start starts a logging program.
func (r *Reaper) Start(argv, env []string, files []*os.File) (stdio.Logger, error) {
	pid, ended, err := r.start(argv, env, files)
	if err != nil {
		return nil, err
	}
	return &logger{r: r, pid: pid, ended: ended}, nil
}

// start starts a program; ended is closed after its exit.
func (r *Reaper) start(argv, env []string, files []*os.File) (pid int, ended chan api.Exit, err error) {
	attr := &syscall.ProcAttr{Env: env}
	for _, f := range files {
		attr.Files = append(attr.Files, f.Fd())
	}
	r.hold()
	defer r.release()
	pid, err = syscall.ForkExec(argv[0], argv, attr)
	if err != nil {
		return 0, nil, &os.PathError{Op: "exec", Path: argv[0], Err: err}
	}
	ended = make(chan api.Exit, 1)
	r.watch(pid, func(exit api.Exit) { ended <- exit; close(ended) })
	return pid, ended, nil
}

// Run runs a program to its end. After limit it is killed.
func (r *Reaper) Run(argv []string, files []*os.File, limit time.Duration) error {
	pid, ended, err := r.start(argv, os.Environ(), files)
	if err != nil {
		return err
	}
	late := time.AfterFunc(limit, func() { r.kill(pid, unix.SIGKILL) })
	exit := <-ended
	switch {
	case !late.Stop():
		return fmt.Errorf("it took longer than %v", limit)
	case exit.Status != 0:
		return fmt.Errorf("exit status %d", exit.Status)
	}
	return nil
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
