package integration

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// The tests named TestVM… need control groups of version 2 with controllers that limit. `make test-vm` has
// them in its virtual machine; on another unified host they run as well.

// inVM is true in the virtual machine of integration/vm.
func inVM() bool { return os.Getenv("DHOW_TEST_VM") != "" }

func unifiedHost() bool {
	var st unix.Statfs_t
	return unix.Statfs("/sys/fs/cgroup", &st) == nil && st.Type == unix.CGROUP2_SUPER_MAGIC
}

// needV2 skips a test where the host is not unified or lacks a controller.
func needV2(t *testing.T, controllers ...string) {
	t.Helper()
	needRoot(t)
	if !unifiedHost() {
		skip(t, "needs a unified host: make test-vm")
	}
	there := strings.Fields(readFile(t, "/sys/fs/cgroup/cgroup.controllers"))
	for _, c := range controllers {
		if !slices.Contains(there, c) {
			skip(t, "needs the v2 controller "+c+": make test-vm")
		}
	}
}

// v2dir is the group of a container that runs.
func v2dir(t *testing.T, r *cli, id string) string {
	t.Helper()
	return "/sys/fs/cgroup" + groupOf(t, r.State(id).Pid)
}

// wantV2 reads files of a container's group.
func wantV2(t *testing.T, dir string, want map[string]string) {
	t.Helper()
	for file, value := range want {
		if got := readFile(t, filepath.Join(dir, file)); got != value {
			t.Errorf("%s: %q, want %q", file, got, value)
		}
	}
}

// v2number reads a file of one number, or the number behind a key of a file of many ("memory.events", "oom_kill").
func v2number(t *testing.T, dir, file string, key ...string) int64 {
	t.Helper()
	text := readFile(t, filepath.Join(dir, file))
	for _, line := range lines(text) {
		fields := strings.Fields(line)
		if len(key) == 1 && len(fields) == 2 && fields[0] == key[0] {
			text = fields[1]
		}
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		t.Fatalf("%s %v: %q is no number", file, key, text)
	}
	return n
}

func ptr[T any](v T) *T { return &v }
