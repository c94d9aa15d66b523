package cgroup

import (
	"errors"
	"io/fs"
	"path"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

// Delete removes the group and every group below it, in all hierarchies. It
// kills nothing: it waits for processes that are exiting, at most ten seconds.
// A group that is gone is no error. Its systemd unit is stopped first; systemd
// does away with what it made, and the rest is removed also when that failed.
//
// Errors: Conflict (github.com/containerd/errdefs) when processes remain; the
// message names them.
func (g *Group) Delete() error {
	g.release()
	deadline := time.Now().Add(waitLimit)
	var first error
	if g.Unit != nil {
		first = g.Unit.stop()
	}
	for _, dir := range g.dirs() {
		if err := remove(dir, dir == g.Paths[""], deadline); err != nil && first == nil {
			first = err
		}
	}
	for _, dir := range slices.Backward(g.made) {
		_ = removeDir(dir)
	}
	return first
}

// remove removes a directory. It tries first and asks questions later: the
// group of a container that ran to its end is empty.
func remove(dir string, v2 bool, deadline time.Time) error {
	for {
		err := removeDir(dir)
		if err == nil || !errors.Is(err, unix.EBUSY) {
			return err
		}
		if err := removeChildren(dir, v2, deadline); err != nil {
			return err
		}
		if err := removeDir(dir); err == nil || !errors.Is(err, unix.EBUSY) {
			return err
		}
		if err = waitUnused(dir, v2, deadline); err == nil || gone(err) {
			if time.Now().Before(deadline) {
				continue
			}
			err = errTimeout
		}
		if pids, _ := pidsBelow(dir); err == errTimeout && len(pids) > 0 {
			return conflicting("cannot remove cgroup %s: %s still in it", dir, processes(pids))
		}
		return errorf("cannot remove cgroup %s: %w", dir, err)
	}
}

// removeDir removes one directory. Its parent must be on a control group file
// system: the mount points themselves are directories of a tmpfs, and removing
// one of those detaches the mount for the whole host.
func removeDir(dir string) error {
	parent, base := path.Split(dir)
	fd, err := openGroup(path.Clean(parent))
	if errors.Is(err, unix.ENOENT) {
		return nil
	}
	if err != nil {
		return errorf("cannot remove cgroup %s: %w", dir, err)
	}
	defer unix.Close(fd)
	err = unix.Unlinkat(fd, base, unix.AT_REMOVEDIR)
	if err == nil || err == unix.ENOENT {
		return nil
	}
	return errorf("cannot remove cgroup: %w", &fs.PathError{Op: "rmdir", Path: dir, Err: err})
}

// removeChildren removes the groups below a directory.
func removeChildren(dir string, v2 bool, deadline time.Time) error {
	fd, err := openGroup(dir)
	if errors.Is(err, unix.ENOENT) {
		return nil
	}
	if err != nil {
		return err
	}
	names, err := children(fd, dir)
	unix.Close(fd)
	if err != nil {
		return err
	}
	for _, name := range names {
		if err := remove(dir+"/"+name, v2, deadline); err != nil {
			return err
		}
	}
	return nil
}

// waitUnused waits until a group may have become empty.
func waitUnused(dir string, v2 bool, deadline time.Time) error {
	fd, err := openGroup(dir)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	if v2 {
		return waitEvent(fd, dir, "populated", "0", deadline)
	}
	pids, err := pidsBelow(dir)
	if err != nil {
		return err
	}
	return waitExit(pids, deadline)
}
