package main

import (
	"math"
	"os"
	"strconv"
	"testing"

	"github.com/dhow-containers/dhow/runtime/container"
)

func TestActivated(t *testing.T) {
	own := strconv.Itoa(os.Getpid())
	for _, c := range []struct {
		pid, fds, names string
		want            int
	}{
		{own, "2", "a:b", 2},
		{"1", "2", "", 0},
		{"", "2", "", 0},
		{own, "", "", 0},
		{own, "-1", "", 0},
		{own, "x", "", 0},
	} {
		t.Setenv("LISTEN_PID", c.pid)
		t.Setenv("LISTEN_FDS", c.fds)
		t.Setenv("LISTEN_FDNAMES", c.names)
		var o container.CreateOptions
		if activated(&o); o.ListenFDs != c.want || o.ListenNames != c.names {
			t.Errorf("%+v: got %d %q", c, o.ListenFDs, o.ListenNames)
		}
	}
}

// The sum of both numbers is no int.
func TestTooManyActivated(t *testing.T) {
	a := &app{inherited: 2}
	for _, c := range []struct {
		listen, preserve int
		ok               bool
	}{{0, 2, true}, {2, 0, true}, {1, 1, true}, {2, 1, false}, {math.MaxInt, 1, false}, {1, math.MaxInt, false}} {
		if err := a.checkPreserved(c.listen, c.preserve); (err == nil) != c.ok {
			t.Errorf("%+v: %v", c, err)
		}
	}
}
