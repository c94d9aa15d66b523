package archive

import (
	"io/fs"
	"os"
	"path"

	types "github.com/moby/moby/api/types/container"
	"golang.org/x/sys/unix"
)

// Stat looks at a path, of which the last part is not followed if it is a symbolic link; LinkTarget is where that
// leads inside the container. A path that ends with "/" or "/." wants a directory.
func Stat(root *os.File, p string) (*types.PathStat, error) {
	_, stat, err := look(root, clean(p))
	return stat, err
}

// look opens what is at a cleaned path, for a look at it. What the kernel's own file systems show is not there.
func look(root *os.File, p string) (fs.FileInfo, *types.PathStat, error) {
	f, err := open(root, p)
	if err != nil {
		return nil, nil, about(p, err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, nil, about(p, err)
	}
	if unreal, err := pseudo(f); err != nil || unreal {
		return nil, nil, notFound(p)
	}
	stat := &types.PathStat{Name: path.Base(p), Size: info.Size(), Mode: info.Mode(), Mtime: info.ModTime()}
	if p == "/" || p[len(p)-1] != '.' {
		stat.Name = path.Base(p)
	} else {
		stat.Name = "."
	}
	if info.Mode()&fs.ModeSymlink != 0 {
		if stat.LinkTarget, err = evaluate(root, p); err != nil {
			return nil, nil, about(p, err)
		}
	}
	return info, stat, nil
}

// pseudoTypes are the file systems whose files are no files, for statfs(2).
var pseudoTypes = map[int64]bool{
	unix.PROC_SUPER_MAGIC: true, unix.SYSFS_MAGIC: true, unix.CGROUP_SUPER_MAGIC: true, unix.CGROUP2_SUPER_MAGIC: true,
	unix.DEVPTS_SUPER_MAGIC: true, unix.DEBUGFS_MAGIC: true, unix.TRACEFS_MAGIC: true, unix.SECURITYFS_MAGIC: true,
	unix.BPF_FS_MAGIC: true, unix.PSTOREFS_MAGIC: true, unix.EFIVARFS_MAGIC: true, unix.BINFMTFS_MAGIC: true,
	unix.SELINUX_MAGIC: true, unix.NSFS_MAGIC: true,
	0x7655821:  true, // resctrl
	0x62656570: true, // configfs
	0x65735543: true, // fusectl
	0x19800202: true, // mqueue
}

// pseudo says whether a file is one of the kernel's.
func pseudo(f *os.File) (bool, error) {
	var st unix.Statfs_t
	if err := unix.Fstatfs(int(f.Fd()), &st); err != nil {
		return false, err
	}
	return pseudoTypes[st.Type], nil
}
