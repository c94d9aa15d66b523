package cgroup

import (
	"io"
	"path"
	"strings"

	"github.com/moby/sys/mountinfo"
)

// v1Controllers are the version 1 controllers that a container joins where the
// host has them, besides named hierarchies. The order is the order of a Plan.
var v1Controllers = []string{
	"cpuset", "cpu", "cpuacct", "memory", "devices", "freezer", "blkio", "pids",
	"hugetlb", "net_cls", "net_prio", "perf_event", "rdma", "misc",
}

// hostFromMounts looks through /proc/self/mountinfo (proc(5)) for control group file systems. It returns
// nil when there is none.
func hostFromMounts(mountinfoFile io.Reader) (*Host, error) {
	h := &Host{V1: map[string]string{}, roots: map[string]string{}}
	mounts, err := mountinfo.GetMountsFromReader(mountinfoFile, mountinfo.FSTypeFilter("cgroup", "cgroup2"))
	if err != nil {
		return nil, errorf("cannot find control groups: %w", err)
	}
	for _, m := range mounts {
		h.addMount(m)
	}
	switch {
	case len(h.V1) == 0 && h.V2Root == "":
		return nil, nil
	case len(h.V1) == 0:
		h.Mode = Unified
	case h.V2Root == "":
		h.Mode = Legacy
	default:
		h.Mode = Hybrid
	}
	return h, nil
}

// addMount records one mount; the first mount of a hierarchy wins.
func (h *Host) addMount(m *mountinfo.Info) {
	switch m.FSType {
	case "cgroup2":
		if h.V2Root == "" {
			h.V2Root = m.Mountpoint
			h.roots[m.Mountpoint] = m.Root
		}
	case "cgroup":
		for opt := range strings.SplitSeq(m.VFSOptions, ",") {
			if !isController(opt) || h.V1[opt] != "" {
				continue
			}
			h.V1[opt] = m.Mountpoint
			h.roots[m.Mountpoint] = m.Root
		}
	}
}

// isController tells a controller from the other super block options.
func isController(opt string) bool {
	if strings.HasPrefix(opt, "name=") {
		return true
	}
	for _, c := range v1Controllers {
		if c == opt {
			return true
		}
	}
	return false
}

// ownFromProc reads the text of /proc/self/cgroup (cgroups(7)): lines of
// hierarchy-id:controllers:path, version 2 with id 0 and no controllers.
func ownFromProc(text string, h *Host) map[string]string {
	own := map[string]string{}
	for line := range strings.SplitSeq(text, "\n") {
		parts := strings.SplitN(line, ":", 3)
		if len(parts) < 3 {
			continue
		}
		if parts[0] == "0" && parts[1] == "" {
			own[""] = below(parts[2], h.roots[h.V2Root])
			continue
		}
		for c := range strings.SplitSeq(parts[1], ",") {
			own[c] = below(parts[2], h.roots[h.V1[c]])
		}
	}
	return own
}

// below turns a path of /proc/self/cgroup into one below the mount point of a
// mount that shows the group root. A path outside of the mount ("/../x" in a
// cgroup namespace) becomes the mount's own root.
func below(p, root string) string {
	if root != "" && root != "/" {
		rest, ok := strings.CutPrefix(p, root)
		if !ok || rest != "" && rest[0] != '/' {
			return "/"
		}
		p = rest
	}
	if strings.HasPrefix(p, "/..") {
		return "/"
	}
	return path.Clean("/" + p)
}
