package integration

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/integration/facts"
)

// checkGone fails the test if anything on the host still carries a container's id: control groups of
// every hierarchy, mounts, processes.
func checkGone(t *testing.T, id string) {
	t.Helper()
	var left []string
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if left = remains(id); len(left) == 0 {
			return
		}
	}
	report := t.Errorf
	if underTest.kind == Runc && CurrentStage() == Unified {
		report = t.Logf // 1.1 now and then gives up removing a v2 group
	}
	report("left behind by %s:\n  %s", id, strings.Join(left, "\n  "))
	for _, item := range left { // the next test, and the host, should not suffer
		if dir, ok := strings.CutPrefix(item, "cgroup "); ok {
			_ = unix.Rmdir(dir)
		}
	}
}

// remains lists what carries a mark: an id or a directory of the test.
func remains(mark string) []string {
	return slices.Concat(mountsOf(mark), cgroupsOf(mark), processesOf(mark))
}

func mountsOf(mark string) []string {
	var found []string
	for _, m := range facts.Mounts("/proc/self/mountinfo") {
		if strings.Contains(m.Point, mark) || strings.Contains(m.Root, mark) {
			found = append(found, "mount "+m.Point)
		}
	}
	return found
}

// cgroupMounts are the roots of the hierarchies in this mount namespace.
func cgroupMounts() []string {
	var points []string
	for _, m := range facts.Mounts("/proc/self/mountinfo") {
		if m.Type == "cgroup" || m.Type == "cgroup2" {
			points = append(points, m.Point)
		}
	}
	return points
}

func cgroupsOf(mark string) []string {
	var found []string
	for _, root := range cgroupMounts() {
		// Groups come and go while this walks: what vanished is no leak.
		_ = filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
			if err == nil && e.IsDir() && strings.Contains(e.Name(), mark) {
				found = append([]string{"cgroup " + path}, found...) // children before parents
			}
			return nil
		})
	}
	return found
}

// processesOf finds a container's processes by their group, and a runtime's by their command line.
func processesOf(mark string) []string {
	var found []string
	for _, pid := range pids() {
		if pid == os.Getpid() || pid == os.Getppid() || ended(pid) {
			continue
		}
		dir := fmt.Sprintf("/proc/%d/", pid)
		groups, _ := os.ReadFile(dir + "cgroup")
		command, _ := os.ReadFile(dir + "cmdline")
		if strings.Contains(string(groups), mark) || strings.Contains(string(command), mark) {
			found = append(found, fmt.Sprintf("process %d %q", pid, command))
		}
	}
	return found
}

// ended is true of a process that is gone, or dead and waiting for the host's init to collect it, which
// takes some hosts seconds. One whose other threads are still on their way out has files open.
func ended(pid int) bool {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return true
	}
	_, rest, _ := strings.Cut(string(data), ") ") // after the name, see proc(5)
	threads, _ := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	return strings.HasPrefix(rest, "Z ") && strings.Fields(rest)[1] == "1" && len(threads) <= 1
}

func pids() []int {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	var pids []int
	for _, e := range entries {
		if pid, err := strconv.Atoi(e.Name()); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids
}

// containersIn lists the state directories below a root. A runtime may keep other things there, under
// names that no container can have.
func containersIn(root string) []string {
	entries, _ := os.ReadDir(root) // never made: no containers
	var found []string
	for _, e := range entries {
		if e.IsDir() && !strings.ContainsAny(e.Name(), "@ ,:") {
			found = append(found, filepath.Join(root, e.Name()))
		}
	}
	return found
}

// sweepAway checks that a state directory holds no container any more.
func sweepAway(t *testing.T, root string) {
	t.Helper()
	for _, dir := range containersIn(root) {
		t.Errorf("state directory left behind: %s", dir)
	}
	unmountBelow(t, root)
}

// unmountBelow takes away mounts that a runtime left in a directory about to be removed: removing it
// through a bind mount would reach files that are not the test's.
func unmountBelow(t *testing.T, dir string) {
	t.Helper()
	mounts := facts.Mounts("/proc/self/mountinfo")
	slices.Reverse(mounts)
	for _, m := range mounts {
		if m.Point == dir || strings.HasPrefix(m.Point, dir+"/") {
			t.Errorf("mount left behind: %s (%s)", m.Point, m.Type)
			must(t, unix.Unmount(m.Point, unix.MNT_DETACH))
		}
	}
}

// A check of one container must not find another one.
func TestIDsAreNoPartsOfEachOther(t *testing.T) {
	first := newID()
	for range 100 {
		if id := newID(); strings.Contains(id, first) {
			t.Fatalf("%s is in %s", first, id)
		}
	}
}
