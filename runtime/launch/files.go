package launch

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/runtime/plan"
)

// fds are open descriptors in the order of a Program's Files.
type fds []int

func (f fds) close() {
	for _, fd := range f {
		unix.Close(fd)
	}
}

// openFiles opens what the Program wants to inherit.
func openFiles(p *plan.Program, o Options) (opened fds, err error) {
	opened = make(fds, 0, len(p.Files))
	mapper := idMapper{}
	defer mapper.close()
	for i := range p.Files {
		fd, err := openFile(&p.Files[i], o)
		if err != nil {
			opened.close()
			return nil, err
		}
		opened = append(opened, fd)
		if f := &p.Files[i]; f.IDMap != nil {
			if err := mapper.apply(fd, f); err != nil {
				opened.close()
				return nil, err
			}
		}
	}
	return opened, nil
}

func openFile(f *plan.File, o Options) (fd int, err error) {
	switch f.Kind {
	case plan.OpenPath, plan.CgroupTask:
		fd, err = unix.Open(f.Path, f.Flags|unix.O_CLOEXEC, 0)
	case plan.OpenTree:
		fd, err = unix.OpenTree(unix.AT_FDCWD, f.Path, uint(f.Flags|unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC))
	case plan.Listener:
		fd, err = dup(o.Listener)
	case plan.Pidfd:
		fd, err = dup(o.Pidfd)
	case plan.Network:
		fd, err = dup(o.Network)
	case plan.HostProc:
		fd, err = openProcfs(f.Path)
	default:
		err = errors.New("internal error: unknown kind of file")
	}
	if err == nil {
		return fd, nil
	}
	if f.Field == "" {
		return -1, fmt.Errorf("cannot open %s: %w", f.Path, err)
	}
	return -1, fmt.Errorf("cannot open %q (%s): %w", f.Path, f.Field, err)
}

// openProcfs opens the root directory of a procfs, and nothing else.
func openProcfs(path string) (int, error) {
	fd, err := unix.Open(path, unix.O_PATH|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, err
	}
	const rootInode = 1 // PROC_ROOT_INO of the kernel's include/linux/proc_ns.h
	var fs unix.Statfs_t
	var st unix.Stat_t
	if err = errors.Join(unix.Fstatfs(fd, &fs), unix.Fstat(fd, &st)); err == nil && (fs.Type != unix.PROC_SUPER_MAGIC || st.Ino != rootInode) {
		err = errors.New("it is not a procfs")
	}
	if err != nil {
		_ = unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

func dup(fd int) (int, error) {
	return unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
}
