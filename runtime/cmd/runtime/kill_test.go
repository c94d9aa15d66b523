package main

import (
	"testing"

	"golang.org/x/sys/unix"
)

func TestKill(t *testing.T) {
	expect(t, &fakeStore{}, "kill web", "kill", "web", unix.SIGTERM, false)
	expect(t, &fakeStore{}, "kill --all web 9", "kill", "web", unix.SIGKILL, true)
	expect(t, &fakeStore{}, "kill -a web HUP", "kill", "web", unix.SIGHUP, true)
	expect(t, &fakeStore{}, "kill web --all KILL", "kill", "web", unix.SIGKILL, true)
	expect(t, &fakeStore{}, "kill web KILL -a", "kill", "web", unix.SIGKILL, true)
	refuse(t, "kill web FOO", 1, `cannot kill: no signal "FOO" (see 'runtime kill --help')`)
}

func TestParseSignal(t *testing.T) {
	for s, want := range map[string]unix.Signal{
		"0": 0, "9": 9, "64": 64, "TERM": 15, "SIGTERM": 15, "sigterm": 15, "term": 15, "WINCH": 28,
		"CLD": 17, "IOT": 6, "POLL": 29, "IO": 29, "USR1": 10,
		"RTMIN": 34, "SIGRTMIN+3": 37, "rtmin+30": 64, "RTMAX": 64, "RTMAX-30": 34, "RTMAX-1": 63,
	} {
		if got, err := parseSignal(s); err != nil || got != want {
			t.Errorf("parseSignal(%q) = %d, %v; want %d", s, got, err, want)
		}
	}
	for _, s := range []string{"", "SIG", "-1", "65", "99999999999999999999", "RTMIN-1", "RTMIN+31", "RTMAX+1", "RTMAX-31", "RTMIN+", "RTMIN3", "SIGSIGTERM"} {
		if got, err := parseSignal(s); err == nil {
			t.Errorf("parseSignal(%q) = %d", s, got)
		}
	}
}
