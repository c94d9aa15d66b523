package mount

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/shim/api"
	"github.com/dhow-containers/dhow/spec"
)

// All mounts the list on dir, one on top of the other. When one fails, those before it are taken away.
func All(list []*api.Mount, dir string) error {
	for i, m := range list {
		if err := one(m, dir); err != nil {
			return fmt.Errorf("cannot mount the root file system (rootfs[%d]): %w", i, withUndo(err, dir, i > 0))
		}
	}
	return nil
}

func withUndo(err error, dir string, mounted bool) error {
	if mounted {
		if e := Unmount(dir); e != nil {
			return fmt.Errorf("%w (and %v)", err, e)
		}
	}
	return err
}

// parsed is what the options of a mount come to.
type parsed struct {
	flags       uintptr // of the mount itself
	propagation uintptr
	data        []string // of the file system
}

func parse(options []string) (p parsed, err error) {
	for _, name := range options {
		o, known := spec.MountOption(name)
		switch {
		case name == "loop":
			return p, fmt.Errorf("the option loop is not supported")
		case !known:
			p.data = append(p.data, name)
		case o.Kind == spec.OptPropagation:
			p.propagation |= o.MSFlag
		case o.Kind == spec.OptExtension, o.Kind == spec.OptAttr && o.Recursive:
			return p, fmt.Errorf("the option %s is not supported", name)
		default:
			p.flags = p.flags&^clears(name) | o.MSFlag
		}
	}
	return p, nil
}

// clears are the flags that an option takes back.
func clears(name string) uintptr {
	switch name {
	case "rw":
		return unix.MS_RDONLY
	case "exec":
		return unix.MS_NOEXEC
	case "dev":
		return unix.MS_NODEV
	case "suid":
		return unix.MS_NOSUID
	case "async":
		return unix.MS_SYNCHRONOUS
	case "atime":
		return unix.MS_NOATIME
	case "diratime":
		return unix.MS_NODIRATIME
	}
	return 0
}

// one makes one mount. What Target names lies below dir, and may be a link that the image made: it is followed inside
// of dir only.
func one(m *api.Mount, dir string) error {
	p, err := parse(m.Options)
	if err != nil {
		return err
	}
	target, release, err := resolve(dir, m.Target)
	if err != nil {
		return err
	}
	defer release()
	if err := attach(m, &p, target); err != nil {
		return fmt.Errorf("mount %s of type %s: %w", m.Source, m.Type, err)
	}
	if m.Target != "" { // the descriptor of the target is that of what is now below the mount
		release()
		if target, release, err = resolve(dir, m.Target); err != nil {
			return err
		}
		defer release()
	}
	const bindOnly = unix.MS_BIND | unix.MS_REC
	if p.flags&unix.MS_BIND != 0 && p.flags&^bindOnly != 0 { // a bind takes its flags in a second call
		if err := unix.Mount("", target, "", p.flags&^unix.MS_REC|unix.MS_REMOUNT, ""); err != nil {
			return fmt.Errorf("remount %s with its options: %w", m.Source, err)
		}
	}
	if p.propagation != 0 {
		if err := unix.Mount("", target, "", p.propagation, ""); err != nil {
			return fmt.Errorf("set the propagation of %s: %w", m.Source, err)
		}
	}
	return nil
}

// resolve finds a path below dir.
func resolve(dir, below string) (path string, release func(), err error) {
	if below == "" {
		return dir, func() {}, nil
	}
	root, err := unix.Open(dir, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return "", nil, &os.PathError{Op: "open", Path: dir, Err: err}
	}
	defer unix.Close(root)
	how := unix.OpenHow{Flags: unix.O_PATH | unix.O_CLOEXEC, Resolve: unix.RESOLVE_IN_ROOT | unix.RESOLVE_NO_MAGICLINKS}
	fd, err := unix.Openat2(root, below, &how)
	if err != nil {
		return "", nil, &os.PathError{Op: "open", Path: below, Err: err}
	}
	open := true
	return fmt.Sprintf("/proc/thread-self/fd/%d", fd), func() {
		if open {
			unix.Close(fd)
			open = false
		}
	}, nil
}

// attach calls mount(2), which takes options of at most a page.
func attach(m *api.Mount, p *parsed, target string) error {
	data := strings.Join(p.data, ",")
	source := m.Source
	if source == "" {
		source = m.Type
	}
	if len(data) < os.Getpagesize() {
		return os.NewSyscallError("mount", unix.Mount(source, target, m.Type, p.flags, data))
	}
	base, short := shorten(p.data)
	if len(short) >= os.Getpagesize() {
		return fmt.Errorf("the options take %d bytes, more than the %d that the kernel takes", len(short), os.Getpagesize()-1)
	}
	return within(base, func() error {
		return os.NewSyscallError("mount", unix.Mount(source, target, m.Type, p.flags, short))
	})
}

// shorten makes the lower directories of an overlay relative to the directory that most of them have in common.
func shorten(data []string) (base, short string) {
	list := append([]string{}, data...)
	for i, o := range list {
		lower, ok := strings.CutPrefix(o, "lowerdir=")
		if !ok {
			continue
		}
		dirs := strings.Split(lower, ":")
		base = filepath.Dir(dirs[0])
		for _, d := range dirs {
			for base != "/" && !strings.HasPrefix(d, base+"/") {
				base = filepath.Dir(base)
			}
		}
		for j, d := range dirs {
			dirs[j] = strings.TrimPrefix(strings.TrimPrefix(d, base), "/")
		}
		list[i] = "lowerdir=" + strings.Join(dirs, ":")
	}
	return base, strings.Join(list, ",")
}

// within calls f on a thread whose working directory is dir. The thread ends with it.
func within(dir string, f func() error) error {
	result := make(chan error)
	go func() {
		runtime.LockOSThread()
		err := os.NewSyscallError("unshare", unix.Unshare(unix.CLONE_FS))
		if err == nil {
			err = os.NewSyscallError("chdir", unix.Chdir(dir))
		}
		if err == nil {
			err = f()
		}
		result <- err
	}()
	return <-result
}
