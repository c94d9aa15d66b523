package launch

import (
	"errors"
	"fmt"
	"strconv"
	"syscall"

	"github.com/moby/sys/mountinfo"
	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/runtime/plan"
)

// A mount is id-mapped by the parent, which has the power over the file system that a container with a user
// namespace of its own has not (mount_setattr(2)). The kernel takes the mapping from a user namespace, of
// which nothing else is used: a process holds it for a moment.

// idMapper opens user namespaces, one for each mapping.
type idMapper map[string]int

func (m idMapper) close() {
	for _, fd := range m {
		unix.Close(fd)
	}
}

// apply maps the ids of the detached mount that fd refers to, a copy of the one at f.Path.
func (m idMapper) apply(fd int, f *plan.File) error {
	if err := m.set(fd, f.IDMap, func() string { return fileSystem(f) }); err != nil {
		return fmt.Errorf("cannot map the ids of %q (%s): %w", f.Path, f.IDMap.Field, err)
	}
	return nil
}

// set maps the ids of a detached mount. where says what it is on.
func (m idMapper) set(fd int, id *plan.IDMap, where func() string) error {
	ns, err := m.namespace(id)
	if err != nil {
		return err
	}
	flags := uint(unix.AT_EMPTY_PATH)
	if id.Recursive {
		flags |= unix.AT_RECURSIVE
	}
	attr := unix.MountAttr{Attr_set: unix.MOUNT_ATTR_IDMAP, Userns_fd: uint64(ns)}
	switch err := unix.MountSetattr(fd, "", flags, &attr); err {
	case nil:
		return nil
	case unix.EINVAL:
		return fmt.Errorf("%s does not allow it: mount_setattr: %w", where(), err)
	default:
		return fmt.Errorf("mount_setattr: %w", err)
	}
}

// MapMount maps the ids of the detached mount that fd refers to.
func MapMount(fd int, id *plan.IDMap) error {
	mapper := idMapper{}
	defer mapper.close()
	return mapper.set(fd, id, func() string { return "its file system" })
}

// fileSystem says in words what f is on.
func fileSystem(f *plan.File) string {
	text := "its file system"
	var st unix.Statx_t
	if unix.Statx(unix.AT_FDCWD, f.Path, unix.AT_NO_AUTOMOUNT, unix.STATX_MNT_ID, &st) == nil {
		mounts, _ := mountinfo.GetMounts(func(m *mountinfo.Info) (skip, stop bool) {
			found := uint64(m.ID) == st.Mnt_id
			return !found, found
		})
		for _, m := range mounts {
			text = "the file system " + m.FSType
		}
	}
	if f.IDMap.Recursive {
		text += ", or one mounted below,"
	}
	return text
}

// namespace opens a user namespace with the mapping.
func (m idMapper) namespace(id *plan.IDMap) (int, error) {
	key := id.String()
	if fd, ok := m[key]; ok {
		return fd, nil
	}
	var fd int
	var err error
	if id.Path != "" {
		if fd, err = unix.Open(id.Path, unix.O_RDONLY|unix.O_CLOEXEC, 0); err != nil {
			err = fmt.Errorf("cannot open the user namespace %s: %w", id.Path, err)
		}
	} else {
		fd, err = newUserNamespace(id.UID, id.GID)
	}
	if err != nil {
		return -1, err
	}
	m[key] = fd
	return fd, nil
}

// newUserNamespace makes a user namespace that nobody is in. The process that makes it ends when it has
// been opened, and also when this process is killed before.
func newUserNamespace(uid, gid []specs.LinuxIDMapping) (fd int, err error) {
	image, err := Link(plan.CompileHolder(), 0)
	if err != nil {
		return -1, err
	}
	defer image.Close()
	proc, err := image.Start(Options{Stdio: [3]uintptr{0, 1, 2}, Cgroup: -1, Listener: -1, Pidfd: -1,
		UIDMappings: sysMap(uid), GIDMappings: sysMap(gid)})
	if err != nil {
		if errno := syscall.Errno(0); errors.As(err, &errno) {
			err = errno // the sentence around it is about a container
		}
		return -1, fmt.Errorf("cannot make a user namespace with the mappings: %w", err)
	}
	defer proc.Wait()
	defer proc.Forget() // hangs up: the process ends
	return unix.Open("/proc/"+strconv.Itoa(proc.Pid)+"/ns/user", unix.O_RDONLY|unix.O_CLOEXEC, 0)
}

func sysMap(list []specs.LinuxIDMapping) []syscall.SysProcIDMap {
	maps := make([]syscall.SysProcIDMap, 0, len(list))
	for _, r := range list {
		maps = append(maps, syscall.SysProcIDMap{ContainerID: int(r.ContainerID), HostID: int(r.HostID), Size: int(r.Size)})
	}
	return maps
}
