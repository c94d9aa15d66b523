package cgroup

import (
	"errors"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Group is a container's control group: one directory in each hierarchy. It is
// made by Plan.Create and persisted as its Paths.
type Group struct {
	// Paths maps each controller ("" for version 2) to the group's directory.
	Paths map[string]string `json:"paths"`
	// Skipped lists the version 1 controllers ("" for version 2) whose hierarchy could not be
	// written and of which the config asked nothing.
	Skipped []string `json:"skipped,omitempty"`
	// Unit is the systemd unit that the group belongs to, nil for none. Its name
	// and whose it is suffice.
	Unit *Unit `json:"unit,omitempty"`

	fd   *os.File // the version 2 directory, until FD hands it out
	made []string // directories, also of ancestors, to take back when the unit does not start
}

// Open returns the group with the paths of a persisted Group. It does not look
// at the host.
func Open(paths map[string]string) *Group { return &Group{Paths: paths} }

// FD returns an O_PATH fd of the version 2 directory, for CLONE_INTO_CGROUP of
// clone3(2); nil when the group has none. The caller closes it.
func (g *Group) FD() (*os.File, error) {
	dir := g.Paths[""]
	if dir == "" {
		return nil, nil
	}
	if f := g.fd; f != nil {
		g.fd = nil
		return f, nil
	}
	fd, err := openGroup(dir)
	if err != nil {
		return nil, errorf("cannot open the container's cgroup: %w", err)
	}
	return os.NewFile(uintptr(fd), dir), nil
}

// add records one of a plan's directories.
func (g *Group) add(d *Dir) {
	if len(d.Controllers) == 0 {
		g.Paths[""] = d.Path
	}
	for _, c := range d.Controllers {
		g.Paths[c] = d.Path
	}
}

func (g *Group) release() {
	if g.fd != nil {
		g.fd.Close()
		g.fd = nil
	}
}

// dirs returns the group's directories, each once: version 2 first, then
// version 1 in the order of the controllers' names.
func (g *Group) dirs() []string {
	controllers := make([]string, 0, len(g.Paths))
	for c := range g.Paths {
		controllers = append(controllers, c)
	}
	slices.Sort(controllers)
	dirs := make([]string, 0, len(controllers))
	for _, c := range controllers {
		if d := g.Paths[c]; !contains(dirs, d) {
			dirs = append(dirs, d)
		}
	}
	return dirs
}

// TasksFiles returns the tasks file of each version 1 directory, in a stable
// order. A thread that writes "0" there moves itself, which since Linux 5.5
// does not wait for an RCU grace period, as moving another process does
// (kernel commit 9a3284fad42f): milliseconds on the path of every start.
func (g *Group) TasksFiles() []string {
	var files []string
	for _, d := range g.dirs() {
		if d != g.Paths[""] {
			files = append(files, d+"/tasks")
		}
	}
	return files
}

// Join moves a process into the group, in every hierarchy. It is slow: see
// TasksFiles and FD for new processes.
func (g *Group) Join(pid int) error {
	for _, d := range g.dirs() {
		fd, err := openGroup(d)
		if err == nil {
			err = writeAt(fd, "cgroup.procs", strconv.Itoa(pid), d+"/cgroup.procs")
			unix.Close(fd)
		}
		if err != nil {
			return errorf("cannot move process %d into the container's cgroup: %w", pid, err)
		}
	}
	return nil
}

// Exists tells whether any directory of the group is left.
func (g *Group) Exists() bool {
	for _, d := range g.dirs() {
		if fd, err := openGroup(d); err == nil {
			unix.Close(fd)
			return true
		}
	}
	return false
}

// Pids returns the processes of the group and of the groups below it, in
// ascending order; none when the group is gone. A process of a pid namespace
// that this process cannot see into has pid 0.
func (g *Group) Pids() ([]int, error) {
	pids, err := pidsBelow(g.main())
	if err != nil && gone(err) {
		return nil, nil
	}
	if err != nil {
		return nil, errorf("cannot list the container's processes: %w", err)
	}
	return pids, nil
}

// main is the directory whose membership counts: version 2, else the first of
// version 1.
func (g *Group) main() string {
	if dirs := g.dirs(); len(dirs) > 0 {
		return dirs[0]
	}
	return ""
}

// pidsBelow reads cgroup.procs of a directory and of those below it.
func pidsBelow(dir string) ([]int, error) {
	fd, err := openGroup(dir)
	if err != nil {
		return nil, err
	}
	defer unix.Close(fd)
	var pids []int
	err = walk(fd, dir, func(fd int, dir string) error {
		data, err := readAt(fd, "cgroup.procs", dir+"/cgroup.procs")
		if errors.Is(err, unix.EOPNOTSUPP) {
			return nil // a threaded group: its processes are its domain's
		}
		for line := range strings.SplitSeq(string(data), "\n") {
			if pid, err := strconv.Atoi(line); err == nil {
				pids = append(pids, pid)
			}
		}
		return err
	})
	slices.Sort(pids)
	return slices.Compact(pids), err
}

// walk calls f for a directory fd and every group below it. Groups that vanish
// meanwhile are no error below the first.
func walk(fd int, dir string, f func(fd int, dir string) error) error {
	if err := f(fd, dir); err != nil {
		return err
	}
	names, err := children(fd, dir)
	if err != nil {
		return err
	}
	for _, name := range names {
		sub, err := openBeneath(fd, name)
		if err != nil {
			continue
		}
		err = walk(sub, dir+"/"+name, f)
		unix.Close(sub)
		if err != nil && !gone(err) {
			return err
		}
	}
	return nil
}

// gone tells that a group was removed: while a file of it was open, ENODEV.
func gone(err error) bool {
	return errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENODEV)
}

// children lists the groups directly below a directory.
func children(fd int, dir string) ([]string, error) {
	list, err := openRetry(fd, ".", unix.O_RDONLY|unix.O_DIRECTORY)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: dir, Err: err}
	}
	f := os.NewFile(uintptr(list), dir)
	defer f.Close()
	entries, err := f.ReadDir(-1)
	var names []string
	for _, e := range entries {
		if e.IsDir() {
			names = append(names, e.Name())
		}
	}
	return names, err
}

// processes names pids in an error message.
func processes(pids []int) string {
	const most = 10
	text := make([]string, 0, most+1)
	for i, p := range pids {
		if i == most {
			text = append(text, "…")
			break
		}
		text = append(text, strconv.Itoa(p))
	}
	if len(pids) == 1 {
		return "process " + text[0]
	}
	return "processes " + strings.Join(text, ", ")
}
