package doctor

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/runtime/cgroup"
	"github.com/dhow-containers/dhow/runtime/checkpoint"
	"github.com/dhow-containers/dhow/runtime/container"
	"github.com/dhow-containers/dhow/runtime/diagnose"
	"github.com/dhow-containers/dhow/runtime/idmap"
	"github.com/dhow-containers/dhow/runtime/resctrl"
	"github.com/dhow-containers/dhow/spec"
)

// Host looks at this machine, as the user that asks sees it. root is --root.
func Host(root string) []Finding {
	var r report
	r.kernel()
	r.user()
	r.namespaces()
	r.controlGroups()
	r.fileSystems()
	r.procfs()
	r.memory()
	r.seccomp()
	r.labels()
	r.limits()
	r.state(root)
	r.helpers()
	return r
}

func (r *report) kernel() {
	if err := container.CheckKernel(); err != nil {
		r.problem("kernel", err.Error(), "use a newer kernel")
		return
	}
	var u unix.Utsname
	_ = unix.Uname(&u)
	r.ok("kernel", "Linux "+unix.ByteSliceToString(u.Release[:]))
}

// user looks at who asks: root with the capabilities that containers take, or an ordinary user with ids to map.
func (r *report) user() {
	if uid := os.Geteuid(); uid != 0 {
		r.subordinate(uid)
		return
	}
	var missing []string
	held := diagnose.Capabilities()
	for _, name := range [...]string{"CAP_SYS_ADMIN", "CAP_NET_ADMIN", "CAP_SETUID", "CAP_SETGID", "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_MKNOD", "CAP_SYS_CHROOT"} {
		if bit, ok := spec.Capability(name); ok && held&(1<<bit) == 0 {
			missing = append(missing, name)
		}
	}
	if missing != nil {
		r.problem("user", "root lacks "+strings.Join(missing, ", "), "give them to whatever runs this, or use a user namespace (runtime spec --rootless)")
	} else {
		r.ok("user", "root")
	}
	if bit, _ := spec.Capability("CAP_SYS_RESOURCE"); held&(1<<bit) == 0 {
		r.warn("user", "root lacks CAP_SYS_RESOURCE", "no hard limit of process.rlimits can be above this process's own, and no process.oomScoreAdj below it")
	}
}

// subordinate looks for the ids that an ordinary user may map (subuid(5)).
func (r *report) subordinate(uid int) {
	r.ok("user", fmt.Sprintf("user %d: rootless containers", uid))
	for _, name := range [...]string{"newuidmap", "newgidmap"} {
		if _, err := idmap.Helper(name); err != nil {
			r.warn("user", name+" is not in PATH", "install the package uidmap; without it only one's own id can be mapped")
		}
	}
	for _, file := range [...]string{"/etc/subuid", "/etc/subgid"} {
		if ranges, err := idmap.Ranges(file, uid); err != nil || len(ranges) == 0 {
			r.warn("user", fmt.Sprintf("%s has no line for user %d", file, uid), "add one, such as "+idmap.UserName(uid)+":100000:65536")
		}
	}
}

func (r *report) namespaces() {
	var missing []string
	for _, name := range [...]string{"mnt", "pid", "net", "ipc", "uts", "user", "cgroup", "time"} {
		if _, err := os.Lstat("/proc/self/ns/" + name); err != nil {
			missing = append(missing, name)
		}
	}
	switch reason := diagnose.UsernsForbidden(); {
	case missing != nil:
		r.warn("namespaces", "this kernel has no "+strings.Join(missing, ", ")+" namespaces", "leave them out of linux.namespaces")
	case reason != "" && os.Geteuid() != 0:
		r.problem("namespaces", "this user cannot make user namespaces: "+reason, "change the setting")
	case reason != "":
		r.warn("namespaces", "no user namespaces: "+reason, "change the setting, or do without linux.uidMappings")
	default:
		r.ok("namespaces", "all eight kinds")
	}
}

// wanted are the controllers that container engines set limits of.
var wanted = []string{"cpu", "cpuset", "io", "memory", "pids"}

func (r *report) controlGroups() {
	h, err := cgroup.Detect()
	if err != nil {
		r.problem("cgroups", err.Error(), "mount -t cgroup2 none /sys/fs/cgroup")
		return
	}
	have, err := h.Controllers()
	if err != nil {
		r.problem("cgroups", err.Error(), "")
		return
	}
	text := h.Mode.String() + " hierarchy with " + strings.Join(have, ", ")
	var missing []string
	for _, name := range wanted {
		if !slices.Contains(have, name) && !(name == "io" && slices.Contains(have, "blkio")) {
			missing = append(missing, name)
		}
	}
	if missing == nil {
		r.ok("cgroups", text)
	} else {
		r.warn("cgroups", text+", without "+strings.Join(missing, ", "), "limits of these in linux.resources are errors")
	}
	if os.Geteuid() != 0 {
		return
	}
	var st unix.Statfs_t
	if h.V2Root != "" && unix.Statfs(h.V2Root, &st) == nil && st.Flags&unix.ST_RDONLY != 0 {
		r.problem("cgroups", h.V2Root+" is mounted read-only", "mount it writable")
	}
}

