package cgroup

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// Create carries the plan out; with a unit, only what comes before the start of
// that (Start). The container's group may exist already, but it must be empty.
// On an error everything that Create made is removed again.
//
// Errors: Conflict (github.com/containerd/errdefs) when the group is in use;
// otherwise the kernel's errno is wrapped.
func (p *Plan) Create() (_ *Group, err error) {
	x := newExecutor(p)
	g := &Group{Paths: map[string]string{}}
	defer func() {
		x.close()
		if err != nil {
			x.undo()
			g.release()
		}
	}()
	for i := range p.Dirs {
		if err := x.make(i, g); err != nil {
			return nil, err
		}
	}
	if p.Unit != nil {
		g.made = x.made
	} else if err := x.run(); err != nil {
		return nil, err
	}
	x.keep(g)
	return g, nil
}

// Start starts the plan's unit with the process pid, which is thereby in the
// container's group, and writes the limits. The group is what Create returned;
// it is to be deleted when Start fails. Without a unit there is nothing to do.
//
// Errors: Conflict when a unit of this name exists, which is left alone.
func (p *Plan) Start(g *Group, pid int) error {
	if p.Unit == nil {
		return nil
	}
	accepted, err := p.Unit.start(pid)
	if accepted {
		g.Unit = p.Unit
		for i := range p.Dirs {
			if p.Dirs[i].Unit {
				g.add(&p.Dirs[i])
			}
		}
	}
	if err != nil {
		return err
	}
	x := newExecutor(p)
	defer x.close()
	for i := range p.Dirs {
		if d := &p.Dirs[i]; len(d.Controllers) > 0 && contains(g.Skipped, d.Controllers[0]) {
			x.skip(d)
		}
	}
	if err := x.run(); err != nil {
		return err
	}
	g.made = nil
	return nil
}

func newExecutor(p *Plan) *executor {
	x := &executor{plan: p, open: make([]int, len(p.Dirs))}
	for i := range x.open {
		x.open[i] = -1
	}
	return x
}

// executor carries out a Plan.
type executor struct {
	plan *Plan
	open []int    // O_PATH fd of each of plan.Dirs, -1 when it is not open
	made []string // directories that it made, in order

	file   string // the control file last written, open as fileFD; "" for none
	fileFD int
}

// run does everything that comes after the directories.
func (x *executor) run() error {
	if err := x.enable(); err != nil {
		return err
	}
	for _, c := range x.plan.checks {
		if err := c.run(); err != nil {
			return err
		}
	}
	if err := x.writeAll(x.plan.Writes); err != nil {
		return err
	}
	if err := x.delegate(); err != nil {
		return err
	}
	if x.plan.Devices == nil {
		return nil
	}
	fd, err := x.dir(x.v2())
	if err != nil {
		return err
	}
	attach := replaceFilter
	if contains(x.made, x.plan.Dirs[x.v2()].Path) {
		attach = attachFilter
	}
	if err := attach(fd, x.plan.Devices); err != nil && !(x.plan.rootless && notWritable(err)) {
		return errorf("cannot restrict devices (linux.resources.devices): %w", err)
	}
	return nil
}

// make makes one of the plan's directories and records it in the group.
func (x *executor) make(i int, g *Group) error {
	d := &x.plan.Dirs[i]
	if d.Unit {
		return checkUnit(d)
	}
	err := x.mkdir(d)
	if err != nil && d.Optional && notWritable(err) {
		g.skipped(d)
		x.skip(d)
		return nil
	}
	if err != nil && x.plan.rootless && notWritable(err) {
		return errorf("cannot make the container's cgroup (%s): %w: rootless needs no limits + no cgrouppath "+
			"when no permission is granted for cgroups", x.plan.reason(d), err)
	}
	if err != nil {
		return errorf("cannot make the container's cgroup (linux.cgroupsPath): %w", err)
	}
	g.add(d)
	return nil
}

// checkUnit refuses a unit whose group holds processes: it is somebody else's,
// and this container must not be taken for it, least of all when it is deleted.
func checkUnit(d *Dir) error {
	err := checkUnused(d.Path)
	if errors.Is(err, unix.ENOENT) {
		return nil
	}
	if err != nil {
		return errorf("cannot start a systemd unit for the container (linux.cgroupsPath): %w", err)
	}
	return nil
}

// notWritable tells a hierarchy that this process may not write from other failures.
func notWritable(err error) bool {
	return errors.Is(err, unix.EROFS) || errors.Is(err, unix.EACCES) || errors.Is(err, unix.EPERM)
}

