package cgroup

import (
	"golang.org/x/sys/unix"
)

// Kill sends a signal to every process of the group and of the groups below it.
// SIGKILL goes through cgroup.kill where there is version 2, which misses no
// fork. Otherwise the group is frozen meanwhile, for the same reason; a group
// that was frozen before stays so, except under SIGKILL in version 1, where
// frozen processes do not die. A group that is gone is no error.
func (g *Group) Kill(sig unix.Signal) error {
	if !g.Exists() {
		return nil
	}
	if dir := g.Paths[""]; dir != "" && sig == unix.SIGKILL {
		fd, err := openGroup(dir)
		if err == nil {
			err = writeAt(fd, "cgroup.kill", "1", dir+"/cgroup.kill")
			unix.Close(fd)
		}
		if err != nil && !gone(err) {
			return errorf("cannot kill the container: %w", err)
		}
		return nil
	}
	frozen, _ := g.Frozen()
	if !frozen {
		// Without a freezer, or with a process that does not stop, the signal
		// still goes to what is there.
		_ = g.Freeze()
	}
	err := g.signal(sig)
	if !frozen || sig == unix.SIGKILL {
		if thaw := g.Thaw(); err == nil && g.canFreeze() {
			err = thaw
		}
	}
	return err
}

func (g *Group) canFreeze() bool {
	dir, _, _ := g.freezer()
	return dir != ""
}

// signal sends a signal to every process; those that are gone are no error.
func (g *Group) signal(sig unix.Signal) error {
	pids, err := g.Pids()
	if err != nil {
		return err
	}
	var first error
	for _, pid := range pids {
		// 0 is a process out of sight; kill(2) would take it for the caller's
		// own process group.
		if pid <= 0 {
			continue
		}
		if err := unix.Kill(pid, sig); err != nil && err != unix.ESRCH && first == nil {
			first = errorf("cannot signal process %d of the container: %w", pid, err)
		}
	}
	return first
}
