package main

import (
	"errors"
	"fmt"
	"os"

	specs "github.com/opencontainers/runtime-spec/specs-go"

	"github.com/dhow-containers/dhow/runtime/cmd/runtime/internal/flags"
	"github.com/dhow-containers/dhow/runtime/container"
	"github.com/dhow-containers/dhow/spec"
)

// exitExec is the exit code when exec itself fails, as runc's: a program rarely ends with it.
const exitExec = 255

type execCommand struct {
	o           container.ExecOptions
	p           processFlags
	processFile string
}

func execVerb() *verb {
	return &verb{
		name:    "exec",
		args:    "ID COMMAND [ARGUMENTS]",
		summary: "run one more process in a container",
		about: `Runs COMMAND inside the running container ID with the environment, user, capabilities and limits of its
config.json, changed by the flags below, waits for it and exits with its exit code; 255 when it could
not be run. With --process, a file holds all of that and COMMAND is left out.`,
		min:  1,
		max:  -1,
		runs: true,
		new:  func() command { return &execCommand{} },
	}
}

func (c *execCommand) flags() []flags.Flag {
	return append(c.p.flags(),
		consoleSocketFlag(&c.o.ConsoleSocket),
		pidfdSocketFlag(&c.o.PidfdSocket),
		flags.Flag{Name: "process", Short: "p", Arg: "FILE", Files: flags.File, Value: &c.processFile, Help: "take the whole process from FILE, a JSON object like config.json's process"},
		flags.Flag{Name: "detach", Short: "d", Value: &c.o.Detach, Help: "do not wait for the process"},
		pidFileFlag(&c.o.PidFile),
		preserveFDsFlag(&c.o.PreserveFDs, "from 3 up"),
		flags.Flag{Name: "cgroup", Arg: "[CONTROLLERS:]PATH", Value: &c.o.Cgroups, Help: "run in this existing cgroup below the container's"},
		flags.Flag{Name: "ignore-paused", Value: &c.o.IgnorePaused, Help: "go on although the container is paused"},
	)
}

func (c *execCommand) run(a *app, args []string) (int, error) {
	if err := a.checkPreserved(0, c.o.PreserveFDs); err != nil {
		return exitExec, err
	}
	s, id := a.open(a), args[0]
	process, err := c.process(s, id, args[1:])
	if err != nil {
		return exitExec, err
	}
	c.o.Process = process
	code, err := s.Exec(id, c.o)
	if err != nil {
		return exitExec, err
	}
	return code, nil
}

// process is what to run: the file of --process, or the container's own process with the flags' changes.
func (c *execCommand) process(s store, id string, args []string) (*specs.Process, error) {
	if c.processFile != "" {
		return readProcess(c.processFile, args)
	}
	if len(args) == 0 {
		return nil, &usageError{err: errors.New("cannot exec: it needs a COMMAND or --process")}
	}
	ctr, err := s.Get(id)
	if err != nil {
		return nil, err
	}
	if ctr.Config == nil || ctr.Config.Process == nil {
		return nil, fmt.Errorf("cannot exec in container %q: its config.json has no process, use --process", id)
	}
	p := cloneProcess(ctr.Config.Process)
	p.Args = args
	if err := c.p.apply(p); err != nil {
		return nil, &usageError{err: err}
	}
	return p, nil
}

func readProcess(path string, args []string) (*specs.Process, error) {
	if len(args) > 0 {
		return nil, &usageError{err: fmt.Errorf("cannot exec: --process leaves no place for %q", args[0])}
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("cannot read --process: %w", err)
	}
	p, err := spec.DecodeProcess(data)
	if err != nil {
		return nil, fmt.Errorf("cannot read --process %s: %w", path, err)
	}
	return p, nil
}
