package integration

import (
	"path/filepath"
	"strings"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

func TestVMPidsLimit(t *testing.T) {
	needV2(t, "pids")
	t.Parallel()
	r := newCLI(t)
	res := r.Run(newBundle(t, Shell("for i in 1 2 3 4 5 6 7 8; do sleep 100 & done; echo all"), pidsLimit(5)))
	if strings.Contains(res.Stdout, "all") || !strings.Contains(res.Stderr, "can't fork") {
		t.Errorf("exit %d, stdout %q, stderr %q", res.Code, res.Stdout, res.Stderr)
	}
	r.Run(newBundle(t, Shell("sleep 0.1 & wait; echo forked"), pidsLimit(2))).Exited(0).Printed("forked")
}

// bombed is a container in which a fork bomb has gone off: it holds as many processes as it may.
func bombed(t *testing.T, edits ...Edit) (r *cli, id, dir string) {
	t.Helper()
	r, id = sleeper(t, append([]Edit{pidsLimit(32)}, edits...)...)
	dir = v2dir(t, r, id)
	r.Detached("exec", "--detach", id, "sh", "-c", "bomb() { bomb & bomb & sleep 1000; }; bomb").Exited(0)
	await(t, "the explosion", func() bool {
		return v2number(t, dir, "pids.events", "max") > 0 && v2number(t, dir, "pids.current") > 16
	})
	return r, id, dir
}

// A fork bomb goes off inside, and the host does not notice.
func TestVMForkBomb(t *testing.T) {
	needV2(t, "pids")
	r, id, dir := bombed(t)
	if n := v2number(t, dir, "pids.current"); n > 32 {
		t.Errorf("%d processes", n)
	}
	r.Must("kill", id, "KILL")
	r.AwaitStatus(id, "stopped")
	r.Must("delete", id)
	if exists(dir) {
		t.Error("the group is left behind")
	}
}

// The bomb goes off in the caller's pid namespace: nobody's death ends the others.
func TestVMForkBombWithoutAPidNamespace(t *testing.T) {
	needV2(t, "pids")
	onlyDhow(t, "1.1 leaves the group behind")
	r, id, dir := bombed(t, NoNamespace(specs.PIDNamespace))
	r.Must("delete", "--force", id)
	if exists(dir) {
		t.Error("the group is left behind")
	}
}

func TestVMPidsLimitOfExec(t *testing.T) {
	needV2(t, "pids")
	t.Parallel()
	r, id := sleeper(t, pidsLimit(4))
	dir := v2dir(t, r, id)
	r.Must("exec", id, "true")
	wantV2(t, dir, map[string]string{"pids.max": "4"})
	r.Must("update", "--pids-limit", "1", id)
	r.Do("exec", id, "true").Failed()
	if s := r.State(id).Status; s != "running" {
		t.Errorf("the container is %s", s)
	}
	r.Must("update", "--pids-limit", "-1", id)
	r.Must("exec", id, "true")
	wantV2(t, filepath.Clean(dir), map[string]string{"pids.max": "max"})
}
