package cgroup

import (
	"io/fs"
	"strings"

	"golang.org/x/sys/unix"
)

// delegateFile lists, since Linux 4.15, the files of a version 2 group that
// belong to whom the group is delegated to (cgroups(7), "Delegation by
// changing ownership").
const delegateFile = "/sys/kernel/cgroup/delegate"

// delegated returns what that file lists, or what the specification wants in
// its place (config-linux.md, "Cgroup ownership").
func delegated() []string {
	text, err := readFile(delegateFile)
	if err != nil {
		return []string{"cgroup.procs", "cgroup.subtree_control", "cgroup.threads"}
	}
	return fields(string(text))
}

// Delegate has Create give the version 2 group to a user of the host, so that
// processes of the container can make groups below it: the directory and the
// files that the kernel lists for it, not those that hold the limits. It does
// nothing unless the host is unified: delegation is not safe in version 1.
func (p *Plan) Delegate(h *Host, uid uint32) {
	if h.Mode == Unified {
		p.Owner = &uid
	}
}

// delegate changes the owner of the version 2 group.
func (x *executor) delegate() error {
	if x.plan.Owner == nil || x.v2() < 0 {
		return nil
	}
	uid := int(*x.plan.Owner)
	dir, err := x.dir(x.v2())
	if err != nil {
		return err
	}
	path := x.plan.Dirs[x.v2()].Path
	chown := func(name string, flags int) error {
		if err := unix.Fchownat(dir, name, uid, -1, flags); err != nil && err != unix.ENOENT {
			return errorf("cannot give the container's cgroup to user %d (process.user.uid): %w",
				uid, &fs.PathError{Op: "chown", Path: path + "/" + name, Err: err})
		}
		return nil
	}
	for _, name := range delegated() {
		if strings.Contains(name, "/") {
			continue
		}
		if err := chown(name, unix.AT_SYMLINK_NOFOLLOW); err != nil {
			return err
		}
	}
	return chown("", unix.AT_EMPTY_PATH)
}
