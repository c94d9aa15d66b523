package container

import (
	"errors"
	"fmt"
	"maps"
	"time"

	"golang.org/x/sys/unix"
)

// A delete --force may come while a create of the same id is under way, in another process. Of the two
//
//	create                              delete --force
//	writes down its process (init)      condemns the container
//	gives up if it is condemned         looks for init, and kills
//
// at least one sees what the other has done. A create that gives up takes back itself what it has made. It holds the
// record locked as long as it is under way, and a delete waits for that: nobody may have the id, and with it the control
// groups, before all of this container is gone. A create that stands in a hook for long is not waited for; should it
// go on one day, it finds that it is condemned.

// condemn marks the directory of a container that may still be in the making, for good, and reads init again. The mark
// is the sticky bit, which means nothing in a directory that only its owner may write to.
func (h *handle) condemn() error {
	if err := unix.Fchmod(h.dir, 0o700|unix.S_ISVTX); err != nil {
		return err
	}
	return h.readInit(h.dir)
}

// checkWanted fails when the container has been condemned.
func (m *making) checkWanted() error {
	var st unix.Stat_t
	if err := unix.Fstat(m.dir, &st); err != nil {
		return err
	}
	if st.Mode&unix.S_ISVTX != 0 {
		return errDeleted(m.id)
	}
	return nil
}

// explain adds the likely reason to err; a container that somebody deletes meanwhile fails in any place.
func (m *making) explain(err error) error {
	if m.handle != nil {
		if e := m.checkWanted(); e != nil {
			m.store.debug("a condemned container has failed", "id", m.id, "error", err)
			return e
		}
	}
	return m.blueprint.explain(err)
}

// succeeded says that this container's directory has been removed without waiting for it, and that another one of its
// id has its control groups now.
func (m *making) succeeded() bool {
	if !removed(m.dir) {
		return false
	}
	next, err := m.store.open(m.id)
	if err != nil {
		return false
	}
	defer next.close()
	return maps.Equal(next.Cgroups, m.paths)
}

// writeRecord writes state.json and locks it. The first one must be the first in the directory, too: between the making
// of a directory and its opening, a delete and another create may have come.
func (m *making) writeRecord(first bool) error {
	const temp = "state.json.new"
	fd, err := unix.Openat(m.dir, temp, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL|unix.O_CLOEXEC|unix.O_NOFOLLOW, 0o600)
	if err == unix.EEXIST {
		return errExists(m.id)
	}
	if err == nil {
		if err = flock(fd, unix.LOCK_EX); err == nil {
			err = writeWhole(fd, m.handle.record.encode())
		}
		if err == nil {
			err = rename(m.dir, temp, "state.json", first)
		}
		if err != nil {
			unix.Unlinkat(m.dir, temp, 0)
			unix.Close(fd)
		}
	}
	if err == unix.EEXIST {
		return errExists(m.id)
	}
	if err != nil {
		return fmt.Errorf("cannot record container %q under --root: %w", m.id, err)
	}
	m.unlock()
	m.locked = fd
	return nil
}

// rename renames a file in dir; if it must be the first of its name, where the file system can tell.
func rename(dir int, from, to string, first bool) error {
	if first {
		if err := unix.Renameat2(dir, from, dir, to, unix.RENAME_NOREPLACE); err != unix.EINVAL {
			return err
		}
	}
	return unix.Renameat(dir, from, dir, to)
}

// unlock lets deletes go on.
func (m *making) unlock() {
	if m.locked >= 0 {
		unix.Close(m.locked)
		m.locked = -1
	}
}

// lockDelete keeps other deletes out until the descriptor it returns is closed. It is the record that is locked: the
// lock of the directory may be with a start or an exec that hangs. An error that is ENOENT says that a delete, or the
// create, has just removed the container. Before it waits, it calls busy.
func (h *handle) lockDelete(busy func() error) (int, error) {
	for {
		fd, err := unix.Openat(h.dir, "state.json", unix.O_RDONLY|unix.O_CLOEXEC|unix.O_NOFOLLOW, 0)
		if err != nil {
			return -1, err
		}
		if err = unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB); err == unix.EWOULDBLOCK {
			if err = busy(); err == nil {
				err = flockWithin(fd, killWait*time.Millisecond)
			}
		}
		if err == errTimeout {
			h.store.debug("the container's lock is not waited for any longer", "id", h.ID)
			return fd, nil
		}
		if err != nil {
			unix.Close(fd)
			return -1, fmt.Errorf("cannot lock container %q: %w", h.ID, err)
		}
		var locked, current unix.Stat_t
		if err = unix.Fstat(fd, &locked); err == nil {
			if err = unix.Fstatat(h.dir, "state.json", &current, unix.AT_SYMLINK_NOFOLLOW); err == nil && locked.Ino == current.Ino {
				return fd, nil
			}
		}
		unix.Close(fd)
		if err != nil {
			return -1, err
		}
	}
}

// flockWithin locks a file exclusively; errTimeout when that takes too long.
func flockWithin(fd int, limit time.Duration) error {
	// The one who waits has a descriptor of its own, with which a lock that comes too late goes.
	own, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 3)
	if err != nil {
		return err
	}
	done := make(chan error, 1)
	go func() {
		done <- flock(own, unix.LOCK_EX)
		unix.Close(own)
	}()
	select {
	case err := <-done:
		return err
	case <-time.After(limit):
		return errTimeout
	}
}

var errTimeout = errors.New("timed out")
