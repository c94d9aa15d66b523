package main

import (
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
