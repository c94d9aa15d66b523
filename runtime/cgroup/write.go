package cgroup

import (
	"errors"
	"io/fs"
	"path"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// writeAll makes the writes in order. Some limits bound each other, and which of
// them has to change first depends on what is set now (memory and memory+swap,
// quota, period and burst): a write that the kernel refuses as invalid or busy
// is tried again after the others, for as long as that leads to anything.
func (x *executor) writeAll(pending []Write) error {
	for len(pending) > 0 {
		var refused []Write
		var first error
		for i := range pending {
			err := x.write(&pending[i])
			switch {
			case err == nil:
			case errors.Is(err, unix.EINVAL) || errors.Is(err, unix.EBUSY):
				if refused = append(refused, pending[i]); first == nil {
					first = err
				}
			default:
				return err
			}
		}
		if len(refused) == len(pending) {
			return first
		}
		pending = refused
	}
	return nil
}

// write makes one write.
func (x *executor) write(w *Write) error {
	dir, name := path.Split(w.Path)
	fd, err := x.dirOf(strings.TrimSuffix(dir, "/"))
	if err != nil {
		return err
	}
	value := w.Value
	if w.From != "" {
		if value, err = x.inherited(w); err != nil {
			return errorf("cannot set up %s (%s): %w", w.Path, w.Field, err)
		}
		if value == "" {
			return nil
		}
	}
	err = x.put(fd, name, value, w.Path)
	if w.From == "" && w.Controller == "cpuset" && errors.Is(err, unix.EACCES) && x.fillAbove(w) {
		err = x.put(fd, name, value, w.Path)
	}
	switch {
	case err == nil:
		return nil
	case x.plan.rootless && w.Controller == "devices" && notWritable(err):
		return nil
	case !errors.Is(err, unix.ENOENT):
		return errorf("cannot set %s: %w%s", w.Field, err, hint(w, err))
	case w.Or != nil:
		return x.write(w.Or)
	case w.SkipMissing:
		return nil
	}
	return errorf("cannot set %s: %w (this kernel has no such setting)", w.Field, err)
}

// put is writeAt with the control file left open: version 1 takes the rules for devices one write each.
func (x *executor) put(dir int, name, value, path string) error {
	if x.file != path {
		x.closeFile()
		fd, err := openRetry(dir, name, unix.O_WRONLY|unix.O_NOFOLLOW)
		if err != nil {
			return &fs.PathError{Op: "open", Path: path, Err: err}
		}
		x.file, x.fileFD = path, fd
	}
	return writeValue(x.fileFD, value, path)
}

func (x *executor) closeFile() {
	if x.file != "" {
		unix.Close(x.fileFD)
		x.file = ""
	}
}

// hint explains the errors that puzzle people.
func hint(w *Write, err error) string {
	switch {
	case w.Controller == "memory" && errors.Is(err, unix.EBUSY):
		return " (the container uses more)"
	case w.Controller == "devices" && errors.Is(err, unix.EPERM):
		return " (the parent group denies it)"
	case w.Controller == "cpu" && errors.Is(err, unix.EINVAL):
		return " (out of range, or more than a parent group has)"
	}
	return ""
}

// dirOf returns the fd of the plan's directory with that path.
func (x *executor) dirOf(dir string) (int, error) {
	for i := range x.plan.Dirs {
		if x.plan.Dirs[i].Path == dir {
			return x.dir(i)
		}
	}
	return -1, errorf("internal error: %s is not a directory of the plan", dir)
}

// inherited reads the value of a copy: nothing when the file has a value
// already, and from the nearest ancestor that has one. Ancestors without one
// (made by Create, or by somebody else who left them so) get it too.
func (x *executor) inherited(w *Write) (string, error) {
	if !contains(x.made, path.Dir(w.Path)) {
		if own, err := readText(w.Path); err != nil || own != "" {
			return "", err
		}
	}
	value, err := readText(w.From)
	if err != nil || value != "" {
		return value, err
	}
	above := path.Dir(path.Dir(w.From))
	value, err = x.inherited(&Write{Path: w.From, From: above + "/" + path.Base(w.From)})
	if err != nil {
		return "", err
	}
	return value, writeAt(unix.AT_FDCWD, w.From, value, w.From)
}

// fillAbove gives the ancestors of a version 1 cpuset what they inherit, so that it can have a part of it.
func (x *executor) fillAbove(w *Write) bool {
	above := path.Dir(path.Dir(w.Path)) + "/" + path.Base(w.Path)
	if text, err := readText(above); err != nil || text != "" {
		return false
	}
	value, err := x.inherited(&Write{Path: above, From: path.Dir(path.Dir(above)) + "/" + path.Base(above)})
	return err == nil && value != "" && writeAt(unix.AT_FDCWD, above, value, above) == nil
}

// readText reads a control file without the white space around its value.
func readText(file string) (string, error) {
	data, err := readFile(file)
	return strings.TrimSpace(string(data)), err
}

// run compares a limit with the usage that it is to bound.
func (c check) run() error {
	text, err := readText(c.path)
	if errors.Is(err, unix.ENOENT) {
		return nil
	}
	if err != nil {
		return errorf("cannot check %s: %w", c.field, err)
	}
	used, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return errorf("cannot check %s: read %s: %w", c.field, c.path, err)
	}
	if used > c.limit {
		return conflicting("cannot set %s to %d: the container uses %d (linux.resources.memory.checkBeforeUpdate)", c.field, c.limit, used)
	}
	return nil
}

// enable hands the version 2 controllers that the plan needs down to the
// container's group: each ancestor lists them in its cgroup.subtree_control.
func (x *executor) enable() error {
	if len(x.plan.Enable)+len(x.plan.Account) == 0 {
		return nil
	}
	for _, dir := range x.plan.ancestors() {
		if err := x.enableIn(dir); err != nil {
			return err
		}
	}
	return nil
}

// enableIn enables the controllers in one ancestor, where they are not yet.
func (x *executor) enableIn(dir string) error {
	file := dir + "/cgroup.subtree_control"
	data, err := readFile(file)
	if err != nil {
		return errorf("cannot enable controllers (linux.resources): %w", err)
	}
	on := fields(string(data))
	for _, e := range x.plan.Enable {
		if contains(on, e.Controller) {
			continue
		}
		if err := writeAt(unix.AT_FDCWD, file, "+"+e.Controller, file); err != nil {
			return errorf("cannot enable %s (%s): %w%s", e.Controller, e.Field, err, enableHint(err))
		}
	}
	x.account(dir, file, on)
	return nil
}

// account enables the controllers that are wanted for statistics alone. Not where processes live: there the
// threaded ones (cpu, pids) could be enabled, and would make of the groups below invalid ones (cgroups(7),
// "Thread mode").
func (x *executor) account(dir, file string, on []string) {
	checked := false
	for _, c := range x.plan.Account {
		if contains(on, c) {
			continue
		}
		if !checked && holdsProcesses(dir) {
			return
		}
		checked = true
		_ = writeAt(unix.AT_FDCWD, file, "+"+c, file)
	}
}

// holdsProcesses is false of the root of the hierarchy, which may hold them and hand on controllers.
func holdsProcesses(dir string) bool {
	if _, err := readFile(dir + "/cgroup.type"); errors.Is(err, unix.ENOENT) {
		return false
	}
	data, err := readFile(dir + "/cgroup.procs")
	return err != nil || len(data) > 0
}

func enableHint(err error) string {
	switch {
	case errors.Is(err, unix.EBUSY):
		return " (processes live in that cgroup itself)"
	case errors.Is(err, unix.ENOENT):
		return " (the controller is not available there)"
	}
	return ""
}
