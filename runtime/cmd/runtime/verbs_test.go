package main

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/containerd/errdefs"

	"github.com/dhow-containers/dhow/runtime/container"
)

func TestStart(t *testing.T) {
	expect(t, &fakeStore{}, "start web", "start", "web")
}

func TestState(t *testing.T) {
	f := &fakeStore{infos: []*container.Info{sampleInfo()}}
	golden(t, "state.json", expect(t, f, "state web", "state", "web"))
}

func TestDelete(t *testing.T) {
	expect(t, &fakeStore{}, "delete web", "delete", "web", false)
	expect(t, &fakeStore{}, "delete -f web", "delete", "web", true)
	expect(t, &fakeStore{}, "delete web --force", "delete", "web", true)
}

func TestDeleteMissing(t *testing.T) {
	missing := fmt.Errorf("cannot find container: %w", errdefs.ErrNotFound)
	for line, want := range map[string]int{"delete web": 1, "delete --force web": 0} {
		if code, _, errs := invoke(&fakeStore{err: missing}, strings.Fields(line)...); code != want || (errs == "") != (want == 0) {
			t.Errorf("%s: exit %d, %s", line, code, errs)
		}
	}
}

func TestPs(t *testing.T) {
	f := &fakeStore{pids: []int{os.Getpid()}}
	if got := expect(t, f, "ps -f json web", "ps", "web"); got != fmt.Sprintf("[%d]\n", os.Getpid()) {
		t.Errorf("ps -f json: %q", got)
	}
	got := expect(t, f, "ps web", "ps", "web")
	if !strings.HasPrefix(got, "UID        PID  PPID  C STIME TTY          TIME CMD\n") || strings.Count(got, "\n") != 2 {
		t.Errorf("ps: %q", got)
	}
	if got := expect(t, f, "ps web -o pid", "ps", "web"); got != fmt.Sprintf("  PID\n%5d\n", os.Getpid()) {
		t.Errorf("ps -o pid: %q", got)
	}
	if got := expect(t, f, "ps --format json web", "ps", "web"); got[0] != '[' {
		t.Errorf("ps --format json: %q", got)
	}
	refuse(t, "ps web auxz", 1, `cannot use option "auxz" of ps: only -e, -f, -w, -x, aux and -o LIST are supported (see 'runtime ps --help')`)
}
