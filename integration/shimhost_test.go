package integration

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// shimHost is a containerd that runs everything with our shim.
type shimHost struct {
	*Containerd
	t      *testing.T
	rootfs string
}

// newShimHost starts a containerd for one test and, at the end, checks that nothing is left of its containers.
func newShimHost(t *testing.T) *shimHost {
	t.Helper()
	onlyDhow(t, "the shim is ours")
	t.Parallel()
	programs := containerdPrograms(t)
	dir, err := os.MkdirTemp("", "dhowcd")
	must(t, err)
	namespace := newID()
	h := &shimHost{t: t, rootfs: newBundle(t).Rootfs()}
	t.Cleanup(func() { h.checkNothingLeft(dir, namespace) })
	shims := filepath.Dir(underTest.runtime)
	if programs == "" {
		h.Containerd, err = NewContainerd(dir, namespace, shims)
	} else {
		h.Containerd, err = NewContainerd2(dir, namespace, shims, programs)
	}
	must(t, err)
	t.Cleanup(h.Close)
	return h
}

// checkNothingLeft looks for what containers may have left: state, sockets, fifos, mounts, control groups, processes.
func (h *shimHost) checkNothingLeft(dir, namespace string) {
	h.t.Helper()
	await(h.t, "the shims to end", func() bool { return len(processesOf(namespace)) == 0 })
	left := slices.Concat(mountsOf(dir), cgroupsOf(namespace+"/"))
	state := filepath.Join("/run/containerd/dhow", namespace)
	for _, pattern := range []string{state + "/[^@]*", dir + "/state/io.containerd.runtime.v2.task/" + namespace + "/*"} {
		found, _ := filepath.Glob(pattern)
		left = append(left, found...)
	}
	if len(left) > 0 {
		h.t.Errorf("left behind:\n  %s", strings.Join(left, "\n  "))
	}
	for _, group := range cgroupsOf(namespace) { // made by containerd's spec, above the containers'
		if path, ok := strings.CutPrefix(group, "cgroup "); ok {
			unix.Rmdir(path)
		}
	}
	os.RemoveAll(state)
	os.RemoveAll(dir)
}

// do runs ctr to its end.
func (h *shimHost) do(args ...string) *result { h.t.Helper(); return h.doCommand(h.Ctr(args...)) }

func (h *shimHost) doCommand(cmd *exec.Cmd) *result {
	h.t.Helper()
	return (&cli{t: h.t}).DoCommand(cmd)
}

// run is `ctr run` with flags; id and command follow.
func (h *shimHost) run(flags []string, id string, command ...string) *result {
	h.t.Helper()
	return h.doCommand(h.runCommand(flags, id, command...))
}

func (h *shimHost) runCommand(flags []string, id string, command ...string) *exec.Cmd {
	return h.Ctr(slices.Concat([]string{"run", "--runtime", ShimRuntime, "--rootfs", "--env", "PATH=/bin"}, flags, []string{h.rootfs, id}, command)...)
}

// detached starts a container that stays.
func (h *shimHost) detached(id string, flags ...string) {
	h.t.Helper()
	h.run(slices.Concat([]string{"-d", "--null-io"}, flags), id, "sleep", "1000").Exited(0)
}

// status is what `ctr task ls` says of a container.
func (h *shimHost) status(id string) string {
	for _, line := range lines(h.do("tasks", "ls").Stdout) {
		if f := strings.Fields(line); len(f) == 3 && f[0] == id {
			return f[2]
		}
	}
	return ""
}

// shims are the pids of the shims.
func (h *shimHost) shims() (pids []int) {
	for _, item := range processesOf(h.Namespace) {
		if !strings.Contains(item, "containerd-shim-dhow-v2") {
			continue
		}
		for _, word := range strings.Fields(item) {
			if pid, err := strconv.Atoi(word); err == nil {
				pids = append(pids, pid)
				break
			}
		}
	}
	return pids
}

func (h *shimHost) pid(id string) int {
	h.t.Helper()
	for _, line := range lines(h.do("tasks", "ls").Stdout) {
		if f := strings.Fields(line); len(f) == 3 && f[0] == id {
			pid, err := strconv.Atoi(f[1])
			must(h.t, err)
			return pid
		}
	}
	h.t.Fatalf("no task %s", id)
	return 0
}

// events collects what containerd publishes from now on.
func (h *shimHost) events() func() string {
	h.t.Helper()
	cmd := h.Ctr("events")
	var mu sync.Mutex
	var text strings.Builder
	out, err := cmd.StdoutPipe()
	must(h.t, err)
	must(h.t, cmd.Start())
	done := make(chan struct{})
	go func() {
		defer close(done)
		buf := make([]byte, 4096)
		for {
			n, err := out.Read(buf)
			mu.Lock()
			text.Write(buf[:n])
			mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	h.t.Cleanup(func() { cmd.Process.Kill(); <-done; cmd.Wait() })
	got := func() string { mu.Lock(); defer mu.Unlock(); return text.String() }
	await(h.t, "the subscription", func() bool { // one cannot see it: so make events until one arrives
		h.do("namespaces", "label", h.Namespace, fmt.Sprintf("x=%d", time.Now().UnixNano()))
		return got() != ""
	})
	return got
}

// topics are those of the task events, in order.
func topics(events string) (list []string) {
	for _, word := range strings.Fields(events) {
		if strings.HasPrefix(word, "/tasks/") {
			list = append(list, strings.TrimPrefix(word, "/tasks/"))
		}
	}
	return list
}
