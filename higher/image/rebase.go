package image

import (
	"context"
	"errors"
	"os"
	"strings"

	"github.com/containerd/containerd/v2/core/mount"
	"github.com/containerd/containerd/v2/core/snapshots"
	"golang.org/x/sys/unix"
)

// Commit puts a layer on top of those below it. A directory that the layer only implies was made with default attributes,
// as the layers below were not known then; in an overlay it hides theirs, so it gets them now.
func (x *extraction) Commit(ctx context.Context, name, key string, opts ...snapshots.Opt) error {
	if err := x.complete(ctx, key, opts); err != nil {
		return err
	}
	err := x.Snapshotter.Commit(ctx, name, key, opts...)
	if err == nil && x.hooks.unpacked != nil {
		x.hooks.unpacked(name)
	}
	return err
}

func (x *extraction) complete(ctx context.Context, key string, opts []snapshots.Opt) error {
	var info snapshots.Info
	for _, o := range opts {
		if err := o(&info); err != nil {
			return err
		}
	}
	mounts, err := x.Mounts(ctx, key)
	if err != nil {
		return err
	}
	dir, _, err := destination(mounts)
	if err != nil {
		return err
	}
	x.mu.Lock()
	implied := x.implied[dir]
	delete(x.implied, dir)
	x.mu.Unlock()
	if len(implied) == 0 || info.Parent == "" {
		return nil
	}
	view := "view-" + key
	lower, err := x.View(ctx, view, info.Parent)
	if err != nil {
		return err
	}
	err = inherit(dir, lowers(lower), implied)
	if e := x.Remove(ctx, view); err == nil {
		err = e
	}
	return err
}

// lowers are the directories of a view, the top one first.
func lowers(mounts []mount.Mount) []string {
	if len(mounts) != 1 {
		return nil
	}
	for _, o := range mounts[0].Options {
		if list, ok := strings.CutPrefix(o, "lowerdir="); ok {
			return strings.Split(list, ":")
		}
	}
	return []string{mounts[0].Source}
}

// inherit gives directories of upper the attributes of the same ones below.
func inherit(upper string, lower, dirs []string) error {
	top, err := openDirectory(upper)
	if err != nil {
		return err
	}
	defer unix.Close(top)
	for _, name := range dirs {
		to, err := openBelow(top, name)
		if err != nil {
			continue // a link, or replaced by something else: not made by us
		}
		err = inheritOne(to, lower, name)
		unix.Close(to)
		if err != nil {
			return &os.PathError{Op: "set the attributes of", Path: name, Err: err}
		}
	}
	return nil
}

func inheritOne(to int, lower []string, name string) error {
	for _, dir := range lower {
		below, err := openDirectory(dir)
		if err != nil {
			return err
		}
		from, err := openBelow(below, name)
		unix.Close(below)
		if errors.Is(err, unix.ENOENT) {
			continue
		}
		if err != nil {
			return nil // something that is no directory hides what is below it
		}
		err = copyAttributes(from, to)
		unix.Close(from)
		return err
	}
	return nil
}

func openDirectory(name string) (int, error) {
	return unix.Open(name, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
}

func openBelow(root int, name string) (int, error) {
	return unix.Openat2(root, strings.TrimPrefix(name, "/"), &unix.OpenHow{
		Flags: unix.O_RDONLY | unix.O_DIRECTORY | unix.O_CLOEXEC, Resolve: unix.RESOLVE_BENEATH | unix.RESOLVE_NO_SYMLINKS,
	})
}

// copyAttributes copies owner, mode, extended attributes and times of a directory.
func copyAttributes(from, to int) error {
	var st unix.Stat_t
	if err := unix.Fstat(from, &st); err != nil {
		return err
	}
	if err := unix.Fchown(to, int(st.Uid), int(st.Gid)); err != nil {
		return err
	}
	if err := unix.Fchmod(to, st.Mode&0o7777); err != nil {
		return err
	}
	if err := copyXattrs(from, to); err != nil {
		return err
	}
	times := []unix.Timeval{unix.NsecToTimeval(st.Atim.Nano()), unix.NsecToTimeval(st.Mtim.Nano())}
	return unix.Futimes(to, times)
}

func copyXattrs(from, to int) error {
	names := make([]byte, 64<<10)
	n, err := unix.Flistxattr(from, names)
	if errors.Is(err, unix.ENOTSUP) {
		return nil
	}
	if err != nil {
		return err
	}
	value := make([]byte, 64<<10)
	for name := range strings.SplitSeq(string(names[:n]), "\x00") {
		if name == "" || strings.HasPrefix(name, "trusted.") {
			continue
		}
		size, err := unix.Fgetxattr(from, name, value)
		if err != nil {
			return err
		}
		if err := unix.Fsetxattr(to, name, value[:size], 0); err != nil {
			return err
		}
	}
	return nil
}
