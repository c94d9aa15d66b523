package integration

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/dhow-containers/dhow/integration/facts"
)

// counts is how much there is of what containers use up. Other programs of the host may come and go:
// what is counted is kept to this test's own where the kernel lets us tell.
type counts struct {
	Mounts, Cgroups, Processes, States int
}

const cycleMark = "dhowtest-cycle-"

func countAll(t *testing.T, root string) counts {
	t.Helper()
	own := cycleMark + itoa(os.Getpid()) // the same tests may run elsewhere on this host
	return counts{
		Mounts: len(facts.Mounts("/proc/self/mountinfo")), Cgroups: len(cgroupsOf(own)), Processes: len(processesOf(own)),
		States: len(containersIn(root)),
	}
}

// networks are the network namespaces that processes are in.
func networks() map[string]bool {
	found := map[string]bool{}
	for _, pid := range pids() {
		if link, err := os.Readlink("/proc/" + itoa(pid) + "/ns/net"); err == nil {
			found[link] = true
		}
	}
	return found
}

// stillThere counts the network namespaces that have come since before and stay. Others make some too, which go.
func stillThere(before, since map[string]bool) (n int) {
	for link := range networks() {
		if since[link] && !before[link] {
			n++
		}
	}
	return n
}

// Not parallel: it counts mounts and network namespaces of the whole machine.
func TestManyRunsLeaveNothing(t *testing.T) {
	r := newCLI(t)
	b := newBundle(t, Args("true"), DockerSeccomp)
	before, networksBefore := countAll(t, r.Root), networks()
	for i := range often(100, 2000) {
		r.Must("run", "--bundle", b.Dir, cycleMark+itoa(os.Getpid())+"-"+itoa(i))
	}
	since := networks()
	await(t, fmt.Sprintf("the counts to fall back to %+v", before), func() bool {
		after := countAll(t, r.Root)
		return after.Mounts == before.Mounts && after.Cgroups == 0 && after.Processes == 0 && after.States == before.States &&
			stillThere(networksBefore, since) < 10
	})
}

// The same through the separate verbs, with a failure in every other one.
func TestFailedCreatesLeaveNothing(t *testing.T) {
	r := newCLI(t)
	good, bad := newBundle(t, Args("true")), newBundle(t, Args("no-such-program"), Bind(t.TempDir(), "/mnt"))
	before := countAll(t, r.Root)
	for i := range often(20, 500) {
		id := cycleMark + itoa(os.Getpid()) + "-v" + itoa(i)
		r.Detached("create", "--bundle", bad.Dir, id).Failed()
		r.Detached("create", "--bundle", good.Dir, id).Exited(0)
		r.Must("start", id)
		r.AwaitStatus(id, "stopped")
		r.Must("delete", id)
	}
	await(t, "mounts, groups, processes and states to be gone", func() bool {
		after := countAll(t, r.Root)
		return after.Mounts == before.Mounts && after.Cgroups == 0 && after.Processes == 0 && after.States == before.States
	})
	if left := strings.Join(remains(cycleMark+itoa(os.Getpid())), "\n"); left != "" {
		t.Errorf("left behind:\n%s", left)
	}
}
