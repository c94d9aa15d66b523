package container

import (
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Real-time signals, as libc numbers them.
const (
	sigRTMin = 34
	sigRTMax = 64
)

// parseSignal reads a signal: a name with or without SIG, in any case, or a number.
func parseSignal(s string) (unix.Signal, error) {
	if n, err := strconv.Atoi(s); err == nil {
		if n == 0 {
			return 0, invalidf("invalid signal: %s", s)
		}
		if n < 0 || n > sigRTMax {
			return 0, invalidf("the linux daemon does not support signal %d", n)
		}
		return unix.Signal(n), nil
	}
	name := strings.TrimPrefix(strings.ToUpper(s), "SIG")
	if sig := unix.SignalNum("SIG" + name); sig != 0 {
		return sig, nil
	}
	for prefix, base := range map[string]int{"RTMIN": sigRTMin, "RTMAX": sigRTMax} {
		offset, ok := strings.CutPrefix(name, prefix)
		if !ok {
			continue
		}
		n, err := strconv.Atoi("0" + strings.TrimLeft(offset, "+-"))
		if strings.HasPrefix(offset, "-") {
			n = -n
		}
		if n += base; err == nil && n >= sigRTMin && n <= sigRTMax {
			return unix.Signal(n), nil
		}
	}
	return 0, invalidf("invalid signal: %s", s)
}

// stopSignal is what `docker stop` sends.
func (r *Record) stopSignal() unix.Signal {
	if sig, err := parseSignal(r.Config.StopSignal); err == nil {
		return sig
	}
	return unix.SIGTERM
}

// stopTimeout is how many seconds it waits then.
func (c *container) stopTimeout() int {
	if t := c.record().Config.StopTimeout; t != nil {
		return *t
	}
	return c.m.StopTimeout
}
