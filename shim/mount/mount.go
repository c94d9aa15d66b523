package mount

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/shim/api"
)

// All mounts the list on dir, one on top of the other. When one fails, those before it are taken away. For ids that are
// mapped a child process is made, which the caller must not reap.
func All(list []*api.Mount, dir string) error { return all(list, dir, dir+mappedSuffix, within) }

// One makes a single mount that is no root file system, as All does.
func One(m *api.Mount, dir string) error {
	if err := one(m, dir, dir+mappedSuffix, within); err != nil {
		return withUndo(err, dir)
	}
	return nil
}

// AllHere is All for a thread that has a mount namespace of its own, and so a working directory of its own, which
// changes: everything is done on the calling thread.
func AllHere(list []*api.Mount, dir string) error {
	return all(list, dir, dir, func(base string, f func() error) error {
		if err := unix.Chdir(base); err != nil {
			return &os.PathError{Op: "chdir", Path: base, Err: err}
		}
		return f()
	})
}

// all makes mounts; mapped is where the layers of an overlay are mounted meanwhile whose ids are mapped, and in calls a
// function with a working directory.
func all(list []*api.Mount, dir, mapped string, in func(dir string, f func() error) error) error {
	for i, m := range list {
		if err := one(m, dir, mapped, in); err != nil {
			return fmt.Errorf("cannot mount the root file system (rootfs[%d]): %w", i, withUndo(err, dir))
		}
	}
	return nil
}

func withUndo(err error, dir string) error {
	if e := Unmount(dir); e != nil {
		return fmt.Errorf("%w (and %v)", err, e)
	}
	return err
}

// one makes one mount. What Target names lies below dir, and may be a link that the image made: it is followed inside
// of dir only.
func one(m *api.Mount, dir, mapped string, in func(dir string, f func() error) error) error {
	o, err := parse(m.Options)
	if err != nil {
		return err
	}
	o.in, o.mapped = in, mapped
	target, release, err := resolve(dir, m.Target)
	if err != nil {
		return err
	}
	defer func() { release() }()
	if err := attach(m, o, dir, target); err != nil {
		return fmt.Errorf("mount %s of type %s: %w", m.Source, m.Type, err)
	}
	if m.Target != "" { // the descriptor of the target is that of what is now below the mount
		release()
		if target, release, err = resolve(dir, m.Target); err != nil {
			release = func() {}
			return err
		}
	}
	return o.adjust(m, target)
}

// adjust gives a mount the attributes and the propagation that its options ask for.
func (o *options) adjust(m *api.Mount, target string) error {
	for _, a := range [...]struct {
		set, clear uint64
		flags      uint
	}{{o.attr.Set, o.attr.Clr, 0}, {o.recursive.Set, o.recursive.Clr, unix.AT_RECURSIVE}} {
		if a.set|a.clear == 0 {
			continue
		}
		attr := &unix.MountAttr{Attr_set: a.set, Attr_clr: a.clear}
		if err := unix.MountSetattr(unix.AT_FDCWD, target, a.flags, attr); err != nil {
			return fmt.Errorf("set the attributes of %s (%s): %w", m.Source, strings.Join(m.Options, ","), os.NewSyscallError("mount_setattr", err))
		}
	}
	for _, p := range o.propagation {
		if err := unix.Mount("", target, "", p, ""); err != nil {
			return fmt.Errorf("set the propagation of %s: %w", m.Source, os.NewSyscallError("mount", err))
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

// attach makes the mount itself.
func attach(m *api.Mount, o *options, dir, target string) error {
	source := m.Source
	if o.loop {
		device, err := attachLoop(source, o)
		if err != nil {
			return err
		}
		defer device.Close()
		source = device.Name()
	}
	switch id := o.idMap(); {
	case id == nil:
	case m.Type == "overlay":
		return withMappedLowers(o, dir, func(data []string) error { return call(m, o, source, target, data) })
	case o.bind():
		fd, err := clone(source, id)
		if err != nil {
			return err
		}
		defer unix.Close(fd)
		return os.NewSyscallError("move_mount", unix.MoveMount(fd, "", unix.AT_FDCWD, target, unix.MOVE_MOUNT_F_EMPTY_PATH|unix.MOVE_MOUNT_T_SYMLINKS))
	default:
		return errors.New("the options uidmap and gidmap are for overlays and binds")
	}
	return call(m, o, source, target, o.data)
}

// call calls mount(2), which takes options of at most a page.
func call(m *api.Mount, o *options, source, target string, words []string) error {
	data := strings.Join(words, ",")
	if source == "" {
		source = m.Type
	}
	flags := o.flags
	if o.bind() {
		flags &= unix.MS_BIND | unix.MS_REC // the attributes are for adjust, and the super block is another's
	}
	if len(data) < os.Getpagesize() {
		return os.NewSyscallError("mount", unix.Mount(source, target, m.Type, flags, data))
	}
	base, short := shorten(words)
	if len(short) >= os.Getpagesize() {
		return fmt.Errorf("the options take %d bytes, more than the %d that the kernel takes", len(short), os.Getpagesize()-1)
	}
	return o.in(base, func() error {
		return os.NewSyscallError("mount", unix.Mount(source, target, m.Type, flags, short))
	})
}