func (r *report) fileSystems() {
	text, err := os.ReadFile("/proc/filesystems")
	if err != nil {
		r.problem("file systems", err.Error(), "mount procfs on /proc")
		return
	}
	known := strings.Fields(string(text))
	var missing []string
	for _, name := range [...]string{"proc", "sysfs", "tmpfs", "devpts", "mqueue", "overlay"} {
		if !slices.Contains(known, name) {
			missing = append(missing, name)
		}
	}
	if missing != nil {
		r.warn("file systems", "this kernel has no "+strings.Join(missing, ", "), "load the modules")
		return
	}
	r.ok("file systems", "all that default configs mount, and overlay")
}

func (r *report) procfs() {
	covered := diagnose.MountsBelow("/proc")
	if len(covered) == 0 {
		return
	}
	advice := "with a user namespace of their own, containers cannot mount procfs here; they can bind /proc"
	r.warn("procfs", "mounted over: "+strings.Join(covered[:min(len(covered), 3)], ", "), advice)
}

func (r *report) memory() {
	fd, err := unix.MemfdCreate("dhow-doctor", unix.MFD_CLOEXEC|unix.MFD_EXEC|unix.MFD_ALLOW_SEALING)
	switch {
	case err == unix.EACCES:
		r.problem("memfd", "programs in memory are forbidden (sysctl vm.memfd_noexec is 2)", "set it to 1")
	case err == nil:
		unix.Close(fd)
	}
}

func (r *report) seccomp() {
	text, err := os.ReadFile("/proc/sys/kernel/seccomp/actions_avail")
	if err != nil {
		r.warn("seccomp", "this kernel has none", "configs with linux.seccomp are errors")
		return
	}
	r.ok("seccomp", strings.TrimSpace(string(text)))
}

func (r *report) labels() {
	names := []string{}
	if container.HasAppArmor() {
		names = append(names, "AppArmor")
	}
	if container.HasSELinux() {
		names = append(names, "SELinux")
	}
	if len(names) == 0 {
		names = append(names, "neither AppArmor nor SELinux: labels in a config are errors")
	}
	r.ok("labels", strings.Join(names, " and "))
	if _, err := resctrl.Root(); err != nil {
		r.ok("intelRdt", "not here: "+err.Error())
	} else {
		r.ok("intelRdt", "resctrl is mounted")
	}
}

// few is a limit of open files that configs with many bind mounts reach.
const few = 256

func (r *report) limits() {
	var l unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NOFILE, &l) == nil && l.Cur < few {
		r.warn("limits", fmt.Sprintf("a process may have %d open files (RLIMIT_NOFILE)", l.Cur), "each bind mount takes one while a container is made")
	}
}

// state looks at --root, or the nearest directory above that is there.
func (r *report) state(root string) {
	dir := root
	for {
		if _, err := os.Stat(dir); err == nil || dir == "/" || dir == "." {
			break
		}
		dir = filepath.Dir(dir)
	}
	var st unix.Statfs_t
	switch err := unix.Statfs(dir, &st); {
	case err != nil:
		r.problem("--root", fmt.Sprintf("statfs %s: %v", dir, err), "choose another directory with --root")
	case st.Flags&unix.ST_RDONLY != 0:
		r.problem("--root", dir+" is on a read-only file system", "choose another directory with --root")
	case unix.Access(dir, unix.W_OK|unix.X_OK) != nil:
		r.problem("--root", "this user may not write to "+dir, "choose another directory with --root")
	case st.Bavail*uint64(st.Bsize) < 1<<20 || st.Files > 0 && st.Ffree < 16:
		r.problem("--root", dir+" is on a full file system", "make room, or choose another directory with --root")
	default:
		r.ok("--root", root)
	}
}

// helpers looks for programs that some verbs and flags run.
func (r *report) helpers() {
	if criu, err := checkpoint.Find(); err == nil {
		r.ok("criu", criu)
	} else {
		r.ok("criu", "checkpoint and restore are errors: "+err.Error())
	}
	if _, err := os.Stat("/run/systemd/system"); err == nil {
		r.ok("systemd", "running: --systemd-cgroup can be used")
	} else {
		r.ok("systemd", "not running: --systemd-cgroup is an error")
	}
}
