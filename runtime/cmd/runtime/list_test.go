package main

import (
	"testing"
	"time"

	specs "github.com/opencontainers/runtime-spec/specs-go"

	"github.com/dhow-containers/dhow/runtime/container"
)

func TestList(t *testing.T) {
	stopped := &container.Info{
		State:  specs.State{Version: "1.3.0", ID: "a-rather-long-name", Status: specs.StateStopped, Bundle: "/b"},
		Rootfs: "/b/r", Owner: "daemon", Created: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC),
	}
	f := &fakeStore{infos: []*container.Info{stopped, sampleInfo()}}
	golden(t, "list.txt", expect(t, f, "list", "list"))
	golden(t, "list.json", expect(t, f, "list --format json", "list"))
	if got := expect(t, f, "list -q", "list"); got != "a-rather-long-name\nweb\n" {
		t.Errorf("list -q: %q", got)
	}
}

// TestListEmpty has what runc prints when there is no container.
func TestListEmpty(t *testing.T) {
	for line, want := range map[string]string{
		"list":         "ID          PID         STATUS      BUNDLE      CREATED     OWNER\n",
		"list -f json": "null\n",
		"list -q":      "",
	} {
		if got := expect(t, &fakeStore{}, line, "list"); got != want {
			t.Errorf("%s: %q", line, got)
		}
	}
}