// skip drops the writes of a directory that was left out (copies only).
func (x *executor) skip(d *Dir) {
	p := *x.plan
	p.Writes = slices.DeleteFunc(slices.Clone(p.Writes), func(w Write) bool { return path.Dir(w.Path) == d.Path })
	if len(d.Controllers) == 0 {
		p.Devices = nil
	}
	x.plan = &p
}

// mkdir makes the directory, and its parents where they are missing.
func (x *executor) mkdir(d *Dir) error {
	root, err := openGroup(d.Root)
	if err != nil {
		return err
	}
	defer unix.Close(root)
	parent, base := path.Split(d.Path[len(d.Root)+1:])
	dir := root
	if parent != "" {
		if dir, err = x.parents(root, d, strings.TrimSuffix(parent, "/")); err != nil {
			return err
		}
		defer unix.Close(dir)
	}
	switch err := unix.Mkdirat(dir, base, 0o755); err {
	case nil:
		x.made = append(x.made, d.Path)
		if parent != "" && len(d.Controllers) == 0 {
			return checkType(dir, base, d.Path)
		}
		return nil
	case unix.EEXIST:
		return checkUnused(d.Path)
	default:
		return &fs.PathError{Op: "mkdir", Path: d.Path, Err: err}
	}
}

// parents opens the directory that is to hold a group, making what is missing.
func (x *executor) parents(root int, d *Dir, rel string) (int, error) {
	fd, err := openBeneath(root, rel)
	if err == nil {
		return fd, nil
	}
	if err != unix.ENOENT {
		return -1, &fs.PathError{Op: "open", Path: d.Root + "/" + rel, Err: err}
	}
	parent, base := path.Split(rel)
	above := root
	if parent != "" {
		if above, err = x.parents(root, d, strings.TrimSuffix(parent, "/")); err != nil {
			return -1, err
		}
		defer unix.Close(above)
	}
	full := d.Root + "/" + rel
	switch err := unix.Mkdirat(above, base, 0o755); err {
	case nil:
		x.made = append(x.made, full)
	case unix.EEXIST: // another container's start was faster
	default:
		return -1, &fs.PathError{Op: "mkdir", Path: full, Err: err}
	}
	if fd, err = openBeneath(above, base); err != nil {
		return -1, &fs.PathError{Op: "open", Path: full, Err: err}
	}
	return fd, nil
}

// checkType refuses a new version 2 group that cannot hold processes: one below
// a threaded group (cgroups(7), "Thread mode").
func checkType(dir int, base, full string) error {
	data, err := readAt(dir, base+"/cgroup.type", full+"/cgroup.type")
	if err != nil {
		return err
	}
	if t := strings.TrimSpace(string(data)); t != "domain" {
		return conflicting("%s is a %s cgroup: an ancestor is in thread mode", full, t)
	}
	return nil
}

// checkUnused refuses an existing group that holds processes, or that would stop
// the container's first one before it does anything.
func checkUnused(dir string) error {
	pids, err := pidsBelow(dir)
	if err != nil {
		return err
	}
	if len(pids) > 0 {
		return conflicting("the container's cgroup is not empty: %s holds %s", dir, processes(pids))
	}
	for _, file := range []string{"/cgroup.freeze", "/freezer.self_freezing"} {
		if state, _ := readText(dir + file); state == "1" {
			return conflicting("container's cgroup unexpectedly frozen: %s", dir)
		}
	}
	return nil
}

// v2 returns the index of the plan's version 2 directory, -1 without one.
func (x *executor) v2() int {
	return slices.IndexFunc(x.plan.Dirs, func(d Dir) bool { return len(d.Controllers) == 0 })
}

// dir returns an O_PATH fd of one of the plan's directories, open until close.
func (x *executor) dir(i int) (int, error) {
	if x.open[i] >= 0 {
		return x.open[i], nil
	}
	d := &x.plan.Dirs[i]
	root, err := openGroup(d.Root)
	if err != nil {
		return -1, err
	}
	defer unix.Close(root)
	fd, err := openBeneath(root, d.Path[len(d.Root)+1:])
	if err != nil {
		return -1, &fs.PathError{Op: "open", Path: d.Path, Err: err}
	}
	x.open[i] = fd
	return fd, nil
}

// keep gives the group the fd of its version 2 directory, if that is open.
func (x *executor) keep(g *Group) {
	if i := x.v2(); i >= 0 && x.open[i] >= 0 {
		g.fd = os.NewFile(uintptr(x.open[i]), x.plan.Dirs[i].Path)
		x.open[i] = -1
	}
}

func (x *executor) close() {
	x.closeFile()
	for i, fd := range x.open {
		if fd >= 0 {
			unix.Close(fd)
			x.open[i] = -1
		}
	}
}

// undo removes the directories that Create made.
func (x *executor) undo() {
	for _, dir := range slices.Backward(x.made) {
		_ = removeDir(dir)
	}
}
