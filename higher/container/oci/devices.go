package oci

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/dhow-containers/dhow/spec/docker"
	types "github.com/moby/moby/api/types/container"
	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// devices are the device nodes of a container and the rules about what it may use.
func devices(h *types.HostConfig) ([]specs.LinuxDevice, []specs.LinuxDeviceCgroup, error) {
	if h.Privileged {
		return privilegedDevices(h)
	}
	nodes, rules := []specs.LinuxDevice{}, docker.DeviceRules()
	for _, d := range h.Devices {
		found, err := mapped(d)
		if err != nil {
			return nil, nil, err
		}
		for _, node := range found {
			nodes = addDevice(nodes, node)
			rules = append(rules, allowed(node, d.CgroupPermissions))
		}
	}
	for _, text := range h.DeviceCgroupRules {
		rule, err := parseRule(text)
		if err != nil {
			return nil, nil, err
		}
		rules = append(rules, rule)
	}
	return nodes, rules, nil
}

// privilegedDevices are all of the host's, and those that --device puts elsewhere.
func privilegedDevices(h *types.HostConfig) ([]specs.LinuxDevice, []specs.LinuxDeviceCgroup, error) {
	nodes, err := hostDevices("/dev")
	if err != nil {
		return nil, nil, err
	}
	for _, d := range h.Devices {
		if d.PathOnHost == d.PathInContainer {
			continue
		}
		found, err := mapped(d)
		if err != nil {
			return nil, nil, err
		}
		for _, node := range found {
			nodes = addDevice(nodes, node)
		}
	}
	return nodes, []specs.LinuxDeviceCgroup{{Allow: true, Access: "rwm"}}, nil
}

// addDevice adds a node; the last one of a path counts.
func addDevice(nodes []specs.LinuxDevice, node specs.LinuxDevice) []specs.LinuxDevice {
	nodes = slices.DeleteFunc(nodes, func(n specs.LinuxDevice) bool { return n.Path == node.Path })
	return append(nodes, node)
}

// hostDevices lists the nodes below a directory but for what every container has its own of.
func hostDevices(dir string) ([]specs.LinuxDevice, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("cannot list the devices of the host: %w", err)
	}
	nodes := []specs.LinuxDevice{}
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		switch e.Name() {
		case "pts", "shm", "fd", "mqueue", ".lxc", ".lxd-mounts", ".udev", "console":
			continue
		}
		if e.IsDir() {
			below, err := hostDevices(path)
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				return nil, err
			}
			nodes = append(nodes, below...)
			continue
		}
		if node, err := deviceAt(path); err == nil && node.Type != "p" {
			nodes = append(nodes, node)
		}
	}
	return nodes, nil
}

var errNoDevice = errors.New("not a device node")

// deviceAt reads a device node of the host's.
func deviceAt(path string) (specs.LinuxDevice, error) {
	var st unix.Stat_t
	if err := lstat(path, &st); err != nil {
		return specs.LinuxDevice{}, err
	}
	mode := os.FileMode(st.Mode & 0o7777)
	d := specs.LinuxDevice{
		Path: path, Major: int64(unix.Major(st.Rdev)), Minor: int64(unix.Minor(st.Rdev)),
		FileMode: &mode, UID: &st.Uid, GID: &st.Gid,
	}
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFBLK:
		d.Type = "b"
	case unix.S_IFCHR:
		d.Type = "c"
	case unix.S_IFIFO:
		d.Type = "p"
	default:
		return d, errNoDevice
	}
	return d, nil
}

var lstat = unix.Lstat

// mapped finds what --device names: a device, or all of those in a directory.
func mapped(m types.DeviceMapping) ([]specs.LinuxDevice, error) {
	source := m.PathOnHost
	if path, err := filepath.EvalSymlinks(source); err == nil {
		source = path
	}
	failed := func(err error) error {
		return invalidf("error gathering device information while adding custom device %q: %v", m.PathOnHost, err)
	}
	node, err := deviceAt(source)
	if err == nil {
		node.Path = m.PathInContainer
		return []specs.LinuxDevice{node}, nil
	}
	if !errors.Is(err, errNoDevice) {
		return nil, failed(err)
	}
	var nodes []specs.LinuxDevice
	walk := func(path string, _ fs.DirEntry, _ error) error {
		if node, err := deviceAt(path); err == nil && node.Type != "p" { // which needs no permission
			node.Path = m.PathInContainer + strings.TrimPrefix(path, source)
			nodes = append(nodes, node)
		}
		return nil
	}
	if err := filepath.WalkDir(source, walk); err != nil {
		return nil, failed(err)
	}
	if nodes == nil {
		return nil, failed(err)
	}
	return nodes, nil
}

func allowed(d specs.LinuxDevice, access string) specs.LinuxDeviceCgroup {
	if access == "" {
		access = "rwm"
	}
	return specs.LinuxDeviceCgroup{Allow: true, Type: d.Type, Major: &d.Major, Minor: &d.Minor, Access: access}
}

// parseRule reads a --device-cgroup-rule, "c 5:* rw".
func parseRule(text string) (specs.LinuxDeviceCgroup, error) {
	invalid := invalidf("invalid device cgroup rule format: '%s'", text)
	part := strings.Split(text, " ")
	if len(part) != 3 || len(part[0]) != 1 || !strings.Contains("acb", part[0]) || !validAccess(part[2]) {
		return specs.LinuxDeviceCgroup{}, invalid
	}
	majorWord, minorWord, ok := strings.Cut(part[1], ":")
	major, ok1 := deviceNumber(majorWord)
	minor, ok2 := deviceNumber(minorWord)
	if !ok || !ok1 || !ok2 {
		return specs.LinuxDeviceCgroup{}, invalid
	}
	return specs.LinuxDeviceCgroup{Allow: true, Type: part[0], Major: &major, Minor: &minor, Access: part[2]}, nil
}

// deviceNumber reads a number or "*", which is -1.
func deviceNumber(s string) (int64, bool) {
	if s == "*" {
		return -1, true
	}
	n, err := strconv.ParseUint(s, 10, 31)
	return int64(n), err == nil
}

// validAccess says whether a word has one to three letters of r, w and m.
func validAccess(s string) bool {
	return s != "" && len(s) <= 3 && strings.Trim(s, "rwm") == ""
}

// checkDevices checks what can be checked before a start: devices may come and go.
func checkDevices(h *types.HostConfig) error {
	for _, d := range h.Devices {
		if d.PathOnHost == "" {
			return invalidf("invalid device specification: the path on the host is empty")
		}
		if !filepath.IsAbs(d.PathInContainer) {
			return invalidf("%s is not an absolute path", d.PathInContainer)
		}
		if d.CgroupPermissions != "" && !validAccess(d.CgroupPermissions) {
			return invalidf("invalid device mode: %s", d.CgroupPermissions)
		}
	}
	for _, text := range h.DeviceCgroupRules {
		if _, err := parseRule(text); err != nil {
			return err
		}
	}
	for _, r := range h.DeviceRequests {
		return invalidf("could not select device driver %q with capabilities: %v", r.Driver, r.Capabilities)
	}
	return nil
}
