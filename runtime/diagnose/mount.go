package diagnose

import (
	"fmt"
	"os"
	"path"
	"strconv"
	"strings"

	"github.com/moby/sys/mountinfo"
	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/spec"
)

// mountRules are about the root file system and what is mounted in it.
func mountRules() []rule {
	return []rule{
		{name: "mount-source-absent", field: "mounts[", errno: []unix.Errno{unix.ENOENT, unix.ENOTDIR}, what: "cannot open", why: absentSource},
		{name: "mount-option-path", field: "mounts[", calls: []string{"fsconfig"}, errno: []unix.Errno{unix.ENOENT, unix.ENOTDIR}, why: absentInOption},
		{name: "mount-unknown-type", field: "mounts[", calls: []string{"fsopen"}, errno: []unix.Errno{unix.ENODEV}, why: unknownType},
		{name: "mount-procfs-masked", field: "mounts[", calls: []string{"fsmount", "fsconfig"}, errno: []unix.Errno{unix.EPERM}, what: "mount proc ", why: maskedProc},
		{name: "mount-sysfs-netns", field: "mounts[", calls: []string{"fsopen", "fsmount", "fsconfig"}, errno: []unix.Errno{unix.EPERM}, what: "mount sysfs ", why: foreignNetwork},
		{name: "mount-not-in-userns", field: "mounts[", calls: []string{"fsopen", "fsconfig", "fsmount"}, errno: []unix.Errno{unix.EPERM}, why: notInUserns},
		{name: "mount-destination-readonly", field: "mounts[", calls: []string{"mkdirat", "openat2", "openat", "mknodat"}, errno: []unix.Errno{unix.EROFS}, why: readOnlyDestination},
		{name: "mount-destination-denied", field: "mounts[", calls: []string{"mkdirat", "openat2", "openat", "mknodat"}, errno: []unix.Errno{unix.EACCES}, why: deniedDestination},
		{name: "pivot-on-initramfs", field: "root.path", calls: []string{"pivot_root"}, errno: []unix.Errno{unix.EINVAL},
			why: always("the host's root may be an initramfs, which cannot be pivoted away: try --no-pivot")},
		{name: "sysctl-absent", field: "linux.sysctl", errno: []unix.Errno{unix.ENOENT},
			why: always("this kernel has no such setting, or not in the container's namespaces; a module may be missing")},
		{name: "sysctl-value", field: "linux.sysctl", calls: []string{"write"}, errno: []unix.Errno{unix.EINVAL}, why: always("the kernel does not take this value")},
		{name: "sysctl-denied", field: "linux.sysctl", errno: []unix.Errno{unix.EACCES, unix.EPERM},
			why: always("it belongs to a namespace that this user does not own, or is read-only")},
	}
}

// absentSource names the first part of a source's path that is not there.
func absentSource(f *Failure) string {
	return Absent(f.quoted())
}

// absentInOption does the same for the paths in an option of overlay. Only kernels from 6.5 on say which option it was.
func absentInOption(f *Failure) string {
	if _, option, named := strings.Cut(f.What, "option "); named {
		option, _, _ = strings.Cut(option, " (")
		return AbsentLayer(option)
	}
	if f.mountType() != "overlay" {
		return ""
	}
	for _, option := range f.mount().Options {
		if text := AbsentLayer(option); text != "" {
			return text
		}
	}
	return ""
}

// AbsentLayer is [Absent] for the directories of an overlay's option, such as lowerdir=/a:/b.
func AbsentLayer(option string) string {
	key, value, _ := strings.Cut(option, "=")
	if !strings.Contains(key, "dir") {
		return ""
	}
	for name := range strings.SplitSeq(value, ":") {
		if text := Absent(name); text != "" {
			return text
		}
	}
	return ""
}

// Absent names the first part of an absolute path that the host does not have; "" when it has all.
func Absent(name string) string {
	if !path.IsAbs(name) {
		return ""
	}
	for i := 1; i <= len(name); i++ {
		if i < len(name) && name[i] != '/' {
			continue
		}
		part := name[:i]
		st, err := os.Lstat(part)
		switch {
		case err != nil && part == name:
			return fmt.Sprintf("the host has %s, and nothing named %q in it", path.Dir(part), path.Base(part))
		case err != nil:
			return fmt.Sprintf("the host has no %s", part)
		case st.Mode()&os.ModeSymlink == 0:
			continue
		}
		if _, err := os.Stat(part); err != nil {
			target, _ := os.Readlink(part)
			return fmt.Sprintf("%s is a symbolic link to %s, which the host does not have", part, target)
		}
	}
	return ""
}

