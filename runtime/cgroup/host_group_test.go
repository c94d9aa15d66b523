package cgroup_test

import (
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dhow-containers/dhow/runtime/cgroup"
	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

func TestHostMembership(t *testing.T) {
	views(t, func(t *testing.T, h *cgroup.Host) {
		path := newPath()
		g := create(t, h, path, nil)
		p := start(t, g, "echo")
		if got := p.line(); got != "ready" {
			t.Fatalf("helper says %q", got)
		}
		pids, err := cgroup.Open(g.Paths).Pids()
		if err != nil || !slices.Equal(pids, []int{p.cmd.Process.Pid}) {
			t.Errorf("pids %v, error %v, want %d", pids, err, p.cmd.Process.Pid)
		}
		for line := range strings.SplitSeq(read(t, "/proc/"+itoa(p.cmd.Process.Pid)+"/cgroup"), "\n") {
			c := strings.Split(line, ":")[1]
			if (c == "" && h.V2Root != "" || h.V1[c] != "") && !strings.HasSuffix(line, ":"+path) {
				t.Errorf("process is in %s", line)
			}
		}
		if _, err := must(cgroup.Compile(h, path, "c2", nil)).Create(); err == nil || !strings.Contains(err.Error(), "not empty") {
			t.Errorf("second container in the same group: error %v", err)
		}
		if !g.Exists() {
			t.Error("the refused container removed the group")
		}
	})
}

func TestHostJoin(t *testing.T) {
	views(t, func(t *testing.T, h *cgroup.Host) {
		outer, inner := create(t, h, newPath(), nil), create(t, h, newPath(), nil)
		p := start(t, outer, "echo")
		p.line()
		if err := inner.Join(p.cmd.Process.Pid); err != nil {
			t.Fatal(err)
		}
		if pids, err := inner.Pids(); err != nil || len(pids) != 1 {
			t.Errorf("pids %v, error %v", pids, err)
		}
		if err := outer.Delete(); err != nil {
			t.Errorf("the group that it left: %v", err)
		}
	})
}

func TestHostKill(t *testing.T) {
	views(t, func(t *testing.T, h *cgroup.Host) {
		for _, sig := range []unix.Signal{unix.SIGKILL, unix.SIGTERM} {
			g := create(t, h, newPath(), nil)
			a, b := start(t, g, "echo"), start(t, g, "fork")
			a.line()
			if got := b.line(); got != "ok" {
				t.Fatalf("helper says %q", got)
			}
			if err := g.Kill(sig); err != nil {
				t.Fatal(err)
			}
			if got := a.signal(t); got != sig {
				t.Errorf("%v ended the first process, want %v", got, sig)
			}
			b.signal(t)
			if err := g.Delete(); err != nil {
				t.Error(err)
			}
			if err := g.Kill(sig); err != nil {
				t.Errorf("killing nothing: %v", err)
			}
		}
	})
}

func TestHostFreeze(t *testing.T) {
	views(t, func(t *testing.T, h *cgroup.Host) {
		g := create(t, h, newPath(), nil)
		p := start(t, g, "echo")
		p.line()
		expectFrozen := func(want bool) {
			t.Helper()
			if got, err := g.Frozen(); err != nil || got != want {
				t.Errorf("frozen %v, error %v, want %v", got, err, want)
			}
		}
		expectFrozen(false)
		if err := g.Freeze(); err != nil {
			t.Fatal(err)
		}
		expectFrozen(true)
		if _, err := p.in.Write([]byte("thawed\n")); err != nil {
			t.Fatal(err)
		}
		if state := read(t, "/proc/"+itoa(p.cmd.Process.Pid)+"/wchan"); !strings.Contains(state, "free") && state != "0" {
			t.Logf("frozen process waits in %s", state)
		}
		if err := g.Thaw(); err != nil {
			t.Fatal(err)
		}
		expectFrozen(false)
		if got := p.line(); got != "thawed" {
			t.Errorf("after thawing the process says %q", got)
		}
		// A frozen container can be killed.
		if err := g.Freeze(); err != nil {
			t.Fatal(err)
		}
		if err := g.Kill(unix.SIGKILL); err != nil {
			t.Fatal(err)
		}
		if got := p.signal(t); got != unix.SIGKILL {
			t.Errorf("ended by %v", got)
		}
	})
}

func TestHostDelete(t *testing.T) {
	views(t, func(t *testing.T, h *cgroup.Host) {
		g := create(t, h, newPath(), nil)
		for _, dir := range g.Paths {
			if err := os.MkdirAll(dir+"/child/grandchild", 0o755); err != nil {
				t.Fatal(err)
			}
		}
		p := start(t, g, "echo")
		p.line()
		restore := cgroup.FakeWaitLimit(time.Millisecond)
		err := g.Delete()
		restore()
		var class interface{ Conflict() }
		if !errors.As(err, &class) || !strings.Contains(err.Error(), "process "+itoa(p.cmd.Process.Pid)) {
			t.Errorf("deleting with a live process: error %v", err)
		}
		// The process leaves while Delete waits, or before.
		done := make(chan error)
		go func() { done <- g.Delete() }()
		p.in.Close()
		if err := <-done; err != nil {
			t.Errorf("deleting with a process that exits: %v", err)
		}
		if err := g.Delete(); err != nil {
			t.Errorf("deleting again: %v", err)
		}
		if g.Exists() {
			t.Error("the group exists")
		}
		if pids, err := g.Pids(); err != nil || len(pids) > 0 {
			t.Errorf("pids of nothing: %v, error %v", pids, err)
		}
	})
}

func TestHostDeleteRefusesMountPoints(t *testing.T) {
	needRoot(t)
	err := cgroup.Open(map[string]string{"": t.TempDir()}).Delete()
	if err == nil || !strings.Contains(err.Error(), "not on a cgroup file system") {
		t.Errorf("error %v", err)
	}
}

func TestHostCreateLeavesNothingBehind(t *testing.T) {
	views(t, func(t *testing.T, h *cgroup.Host) {
		path := newPath()
		p := must(cgroup.Compile(h, path+"/a/b", "c1", nil))
		last := p.Dirs[len(p.Dirs)-1]
		p.Writes = append(p.Writes, cgroup.Write{Path: last.Path + "/cgroup.procs", Value: "bogus", Field: "linux.resources.test"})
		_, err := p.Create()
		if err == nil || !strings.HasPrefix(err.Error(), "cannot set linux.resources.test: write "+last.Path) {
			t.Errorf("error %v", err)
		}
		if found := leftovers(h, path); len(found) > 0 {
			t.Errorf("left behind: %v", found)
		}
	})
}

func TestHostCreateMakesParents(t *testing.T) {
	views(t, func(t *testing.T, h *cgroup.Host) {
		path := newPath()
		t.Cleanup(func() {
			parents := map[string]string{}
			for i, r := range roots(h) {
				parents[itoa(i)] = r + path
			}
			_ = cgroup.Open(parents).Delete()
		})
		g := create(t, h, path+"/a/b", &specs.LinuxResources{})
		p := start(t, g, "echo")
		if got := p.line(); got != "ready" {
			t.Errorf("helper says %q", got)
		}
		// The group may exist, if it is empty.
		other := must(cgroup.Compile(h, path+"/a", "c2", nil))
		if _, err := other.Create(); err == nil {
			t.Error("a group with a container below it was taken")
		}
	})
}

func TestHostFrozenGroupIsRefused(t *testing.T) {
	views(t, func(t *testing.T, h *cgroup.Host) {
		path := newPath()
		g := create(t, h, path, nil)
		if err := g.Freeze(); err != nil {
			t.Fatal(err)
		}
		_, err := must(cgroup.Compile(h, path, "c1", nil)).Create()
		if err == nil || !strings.Contains(err.Error(), "frozen") {
			t.Errorf("error %v", err)
		}
	})
}

func TestHostReuse(t *testing.T) {
	views(t, func(t *testing.T, h *cgroup.Host) {
		path := newPath()
		create(t, h, path, nil)
		again := create(t, h, path, nil)
		if got := start(t, again, "echo").line(); got != "ready" {
			t.Errorf("helper says %q", got)
		}
	})
}
