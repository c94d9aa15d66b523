package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

const (
	groupMount = "/sys/fs/cgroup"
	suiteGroup = "runc-cgroups-integration-test" // where the suite has its groups
)

// delegate gives the user the group of the suite, in each hierarchy, as tests/rootless.sh does.
func (r *rootless) delegate() error {
	if _, err := os.Stat(filepath.Join(groupMount, "cgroup.controllers")); err == nil {
		return r.delegateUnified()
	}
	text, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return err
	}
	for _, name := range hierarchies(string(text)) {
		dir := filepath.Join(groupMount, name, suiteGroup)
		if err := r.makeGroup(dir, "cgroup.procs", "tasks"); err != nil {
			return err
		}
		var files []string
		switch name {
		case "cpuset":
			files = []string{"cpuset.cpus", "cpuset.mems"}
		case "cpu":
			files = []string{"cpu.rt_period_us", "cpu.rt_runtime_us"}
		}
		for _, file := range files {
			if err := os.Chown(filepath.Join(dir, file), userID, userID); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
	}
	return nil
}

// hierarchies are the names of the version 1 ones that /proc/self/cgroup lists.
func hierarchies(text string) []string {
	var names []string
	for l := range strings.Lines(text) {
		fields := strings.SplitN(l, ":", 3)
		if len(fields) != 3 || fields[1] == "" {
			continue
		}
		names = append(names, strings.Split(strings.TrimPrefix(fields[1], "name="), ",")...)
	}
	return names
}

// delegateUnified also has bats run inside the group: who moves a process must be allowed to write to
// cgroup.procs of the ancestor that both groups have in common, and the root's stays as it is.
func (r *rootless) delegateUnified() error {
	dir := filepath.Join(groupMount, suiteGroup)
	if err := r.makeGroup(dir, "cgroup.procs", "cgroup.subtree_control"); err != nil {
		return err
	}
	own := filepath.Join(dir, "bats")
	if err := r.makeGroup(own, "cgroup.procs"); err != nil {
		return err
	}
	controllers, err := os.ReadFile(filepath.Join(dir, "cgroup.controllers"))
	if err != nil {
		return err
	}
	for name := range strings.FieldsSeq(string(controllers)) {
		if err := os.WriteFile(filepath.Join(dir, "cgroup.subtree_control"), []byte("+"+name), 0); err != nil {
			return fmt.Errorf("cannot give the groups of the user %s: %w", name, err)
		}
	}
	r.cgroup, err = os.Open(own)
	return err
}

// makeGroup makes a group in which the user's group, not the user itself, may do everything.
func (r *rootless) makeGroup(dir string, files ...string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	r.groups = slices.Insert(r.groups, 0, dir)
	if err := errors.Join(os.Chown(dir, 0, userID), os.Chmod(dir, 0o775)); err != nil {
		return err
	}
	for _, name := range files {
		file := filepath.Join(dir, name)
		if err := errors.Join(os.Chown(file, 0, userID), os.Chmod(file, 0o664)); err != nil {
			return err
		}
	}
	return nil
}

// removeGroup removes a group with those that failed tests have left in it.
func removeGroup(dir string) error {
	var dirs []string
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() {
			dirs = append(dirs, path)
		}
		return err
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, path := range slices.Backward(dirs) {
		err = errors.Join(err, os.Remove(path))
	}
	return err
}
