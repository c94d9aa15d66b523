package integration

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/runtime/container"
)

// soaking says whether the long forms of these tests were asked for (make test-soak).
func soaking() bool { return os.Getenv("DHOW_TEST_SOAK") != "" }

// often is how many times a test does its thing.
func often(quick, soak int) int {
	if soaking() {
		return soak
	}
	return quick
}

// Of many creates of one id one wins, the others say so, and the container works.
func TestConcurrentCreatesOfOneID(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	b := newBundle(t, Args("sleep", "1000"))
	for range often(3, 50) {
		id := r.ID()
		results := make([]*result, 12)
		var all sync.WaitGroup
		for i := range results {
			all.Go(func() { results[i] = r.Detached("create", "--bundle", b.Dir, id) })
		}
		all.Wait()
		won := 0
		for _, res := range results {
			switch {
			case res.Code == 0:
				won++
			case !strings.Contains(res.Stderr, "already exists"):
				t.Errorf("a loser says %q", res.Stderr)
			}
		}
		if won != 1 {
			t.Fatalf("%d of %d creates of one id came through", won, len(results))
		}
		r.Must("start", id)
		r.Do("exec", id, "true").Exited(0)
		r.Must("delete", "--force", id)
		checkGone(t, id)
	}
}

// Creates and forced deletes of one id, all at once: whatever the order, at the end delete --force cleans. None of the
// deletes fails, or waits for long.
func TestCreatesAgainstDeletes(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	b := newBundle(t, Args("sleep", "1000"))
	for range often(10, 400) {
		id := r.ID()
		var all sync.WaitGroup
		for range 6 {
			all.Go(func() { r.Detached("create", "--bundle", b.Dir, id) })
			all.Go(func() {
				begin := time.Now()
				r.Detached("delete", "--force", id).Exited(0)
				if took := time.Since(begin); took > 9*time.Second { // 10 s is when it gives up
					t.Errorf("a delete --force took %v", took)
				}
			})
		}
		all.Wait()
		r.Must("delete", "--force", id)
		checkGone(t, id)
		if left := containersIn(r.Root); len(left) > 0 {
			t.Errorf("left behind: %v", left)
		}
	}
}

// Many containers alive together, each known to list, then all deleted.
func TestManyContainersAlive(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	b := newBundle(t, Args("sleep", "1000"), DockerSeccomp)
	ids := make([]string, often(40, 500))
	inFours(len(ids), func(i int) {
		ids[i] = fmt.Sprintf("%s%d-many-%d", cycleMark, os.Getpid(), i)
		r.Detached("run", "--detach", "--bundle", b.Dir, ids[i]).Exited(0)
	})
	if running := strings.Count(r.Must("list").Stdout, " running "); running != len(ids) {
		t.Errorf("list shows %d running, want %d", running, len(ids))
	}
	inFours(len(ids), func(i int) { r.Must("delete", "--force", ids[i]) })
	for _, id := range ids {
		checkGone(t, id)
	}
	if text := r.Must("list", "--quiet").Stdout; text != "" {
		t.Errorf("left behind: %s", text)
	}
}

// inFours calls f for 0 … n-1, four at a time.
func inFours(n int, f func(int)) {
	var all sync.WaitGroup
	work := make(chan int)
	for range 4 {
		all.Go(func() {
			for i := range work {
				f(i)
			}
		})
	}
	for i := range n {
		work <- i
	}
	close(work)
	all.Wait()
}

// A disk that is full, at each of the files that a container makes there.
func TestFullDiskUnderRoot(t *testing.T) {
	t.Parallel()
	b := newBundle(t, Args("sleep", "1000"), DockerSeccomp)
	failed, succeeded := 0, 0
	for _, options := range fullDisks() {
		dir := filepath.Join(t.TempDir(), "disk")
		must(t, os.Mkdir(dir, 0o700))
		must(t, unix.Mount("none", dir, "tmpfs", 0, options))
		r := newCLI(t)
		r.Root = filepath.Join(dir, "root")
		id := r.ID()
		for _, args := range [][]string{{"create", "--bundle", b.Dir, id}, {"start", id}, {"update", "--pids-limit", "100", id}} {
			res := r.Detached(args...)
			if res.Code == 0 {
				succeeded++
				continue
			}
			failed++
			if !strings.Contains(res.Stderr, "no space left on device") || underTest.kind == Dhow && !strings.Contains(res.Stderr, "hint: the file system of --root is full") {
				t.Errorf("%s: %s says %q", options, args[0], res.Stderr)
			}
			if args[0] == "create" {
				if left := containersIn(r.Root); len(left) > 0 {
					t.Errorf("%s: a create that failed left %v", options, left)
				}
				checkGone(t, id)
				break
			}
		}
		r.Must("delete", "--force", id)
		checkGone(t, id)
		must(t, unix.Unmount(dir, unix.MNT_DETACH))
	}
	if failed < 3 || succeeded < 3 {
		t.Errorf("%d calls failed, %d succeeded: these disks do not cover the case", failed, succeeded)
	}
}

