package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"runtime"
	"slices"
	"strings"

	specs "github.com/opencontainers/runtime-spec/specs-go"

	"github.com/dhow-containers/dhow/runtime/cmd/runtime/internal/flags"
	"github.com/dhow-containers/dhow/runtime/seccomp"
)

// app is one invocation of the program.
type app struct {
	globals
	in  io.Reader
	out io.Writer
	err io.Writer

	log       *slog.Logger        // debug trace, never nil once flags are read
	file      *logFile            // --log, or nil
	inherit   func() (int, error) // see function inherit
	inherited int                 // what inherit returned
	open      func(*app) store    // containers under --root
}

// globals are the flags before the verb.
type globals struct {
	root          string
	logPath       string
	logFormat     string
	debug         bool
	systemdCgroup bool
	rootless      string
	version       bool
	help          bool
}

func (g *globals) flags() []flags.Flag {
	return []flags.Flag{
		{Name: "root", Arg: "DIR", Files: flags.Dir, Value: &g.root, Help: "directory that holds the state of containers (default: /run/dhow, or $XDG_RUNTIME_DIR/dhow when not root)"},
		{Name: "log", Arg: "FILE", Files: flags.File, Value: &g.logPath, Help: "append errors, and with --debug the trace, to FILE (default: standard error)"},
		{Name: "log-format", Arg: "FORMAT", Choices: []string{"text", "json"}, Value: &g.logFormat, Help: "how log lines are written: text or json (default: text)"},
		{Name: "debug", Value: &g.debug, Help: "log what is done, step by step"},
		{Name: "systemd-cgroup", Value: &g.systemdCgroup, Help: "have systemd hold the container in a unit"},
		{Name: "rootless", Arg: "MODE", Choices: []string{"true", "false", "auto"}, Value: &g.rootless, Help: "whether the control groups may be out of reach: true, false or auto, which is true for everybody but root (default: auto)"},
		{Name: "version", Short: "v", Value: &g.version, Help: "show the version"},
		flags.Help(&g.help),
	}
}

// usageError is a command line that makes no sense; topic is the verb whose help explains it, filled in
// by runVerb.
type usageError struct {
	topic string
	err   error
}

func (e *usageError) Error() string {
	return fmt.Sprintf("%v (see '%s')", e.err, strings.TrimSpace("runtime "+e.topic)+" --help")
}

func (e *usageError) Unwrap() error { return e.err }

// main runs one command line and returns the exit code.
func (a *app) main(args []string) int {
	code, err := a.run(args)
	if err == nil {
		return code
	}
	a.report(err)
	return max(code, 1)
}

func (a *app) run(args []string) (int, error) {
	rest, err := flags.ParseLeading(a.globals.flags(), args)
	switch {
	case err != nil:
		_ = a.openLog() // so that the error is where the caller looks; it is on stderr in any case
		return 1, &usageError{err: err}
	case a.version:
		return 0, a.printVersion()
	case a.help || len(rest) == 0:
		return 0, a.printHelp()
	}
	if a.inherited, err = a.inherit(); err != nil {
		return 1, err
	}
	if err := a.openLog(); err != nil {
		return 1, err
	}
	v := findVerb(rest[0])
	switch {
	case v == nil && slices.ContainsFunc(rest[1:], func(s string) bool { return s == "-h" || s == "-help" || s == "--help" }):
		return 1, noTopic(rest[0])
	case v == nil:
		return 1, unknownVerb(rest[0])
	}
	return a.runVerb(v, rest[1:])
}

func (a *app) runVerb(v *verb, args []string) (int, error) {
	c := v.new()
	var help bool
	parse := flags.Parse
	if v.runs {
		parse = flags.ParseLeading
	}
	rest, err := parse(append(c.flags(), flags.Help(&help)), args)
	if err != nil {
		return 1, &usageError{v.name, err}
	}
	if help {
		return 0, a.printVerbHelp(v)
	}
	if err := v.checkCount(rest); err != nil {
		return 1, &usageError{v.name, err}
	}
	code, err := c.run(a, rest)
	if u := (*usageError)(nil); errors.As(err, &u) {
		u.topic = v.name
	}
	return code, err
}

// printVersion is what a caller that only asks for the version waits for. One allocation and no type
// assertion: each size of allocation, and each new pair of types, is one or two page faults of 5 µs.
func (a *app) printVersion() error {
	b := make([]byte, 0, 256)
	for _, line := range [...][2]string{
		{"runtime version ", version},
		{"commit: ", commit},
		{"spec: ", specs.Version},
		{"go: ", runtime.Version()},
		{"libseccomp: ", seccomp.Version()},
	} {
		if line[1] != "" {
			b = append(append(append(b, line[0]...), line[1]...), '\n')
		}
	}
	_, err := a.out.Write(b)
	return err
}
