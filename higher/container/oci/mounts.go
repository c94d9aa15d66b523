package oci

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/dhow-containers/dhow/higher/volume"
	"github.com/dhow-containers/dhow/spec/docker"
	"github.com/moby/moby/api/types/mount"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// initPath is where the program of --init is in a container.
const initPath = "/sbin/docker-init"

// mounts are all mounts of a container: the kernel's own, the files in /etc, --tmpfs, and what the volume manager has
// resolved. What is further up comes first; where a user mounts something, there is nothing of ours.
func (in *Input) mounts() ([]specs.Mount, propagation, error) {
	users, root, err := in.userMounts()
	if err != nil {
		return nil, root, err
	}
	taken := map[string]bool{}
	for _, m := range users {
		taken[m.Destination] = true
	}
	var all []specs.Mount
	for _, m := range in.ownMounts() {
		if !taken[m.Destination] && !(taken["/dev"] && strings.HasPrefix(m.Destination, "/dev/")) {
			all = append(all, in.adjusted(m))
		}
	}
	for _, m := range in.files() {
		if !taken[m.Destination] {
			users = append(users, m)
		}
	}
	byDepth(users)
	all = append(all, users...)
	if in.wantsInit() {
		if in.Init == "" {
			return nil, root, fmt.Errorf("internal error: no program for --init")
		}
		all = append(all, specs.Mount{Destination: initPath, Type: "bind", Source: in.Init, Options: []string{"bind", "ro"}})
	}
	return all, root, nil
}

// byDepth sorts mounts so that none hides another.
func byDepth(mounts []specs.Mount) {
	depth := func(m specs.Mount) int { return strings.Count(m.Destination, "/") }
	slices.SortStableFunc(mounts, func(a, b specs.Mount) int {
		if d := depth(a) - depth(b); d != 0 {
			return d
		}
		return strings.Compare(a.Destination, b.Destination)
	})
}

// ownMounts are what every container has.
func (in *Input) ownMounts() []specs.Mount {
	var all []specs.Mount
	for _, m := range docker.Mounts() {
		switch {
		case m.Destination == "/dev/mqueue" && in.remapped() && in.HostConfig.IpcMode.IsHost():
			if _, err := os.Stat("/dev/mqueue"); err == nil { // the host's cannot be mounted again from a user namespace
				all = append(all, shared(m.Destination, "/dev/mqueue"))
			}
		case m.Destination != "/dev/shm":
			all = append(all, m)
		case in.HostConfig.IpcMode.IsNone():
		case in.HostConfig.IpcMode.IsHost():
			all = append(all, shared(m.Destination, "/dev/shm"))
		case in.ShmDir != "":
			all = append(all, shared(m.Destination, in.ShmDir))
		default:
			m.Options = append(m.Options, "size="+strconv.FormatInt(in.HostConfig.ShmSize, 10))
			all = append(all, m)
		}
	}
	return all
}

// shared is a mount that others have, too.
func shared(destination, source string) specs.Mount {
	return specs.Mount{Destination: destination, Type: "bind", Source: source, Options: []string{"rbind", "rprivate"}}
}

// adjusted opens what is closed to a container that is not privileged, or closes more in one that shall be read-only.
func (in *Input) adjusted(m specs.Mount) specs.Mount {
	writable := false
	switch m.Destination {
	case "/sys":
		writable = in.HostConfig.Privileged
	case "/sys/fs/cgroup":
		writable = in.writableCgroups()
	case "/proc", "/dev", "/dev/pts", "/dev/shm", "/dev/mqueue":
		return m
	}
	switch {
	case writable:
		m.Options = without(m.Options, []string{"ro"})
	case in.HostConfig.ReadonlyRootfs && !slices.Contains(m.Options, "ro"):
		m.Options = append(m.Options, "ro")
	}
	return m
}

// writableCgroups says whether the container may change its own control groups.
func (in *Input) writableCgroups() bool {
	s, err := parseSecurity(in.HostConfig, in.Defaults)
	switch {
	case in.remapped():
		return true // no way to have it read-only there
	case err == nil && s.writableCgroups != nil:
		return *s.writableCgroups
	default:
		return in.HostConfig.Privileged
	}
}

// files are those in /etc that the engine writes.
func (in *Input) files() []specs.Mount {
	var all []specs.Mount
	for _, f := range [...]struct{ source, destination string }{
		{in.ResolvConf, "/etc/resolv.conf"}, {in.Hostname, "/etc/hostname"}, {in.Hosts, "/etc/hosts"},
	} {
		if f.source == "" {
			continue
		}
		m := specs.Mount{Destination: f.destination, Type: "bind", Source: f.source, Options: []string{"rbind"}}
		if in.HostConfig.ReadonlyRootfs {
			m.Options = append(m.Options, "ro")
		}
		m.Options = append(m.Options, "rprivate")
		all = append(all, m)
	}
	return all
}

// userMounts are those that somebody asked for.
func (in *Input) userMounts() ([]specs.Mount, propagation, error) {
	var all []specs.Mount
	var root propagation
	for _, destination := range slices.Sorted(maps.Keys(in.HostConfig.Tmpfs)) {
		m, err := tmpfs(destination, strings.Split(in.HostConfig.Tmpfs[destination], ","))
		if err != nil {
			return nil, root, err
		}
		all = append(all, m)
	}
	for i := range in.Mounts {
		m := &in.Mounts[i]
		if _, taken := in.HostConfig.Tmpfs[m.Destination]; taken {
			continue
		}
		if m.Type == mount.TypeTmpfs {
			t, err := tmpfs(m.Destination, m.Options)
			if err != nil {
				return nil, root, err
			}
			all = append(all, t)
			continue
		}
		b, err := in.bind(m, &root)
		if err != nil {
			return nil, root, err
		}
		all = append(all, b)
	}
	return all, root, nil
}

// bind is the mount of a directory or file of the host's.
func (in *Input) bind(m *volume.Mount, root *propagation) (specs.Mount, error) {
	b := specs.Mount{Destination: m.Destination, Type: "bind", Source: m.Source, Options: []string{"rbind"}}
	if m.NonRecursive {
		b.Options[0] = "bind"
	}
	if !m.RW {
		word := "rro"
		if m.ReadOnlyNonRecursive {
			word = "ro"
		}
		b.Options = append(b.Options, word)
	}
	word, err := root.add(m)
	if err != nil {
		return b, err
	}
	b.Options = append(b.Options, word)
	return b, nil
}