// quoted is the first quoted word of the sentence.
func (f *Failure) quoted() string {
	_, rest, _ := strings.Cut(f.What, `"`)
	word, _, found := strings.Cut(rest, `"`)
	if !found {
		return ""
	}
	return word
}

// unknownType says whether the kernel knows the file system type at all.
func unknownType(f *Failure) string {
	if f.mountType() == "" {
		return ""
	}
	return UnknownFileSystem(f.mountType())
}

// UnknownFileSystem says so when this kernel does not know the file system type.
func UnknownFileSystem(name string) string {
	text, err := os.ReadFile("/proc/filesystems")
	if err != nil {
		return ""
	}
	for line := range strings.SplitSeq(string(text), "\n") {
		if fields := strings.Fields(line); len(fields) > 0 && fields[len(fields)-1] == name {
			return ""
		}
	}
	return fmt.Sprintf("this kernel has no file system type %q (/proc/filesystems); for a bind mount add the option bind", name)
}

// mount is the entry of mounts[] that is to blame.
func (f *Failure) mount() *specs.Mount {
	digits, found := strings.CutPrefix(f.Field, "mounts[")
	digits, _, _ = strings.Cut(digits, "]")
	n, err := strconv.Atoi(digits)
	if !found || err != nil || f.Config == nil || n >= len(f.Config.Mounts) {
		return nil
	}
	return &f.Config.Mounts[n]
}

func (f *Failure) mountType() string {
	if m := f.mount(); m != nil {
		return m.Type
	}
	return ""
}

// maskedProc explains the EPERM for procfs in a user namespace: the kernel demands one that is fully visible
// already (fs/namespace.c, mount_too_revealing).
func maskedProc(f *Failure) string {
	if !f.inUserns() {
		return ""
	}
	covered := MountsBelow("/proc")
	if len(covered) == 0 {
		return ""
	}
	return fmt.Sprintf("in a user namespace procfs can be mounted only where one is wholly visible, and here %s is mounted over; bind /proc instead, or unmask it",
		strings.Join(covered[:min(len(covered), 3)], ", "))
}

// MountsBelow lists the mount points below dir, those of binfmt_misc aside, which do not count.
func MountsBelow(dir string) []string {
	mounts, _ := mountinfo.GetMounts(func(m *mountinfo.Info) (skip, stop bool) {
		return !strings.HasPrefix(m.Mountpoint, dir+"/") || m.Mountpoint == dir+"/sys/fs/binfmt_misc", false
	})
	var list []string
	for _, m := range mounts {
		list = append(list, m.Mountpoint)
	}
	return list
}

func foreignNetwork(f *Failure) string {
	if !f.inUserns() || f.Config == nil || spec.NewNamespace(f.Config, specs.NetworkNamespace) {
		return ""
	}
	return "sysfs shows a network namespace, and only its owner can mount it: add a network namespace to linux.namespaces, or bind /sys"
}

func notInUserns(f *Failure) string {
	if !f.inUserns() || f.mountType() == "" {
		return ""
	}
	return fmt.Sprintf("in a user namespace the kernel may not allow to mount %s; bind a directory of the host where it is mounted", f.mountType())
}

func readOnlyDestination(f *Failure) string {
	m := f.mount()
	if m == nil {
		return ""
	}
	return fmt.Sprintf("%s does not exist in the container and cannot be made, as the file system there is read-only: make it in the image", m.Destination)
}

// deniedDestination explains the EACCES of a container whose root is nobody in particular to its root file system.
func deniedDestination(f *Failure) string {
	var st unix.Stat_t
	if f.mount() == nil || f.Config.Linux == nil || unix.Stat(f.Rootfs, &st) != nil {
		return ""
	}
	root, mapped := spec.HostID(f.Config.Linux.UIDMappings, 0)
	if !mapped || root == st.Uid {
		return ""
	}
	return fmt.Sprintf("the container's root is user %d of the host, and the root file system belongs to user %d, with mode %04o", root, st.Uid, st.Mode&0o7777)
}

// inUserns says whether the container has a user namespace of its own, or this process is in one.
func (f *Failure) inUserns() bool {
	return f.Config != nil && spec.Namespace(f.Config, specs.UserNamespace) != nil || InUserNamespace()
}
