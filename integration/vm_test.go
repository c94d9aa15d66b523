package integration

import (
	"os"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// The tests named TestVM… need control groups of version 2 with controllers that limit. `make test-vm` has
// them in its virtual machine; on another unified host they run as well.

// inVM is true in the virtual machine of integration/vm.
func inVM() bool { return os.Getenv("DHOW_TEST_VM") != "" }

// needV2 skips a test where the host is not unified or lacks a controller.
func needV2(t *testing.T, controllers ...string) {
	t.Helper()
	needRoot(t)
	var st unix.Statfs_t
	if err := unix.Statfs("/sys/fs/cgroup", &st); err != nil || st.Type != unix.CGROUP2_SUPER_MAGIC {
		skip(t, "needs a unified host: make test-vm")
	}
	there := strings.Fields(readFile(t, "/sys/fs/cgroup/cgroup.controllers"))
	for _, c := range controllers {
		if !slices.Contains(there, c) {
			skip(t, "needs the v2 controller "+c+": make test-vm")
		}
	}
}
