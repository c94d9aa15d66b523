package doctor

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/runtime/cgroup"
	"github.com/dhow-containers/dhow/runtime/diagnose"
	"github.com/dhow-containers/dhow/runtime/plan"
	"github.com/dhow-containers/dhow/spec"
)

// linux looks for the devices, processors, memory nodes and sockets of the host that the config names.
func (r *report) linux(l *specs.Linux) {
	for _, name := range slices.Sorted(maps.Keys(l.NetDevices)) {
		if !networkDevice(name) {
			r.problem(fmt.Sprintf("linux.netDevices[%q]", name), "this network namespace has no such device", "")
		}
	}
	if l.Seccomp != nil && l.Seccomp.ListenerPath != "" {
		if text := diagnose.Absent(l.Seccomp.ListenerPath); text != "" {
			r.problem("linux.seccomp.listenerPath", text, "start the seccomp agent first")
		}
	}
	if p := l.MemoryPolicy; p != nil {
		// Relative nodes are positions among those allowed.
		if text := diagnose.OutsideNodes(p.Nodes); text != "" && !slices.Contains(p.Flags, "MPOL_F_RELATIVE_NODES") {
			r.problem("linux.memoryPolicy.nodes", fmt.Sprintf("%q: %s", p.Nodes, text), "")
		}
	}
	if l.Resources != nil {
		r.resources(l.Resources)
	}
}

func (r *report) resources(res *specs.LinuxResources) {
	if c := res.CPU; c != nil {
		if text := diagnose.OutsideCPUs(c.Cpus); text != "" {
			r.problem("linux.resources.cpu.cpus", fmt.Sprintf("%q: %s", c.Cpus, text), "")
		}
		if text := diagnose.OutsideNodes(c.Mems); text != "" {
			r.problem("linux.resources.cpu.mems", fmt.Sprintf("%q: %s", c.Mems, text), "")
		}
	}
	sizes := cgroup.HugePageSizes()
	for i, h := range res.HugepageLimits {
		if !slices.Contains(sizes, h.Pagesize) {
			r.problem(fmt.Sprintf("linux.resources.hugepageLimits[%d].pageSize", i),
				fmt.Sprintf("this host has no huge pages of %s, its sizes are: %s", h.Pagesize, strings.Join(sizes, " ")), "")
		}
	}
}

func networkDevice(name string) bool {
	request, err := unix.NewIfreq(name)
	if err != nil {
		return true // refused by the check of the config
	}
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return true
	}
	defer unix.Close(fd)
	return unix.IoctlIfreq(fd, unix.SIOCGIFINDEX, request) != unix.ENODEV
}

func (r *report) score(p *specs.Process) {
	if p.OOMScoreAdj == nil {
		return
	}
	if text := diagnose.BelowOwnScore(*p.OOMScoreAdj); text != "" {
		// The bound is the lowest score that a privileged process has set, which /proc does not show.
		r.warn("process.oomScoreAdj", text, "")
	}
}

// groups looks whether the control groups that the limits need can be made by this user.
func (r *report) groups(p *plan.Program) {
	for _, line := range p.Host {
		dir, rest, found := strings.Cut(strings.TrimPrefix(line, "mkdir "), " (")
		if !found || !strings.HasPrefix(line, "mkdir ") || strings.Contains(rest, "if possible") || strings.Contains(rest, "by systemd") {
			continue
		}
		above := filepath.Dir(dir)
		for unix.Access(above, unix.F_OK) == unix.ENOENT {
			above = filepath.Dir(above)
		}
		if err := unix.Access(above, unix.W_OK); err != nil {
			r.problem("linux.resources", fmt.Sprintf("the group %s cannot be made: %v", dir, err), "without limits no group is needed; systemd hands one to users, with Delegate=yes")
			return
		}
	}
}

// owner looks whether the root of a container's own user namespace can make what mounts need in the root file system.
func (r *report) owner(l *specs.Linux, rootfs string) {
	var st unix.Stat_t
	root, mapped := spec.HostID(l.UIDMappings, 0)
	if !mapped || unix.Stat(rootfs, &st) != nil || root == st.Uid || st.Mode&0o002 != 0 {
		return
	}
	r.warn("root.path", fmt.Sprintf("the container's root is user %d of the host, and the root file system belongs to user %d", root, st.Uid),
		"mount points that are not there cannot be made")
}
