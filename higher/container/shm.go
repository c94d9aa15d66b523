package container

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// shm is where the /dev/shm of a container is that shares its IPC namespace. It is mounted on the host, so that it can be
// bound into others; that of a private one is not.
func (c *container) shm() string { return c.file("mounts/shm") }

// sharesIPC says whether others may join a container's IPC namespace.
func (r *Record) sharesIPC() bool { return r.HostConfig.IpcMode.IsShareable() }

func (c *container) mountShm() error {
	if !c.record().sharesIPC() {
		return nil
	}
	if err := os.MkdirAll(c.shm(), 0o700); err != nil {
		return err
	}
	flags := uintptr(unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC)
	if err := unix.Mount("shm", c.shm(), "tmpfs", flags, c.shmOptions()); err != nil {
		return fmt.Errorf("cannot mount the shared memory of container %s: %w", c.id, err)
	}
	return nil
}

func (c *container) shmOptions() string {
	uid, gid := c.ids().Root()
	return fmt.Sprintf("mode=1777,size=%d,uid=%d,gid=%d", c.record().HostConfig.ShmSize, uid, gid)
}

// unmountShm can be called when nothing is mounted.
func (c *container) unmountShm() error {
	if !c.record().sharesIPC() {
		return nil
	}
	if err := detach(c.shm()); err != nil {
		return fmt.Errorf("cannot unmount the shared memory of container %s: %w", c.id, err)
	}
	return nil
}
