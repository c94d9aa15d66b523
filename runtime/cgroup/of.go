package cgroup

import (
	"path/filepath"
	"strconv"
)

// Of returns the group that a process is in, which somebody else has made: of each hierarchy, the process's directory unless
// that is this process's own, too, or the root.
func Of(pid int) (*Group, error) {
	h, err := Detect()
	if err != nil {
		return nil, err
	}
	data, err := readFile("/proc/" + strconv.Itoa(pid) + "/cgroup")
	if err != nil {
		return nil, errorf("cannot find the control group of process %d: %w", pid, err)
	}
	g := Open(map[string]string{})
	for controller, p := range ownFromProc(string(data), h) {
		mount := h.V1[controller]
		if controller == "" {
			mount = h.V2Root
		}
		own, err := h.own(controller)
		if err != nil {
			return nil, err
		}
		if mount != "" && p != "/" && p != own {
			g.Paths[controller] = filepath.Join(mount, p)
		}
	}
	return g, nil
}
