package cgroup

import (
	"path"
	"strings"
)

// place is a checked cgroupsPath.
type place struct {
	rel      string // clean, no leading slash
	relative bool   // starts at the own group, not at the root
}

// newPlace checks linux.cgroupsPath; an empty one means the container's id.
func newPlace(cgroupsPath, id string) (place, error) {
	const field = "linux.cgroupsPath"
	if cgroupsPath == "" {
		if id == "" || id == "." || id == ".." || strings.Contains(id, "/") {
			return place{}, badConfig("cannot name a control group after container id %q", id)
		}
		return place{rel: id, relative: true}, nil
	}
	if cgroupsPath[0] != '/' && strings.Count(cgroupsPath, ":") == 2 {
		return place{}, badConfig("cannot use %s %q: the form slice:prefix:name needs --systemd-cgroup", field, cgroupsPath)
	}
	for part := range strings.SplitSeq(cgroupsPath, "/") {
		if part == ".." {
			return place{}, badConfig("cannot use %s %q: it must not contain ..", field, cgroupsPath)
		}
	}
	rel := path.Clean("/" + cgroupsPath)[1:]
	if rel == "" {
		return place{}, badConfig("cannot use %s %q: a container needs a group of its own", field, cgroupsPath)
	}
	return place{rel: rel, relative: cgroupsPath[0] != '/'}, nil
}

// in returns the container's directory in one hierarchy.
func (p place) in(h *Host, controller, root string) (string, error) {
	if !p.relative {
		return root + "/" + p.rel, nil
	}
	own, err := h.own(controller)
	if err != nil {
		return "", err
	}
	if controller == "" {
		own = path.Dir(own)
	}
	return path.Join(root, own, p.rel), nil
}
