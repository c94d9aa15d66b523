package main

import (
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/runtime/cmd/runtime/internal/flags"
)

type killCommand struct{ all bool }

func killVerb() *verb {
	return &verb{
		name:    "kill",
		args:    "ID [SIGNAL]",
		summary: "send a signal to a container",
		about: `Sends SIGNAL to the first process of the container ID. SIGNAL is a number or a name with or without
SIG: 9, KILL, SIGKILL, RTMIN+1 (default: TERM).`,
		min: 1,
		max: 2,
		new: func() command { return &killCommand{} },
	}
}

func (c *killCommand) flags() []flags.Flag {
	return []flags.Flag{
		{Name: "all", Short: "a", Value: &c.all, Help: "send it to every process of the container"},
	}
}

func (c *killCommand) run(a *app, args []string) (int, error) {
	name := "TERM"
	if len(args) > 1 {
		name = args[1]
	}
	sig, err := parseSignal(name)
	if err != nil {
		return 1, &usageError{err: err}
	}
	return 0, a.open(a).Kill(args[0], sig, c.all)
}

// The real-time signals as the C library counts them: it keeps 32 and 33 for itself.
const (
	sigRTMin = 34
	sigRTMax = 64
)

// parseSignal reads a signal's number or name. 0 is allowed: kill(2) then only looks for the process.
func parseSignal(s string) (unix.Signal, error) {
	if n, err := strconv.Atoi(s); err == nil {
		if n < 0 || n > sigRTMax {
			return 0, fmt.Errorf("cannot kill: no signal %s", s)
		}
		return unix.Signal(n), nil
	}
	name := strings.TrimPrefix(strings.ToUpper(s), "SIG")
	if sig := realTimeSignal(name); sig != 0 {
		return sig, nil
	}
	switch name { // second names that the kernel's list leaves out
	case "CLD":
		name = "CHLD"
	case "IOT":
		name = "ABRT"
	case "POLL":
		name = "IO"
	}
	if sig := unix.SignalNum("SIG" + name); sig != 0 {
		return sig, nil
	}
	return 0, fmt.Errorf("cannot kill: no signal %q", s)
}

// realTimeSignal reads RTMIN, RTMIN+n, RTMAX and RTMAX-n; anything else gives 0.
func realTimeSignal(name string) unix.Signal {
	base := sigRTMin
	rest, ok := strings.CutPrefix(name, "RTMIN")
	if !ok {
		base = sigRTMax
		if rest, ok = strings.CutPrefix(name, "RTMAX"); !ok {
			return 0
		}
	}
	if rest == "" {
		return unix.Signal(base)
	}
	n, err := strconv.Atoi(rest)
	sign := byte('+')
	if base == sigRTMax {
		sign = '-'
	}
	if n += base; err != nil || rest[0] != sign || n < sigRTMin || n > sigRTMax {
		return 0
	}
	return unix.Signal(n)
}
