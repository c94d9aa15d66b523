package oci

import (
	"maps"
	"slices"
	"strings"

	"github.com/dhow-containers/dhow/spec/docker"
	types "github.com/moby/moby/api/types/container"
)

// fill fills in what a client left open.
func fill(h *types.HostConfig, d *Defaults) error {
	if h.Memory > 0 && h.MemorySwap == 0 {
		h.MemorySwap = 2 * h.Memory
	}
	if h.ShmSize == 0 {
		h.ShmSize = d.ShmSize
	}
	if h.IpcMode.IsEmpty() {
		h.IpcMode = d.IpcMode
	}
	if h.CgroupnsMode.IsEmpty() {
		h.CgroupnsMode = cgroupns(h, d)
	}
	if h.OomKillDisable == nil && d.Host.OomKillDisable {
		h.OomKillDisable = new(bool)
	}
	if !labelled(h) && (h.IpcMode.IsHost() || h.PidMode.IsHost() || h.Privileged) {
		h.SecurityOpt = append(h.SecurityOpt, "label=disable")
	}
	if h.MaskedPaths == nil && !h.Privileged {
		h.MaskedPaths = append(docker.MaskedPaths(), d.Host.Thermal...)
	}
	if h.ReadonlyPaths == nil && !h.Privileged {
		h.ReadonlyPaths = docker.ReadonlyPaths()
	}
	return fillLog(&h.LogConfig, d)
}

func cgroupns(h *types.HostConfig, d *Defaults) types.CgroupnsMode {
	switch {
	case h.Privileged && !d.Host.Unified:
		return types.CgroupnsModeHost
	case d.CgroupnsMode != "":
		return d.CgroupnsMode
	case d.Host.Unified:
		return types.CgroupnsModePrivate
	default:
		return types.CgroupnsModeHost
	}
}

// labelled says whether somebody has an opinion on labels of SELinux.
func labelled(h *types.HostConfig) bool {
	return slices.ContainsFunc(h.SecurityOpt, func(o string) bool { return strings.HasPrefix(o, "label=") || strings.HasPrefix(o, "label:") })
}

// logOptions are what the log drivers understand.
var logOptions = map[string][]string{
	"json-file": {"max-file", "max-size", "compress", "labels", "labels-regex", "env", "env-regex", "tag", "mode", "max-buffer-size"},
	"local":     {"max-file", "max-size", "compress", "mode", "max-buffer-size"},
	"none":      nil,
}

// fillLog chooses the log driver, and adds the daemon's options to a container's if it is the same one.
func fillLog(l *types.LogConfig, d *Defaults) error {
	if l.Type == "" {
		l.Type = d.LogDriver
	}
	all := maps.Clone(l.Config)
	if all == nil {
		all = map[string]string{}
	}
	if l.Type == d.LogDriver {
		for key, value := range d.LogOpts {
			if _, given := all[key]; !given {
				all[key] = value
			}
		}
	}
	l.Config = all
	known, ok := logOptions[l.Type]
	if !ok {
		return invalidf("error looking up logging plugin %s: plugin %q not found", l.Type, l.Type)
	}
	for _, key := range slices.Sorted(maps.Keys(all)) {
		if l.Type != "none" && !slices.Contains(known, key) {
			return invalidf("unknown log opt '%s' for %s log driver", key, l.Type)
		}
	}
	return nil
}
