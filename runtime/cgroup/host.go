package cgroup

import (
	"bytes"
	"errors"
	"sort"
	"strings"

	"golang.org/x/sys/unix"
)

// Mode is how a host lays out its control groups.
type Mode int

const (
	// Unified hosts have one version 2 tree.
	Unified Mode = iota + 1
	// Hybrid hosts have version 1 hierarchies and a version 2 tree beside them.
	Hybrid
	// Legacy hosts have version 1 hierarchies only.
	Legacy
)

// String returns the mode's name in lower case.
func (m Mode) String() string {
	switch m {
	case Unified:
		return "unified"
	case Hybrid:
		return "hybrid"
	case Legacy:
		return "legacy"
	}
	return "unknown"
}

// mountPoint is where every distribution mounts control groups.
const mountPoint = "/sys/fs/cgroup"

// ErrNone is Detect's error for a machine, or a container, without any control group file system.
var ErrNone = errors.New("cannot find control groups: no cgroup file system is mounted at " + mountPoint)

// Host is what this machine offers. The facts that most containers do not need
// are read when Compile first asks for them, unless they are already filled in;
// a Host with all of them filled in makes Compile a pure function.
type Host struct {
	Mode Mode `json:"mode"`
	// V2Root is the mount point of the version 2 tree, "" on a legacy host.
	V2Root string `json:"v2Root,omitempty"`
	// V1 maps each version 1 controller ("memory", "name=systemd") to the mount
	// point of its hierarchy; controllers mounted together share one.
	V1 map[string]string `json:"v1,omitempty"`
	// Available lists the version 2 controllers at V2Root.
	// nil: read from cgroup.controllers when needed.
	Available []string `json:"available,omitempty"`
	// Rootless: this process may lack the permission for control groups (Plan.AllowDenied).
	// Compile then leaves device rules out on a host that has no place for them.
	Rootless bool `json:"rootless,omitempty"`
	// Own maps each controller ("" for version 2) to this process's own group,
	// as a path below the mount point. nil: read from /proc/self/cgroup when needed.
	Own map[string]string `json:"own,omitempty"`

	// roots maps a mount point to the group that is mounted there, when that is
	// not the root of the hierarchy (containers without a cgroup namespace).
	roots map[string]string
}

// Detect looks at /sys/fs/cgroup. On a unified host that is one statfs(2);
// otherwise it reads /proc/self/mountinfo too.
func Detect() (*Host, error) {
	var st unix.Statfs_t
	if err := unix.Statfs(mountPoint, &st); err == nil && st.Type == unix.CGROUP2_SUPER_MAGIC {
		return &Host{Mode: Unified, V2Root: mountPoint}, nil
	}
	data, err := readFile("/proc/self/mountinfo")
	if err != nil {
		return nil, errorf("cannot find control groups: %w", err)
	}
	h, err := hostFromMounts(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	if h == nil {
		return nil, missing{ErrNone}
	}
	return h, nil
}

// available returns the version 2 controllers that the tree's root can hand out.
func (h *Host) available() ([]string, error) {
	if h.Available != nil || h.V2Root == "" {
		return h.Available, nil
	}
	data, err := readFile(h.V2Root + "/cgroup.controllers")
	if err != nil {
		return nil, errorf("cannot list the controllers of cgroup v2: %w", err)
	}
	h.Available = append([]string{}, fields(string(data))...)
	return h.Available, nil
}

// Controllers lists what limits can be set with: the version 1 controllers that are mounted, and those of version 2.
func (h *Host) Controllers() ([]string, error) {
	list, err := h.available()
	if err != nil {
		return nil, err
	}
	list = append([]string{}, list...)
	for name := range h.V1 {
		if !strings.HasPrefix(name, "name=") {
			list = append(list, name)
		}
	}
	sort.Strings(list)
	return list, nil
}

// Accounting lists the controllers that every container's group wants for its statistics, limits or not, of
// those that a unified host has. Version 1 hierarchies count without being told.
func (h *Host) Accounting() ([]string, error) {
	if h.Mode != Unified {
		return nil, nil
	}
	there, err := h.available()
	var list []string
	for _, c := range []string{"cpu", "io", "memory", "pids"} {
		if contains(there, c) {
			list = append(list, c)
		}
	}
	return list, err
}

// own returns this process's group for a controller, below its mount point.
func (h *Host) own(controller string) (string, error) {
	if h.Own == nil {
		data, err := readFile("/proc/self/cgroup")
		if err != nil {
			return "", errorf("cannot find the own control group: %w", err)
		}
		h.Own = ownFromProc(string(data), h)
	}
	if p, ok := h.Own[controller]; ok {
		return p, nil
	}
	return "/", nil
}
