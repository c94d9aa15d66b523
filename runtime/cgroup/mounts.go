package cgroup

import (
	"path"
	"strings"
)

// v1Controllers are the version 1 controllers that a container joins where the
// host has them, besides named hierarchies. The order is the order of a Plan.
var v1Controllers = []string{
	"cpuset", "cpu", "cpuacct", "memory", "devices", "freezer", "blkio", "pids",
	"hugetlb", "net_cls", "net_prio", "perf_event", "rdma", "misc",
}

// hostFromMounts reads the text of /proc/self/mountinfo (proc(5)). It parses by
// hand: the file is on the path of every container start on a hybrid host.
// It returns nil when no control group file system is mounted.
func hostFromMounts(text string) *Host {
	h := &Host{V1: map[string]string{}, roots: map[string]string{}}
	for line := range strings.SplitSeq(text, "\n") {
		if strings.Contains(line, " - cgroup") {
			h.addMount(line)
		}
	}
	switch {
	case len(h.V1) == 0 && h.V2Root == "":
		return nil
	case len(h.V1) == 0:
		h.Mode = Unified
	case h.V2Root == "":
		h.Mode = Legacy
	default:
		h.Mode = Hybrid
	}
	return h
}

// addMount records one mountinfo line; the first mount of a hierarchy wins.
func (h *Host) addMount(line string) {
	left, right, ok := strings.Cut(line, " - ")
	before, after := fields(left), fields(right)
	if !ok || len(before) < 5 || len(after) < 3 {
		return
	}
	root, point := unescape(before[3]), unescape(before[4])
	switch after[0] {
	case "cgroup2":
		if h.V2Root == "" {
			h.V2Root = point
			h.roots[point] = root
		}
	case "cgroup":
		for opt := range strings.SplitSeq(after[2], ",") {
			if !isController(opt) || h.V1[opt] != "" {
				continue
			}
			h.V1[opt] = point
			h.roots[point] = root
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

// unescape undoes the octal escapes of mountinfo (\040 and the like).
func unescape(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+3 < len(s) {
			b.WriteByte((s[i+1]-'0')<<6 | (s[i+2]-'0')<<3 | (s[i+3] - '0'))
			i += 3
			continue
		}
		b.WriteByte(s[i])
	}
	return b.String()
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
