package cgroup

import (
	"errors"
	"time"

	"golang.org/x/sys/unix"
)

// errNoFreezer is for version 1 groups without a freezer hierarchy.
func errNoFreezer() error {
	return unavailable("this host has neither cgroup v2 nor the freezer controller of v1")
}

// Freeze stops every process of the group and waits until all are stopped. When
// that does not happen within ten seconds the group is thawed again.
func (g *Group) Freeze() error {
	err := g.setFrozen(true)
	if err != nil {
		_ = g.setFrozen(false)
		return errorf("cannot freeze the container: %w", err)
	}
	return nil
}

// Thaw lets the processes of the group run again.
func (g *Group) Thaw() error {
	if err := g.setFrozen(false); err != nil {
		return errorf("cannot thaw the container: %w", err)
	}
	return nil
}

// Frozen tells whether the group itself is frozen or about to be; a frozen
// ancestor does not count.
func (g *Group) Frozen() (bool, error) {
	dir, file, on := g.freezer()
	if dir == "" {
		return false, nil
	}
	if g.Paths[""] == "" {
		file = "freezer.self_freezing"
		on = "1"
	}
	state, err := readText(dir + "/" + file)
	if err != nil {
		return false, errorf("cannot tell whether the container is frozen: %w", err)
	}
	return state == on, nil
}

// FreezerDir returns the directory that freezes the group, "" when no hierarchy does.
func (g *Group) FreezerDir() string {
	dir, _, _ := g.freezer()
	return dir
}

// freezer returns the directory and file that freeze the group, and the value
// that does.
func (g *Group) freezer() (dir, file, on string) {
	if dir := g.Paths[""]; dir != "" {
		return dir, "cgroup.freeze", "1"
	}
	return g.Paths["freezer"], "freezer.state", "FROZEN"
}

func (g *Group) setFrozen(frozen bool) error {
	dir, file, value := g.freezer()
	if dir == "" {
		return errNoFreezer()
	}
	v2 := g.Paths[""] != ""
	off := "THAWED"
	if v2 {
		off = "0"
	}
	if !frozen {
		value = off
	}
	fd, err := openGroup(dir)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	if err := writeAt(fd, file, value, dir+"/"+file); err != nil || !frozen {
		return err
	}
	deadline := time.Now().Add(waitLimit)
	if v2 {
		return waitEvent(fd, dir, "frozen", "1", deadline)
	}
	return waitFrozenV1(fd, dir, deadline)
}

// waitFrozenV1 waits for the state FROZEN. Version 1 has no event for it, and
// reading the state is what makes the kernel look whether FREEZING is over, so
// it reads again every millisecond; a task that forked meanwhile takes another
// FROZEN (Documentation/admin-guide/cgroup-v1/freezer-subsystem.rst).
func waitFrozenV1(fd int, dir string, deadline time.Time) error {
	file := dir + "/freezer.state"
	for {
		data, err := readAt(fd, "freezer.state", file)
		if err != nil {
			return err
		}
		if string(data) == "FROZEN\n" {
			return nil
		}
		if err := writeAt(fd, "freezer.state", "FROZEN", file); err != nil {
			return err
		}
		next := time.Now().Add(time.Millisecond)
		if next.After(deadline) {
			return errTimeout
		}
		if err := poll(-1, 0, next); !errors.Is(err, errTimeout) {
			return err
		}
	}
}
