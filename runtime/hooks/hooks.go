package hooks

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// drain is how long the output of a hook that failed is waited for after its exit: a process it left
// behind may keep the pipe open for ever.
const drain = 100 * time.Millisecond

// Attr says how hooks are run. Its zero value runs them in the runtime's namespaces.
type Attr struct {
	Dir   string  // working directory of the hooks, if Start is nil; empty is the caller's
	Start Starter // how a process is started, its working directory included; nil is StartProcess
}

// Run runs the hooks of one kind, such as "createRuntime", in turn. The first that fails ends it.
func Run(ctx context.Context, name string, list []specs.Hook, state []byte, attr Attr) error {
	for i := range list {
		if err := runOne(ctx, name, i, &list[i], state, attr); err != nil {
			return err
		}
	}
	return nil
}

// RunAll runs all the hooks of one kind whatever becomes of each, and has warn called with the errors:
// what the specification wants of poststop.
func RunAll(ctx context.Context, name string, list []specs.Hook, state []byte, attr Attr, warn func(error)) {
	for i := range list {
		if err := runOne(ctx, name, i, &list[i], state, attr); err != nil {
			warn(err)
		}
	}
}

func runOne(ctx context.Context, name string, i int, h *specs.Hook, state []byte, attr Attr) error {
	if h.Timeout != nil {
		if *h.Timeout <= 0 {
			return fmt.Errorf("cannot run hook hooks.%s[%d] (%q): timeout %d is not above 0", name, i, h.Path, *h.Timeout)
		}
		limit := time.Duration(*h.Timeout) * time.Second
		var cancel func()
		ctx, cancel = context.WithTimeoutCause(ctx, limit, fmt.Errorf("timed out after %v", limit))
		defer cancel()
	}
	if err := execute(ctx, h, state, attr); err != nil {
		return fmt.Errorf("cannot run hook hooks.%[1]s[%[2]d] (%[3]q): error running %[1]s hook #%[2]d: %[4]w", name, i, h.Path, err)
	}
	return nil
}

// execute runs one hook to its end.
func execute(ctx context.Context, h *specs.Hook, state []byte, attr Attr) (err error) {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	stdin, err := stateFile(state)
	if err != nil {
		return err
	}
	r, w, err := os.Pipe()
	if err != nil {
		return errors.Join(err, stdin.Close())
	}
	wait, kill, err := start(h, attr, [3]*os.File{stdin, w, w})
	err = errors.Join(err, stdin.Close(), w.Close())
	if wait == nil {
		return errors.Join(err, r.Close())
	}
	output := readTail(r)
	err = errors.Join(err, await(ctx, wait, kill))
	if err != nil {
		if text := output.text(drain); text != "" {
			err = fmt.Errorf("%w: %s", err, text)
		}
	}
	return errors.Join(err, output.stop())
}

func start(h *specs.Hook, attr Attr, files [3]*os.File) (wait func() (int, bool, error), kill func(), err error) {
	argv := h.Args
	if len(argv) == 0 {
		argv = []string{h.Path}
	}
	env := h.Env
	if env == nil { // nil would mean the caller's environment
		env = []string{}
	}
	starter := attr.Start
	if starter == nil {
		starter = func(argv0 string, argv, env []string, files [3]*os.File) (func() (int, bool, error), func(), error) {
			return StartProcess(attr.Dir, argv0, argv, env, files)
		}
	}
	return starter(h.Path, argv, env, files)
}

// await waits for the hook's end, and brings it about when ctx is done.
func await(ctx context.Context, wait func() (int, bool, error), kill func()) error {
	ended := make(chan error, 1)
	go func() { ended <- outcome(wait()) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
		kill()
		<-ended
		return context.Cause(ctx)
	}
}

func outcome(status int, signaled bool, err error) error {
	switch {
	case err != nil:
		return err
	case signaled:
		return fmt.Errorf("killed by signal %d (%s, %v)", status, unix.SignalName(unix.Signal(status)), unix.Signal(status))
	case status != 0:
		return fmt.Errorf("exit status %d", status)
	}
	return nil
}

// stateFile puts the state where a hook can read it to the end, all of it, or not at all: a pipe would
// hold 64 KiB, and break when the hook does not read.
func stateFile(state []byte) (*os.File, error) {
	fd, err := unix.MemfdCreate("state", unix.MFD_CLOEXEC|unix.MFD_NOEXEC_SEAL)
	if err == unix.EINVAL { // before Linux 6.3
		fd, err = unix.MemfdCreate("state", unix.MFD_CLOEXEC)
	}
	if err != nil {
		return nil, fmt.Errorf("cannot make a file for the state: %w", err)
	}
	f := os.NewFile(uintptr(fd), "state")
	if _, err = f.Write(state); err == nil {
		_, err = f.Seek(0, 0)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("cannot write the state: %w", err), f.Close())
	}
	return f, nil
}