// fullDisks are options of tmpfs with room for little, and then for a little more; in the virtual machine, where each
// takes seconds, for a lot more.
func fullDisks() []string {
	var list []string
	stride := 1
	if inVM() {
		stride = 3
	}
	for n := 0; n < 12; n += stride {
		list = append(list, fmt.Sprintf("nr_inodes=%d", n+2), fmt.Sprintf("size=%dk", 4*(n+1)))
	}
	return list
}

// allIgnored has a shell ignore what can be ignored.
const allIgnored = `for s in $(seq 1 64); do trap '' $s 2>/dev/null; done; touch /tmp/ready; while :; do sleep 1000; done`

func TestInitThatIgnoresEverySignal(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	b := newBundle(t, Shell(allIgnored))
	id := r.Started(b)
	await(t, "the shell to ignore them", func() bool { return exists(filepath.Join(b.Rootfs(), "tmp/ready")) })
	for _, signal := range []string{"TERM", "INT", "HUP", "QUIT", "SEGV", "34"} {
		r.Must("kill", id, signal)
	}
	if status := r.State(id).Status; status != "running" {
		t.Errorf("it is %s", status)
	}
	r.Do("delete", id).Failed("not stopped")
	begin := time.Now()
	r.Must("delete", "--force", id)
	if took := time.Since(begin); took > 5*time.Second {
		t.Errorf("delete --force took %v", took)
	}
}

// A fork bomb under a limit of processes: exec fails with words, or works, and delete --force ends it all.
func TestForkBomb(t *testing.T) {
	needV1(t, "pids")
	t.Parallel()
	r := newCLI(t)
	limit := int64(60)
	id := r.Started(newBundle(t, Shell(`bomb() { bomb | bomb & }; bomb; while :; do sleep 1; done`), Resources(func(l *specs.LinuxResources) {
		l.Pids = &specs.LinuxPids{Limit: &limit}
	})))
	dir := cgroupsOf(id)
	await(t, "the bomb to be at its limit", func() bool {
		for _, d := range dir {
			if text, err := os.ReadFile(strings.TrimPrefix(d, "cgroup ") + "/pids.events"); err == nil && !strings.Contains(string(text), "max 0\n") {
				return true
			}
		}
		return false
	})
	for range 5 {
		if res := r.Do("exec", id, "true"); res.Code != 0 && !strings.Contains(res.Stderr, "cannot ") {
			t.Errorf("exec into it: exit %d, %s", res.Code, res.Stderr)
		}
	}
	begin := time.Now()
	r.Must("delete", "--force", id)
	if took := time.Since(begin); took > 10*time.Second {
		t.Errorf("delete --force took %v", took)
	}
}

// As a library, for as long as a shim lives: no descriptor, thread or child is left.
func TestLibraryKeepsNothing(t *testing.T) {
	onlyDhow(t, "our own library")
	needRoot(t)
	s := &container.Store{Root: filepath.Join(t.TempDir(), "root"), Rootless: "auto"}
	good, bad := newBundle(t, Args("true"), DockerSeccomp), newBundle(t, Args("no-such-program"), Bind(t.TempDir(), "/mnt"))
	cycle := func(i int) {
		id := fmt.Sprintf("dhowtest-%d-library-%d", os.Getpid(), i)
		if err := s.Create(id, container.CreateOptions{Bundle: bad.Dir}); err == nil {
			t.Fatal("a program that is not there was started")
		}
		must(t, s.Create(id, container.CreateOptions{Bundle: good.Dir}))
		pid := func() int { i, err := s.State(id); must(t, err); return i.Pid }()
		must(t, s.Start(id))
		var ws unix.WaitStatus
		_, err := unix.Wait4(pid, &ws, 0, nil)
		must(t, err)
		must(t, s.Delete(id, true))
	}
	cycle(0)
	before := used(t)
	for i := range often(30, 1000) {
		cycle(i + 1)
	}
	if after := used(t); after > before {
		t.Errorf("%d descriptors before, %d after", before, after)
	}
}

// used counts this process's open descriptors.
func used(t *testing.T) int {
	entries, err := os.ReadDir("/proc/self/fd")
	must(t, err)
	return len(entries)
}
