package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/integration/vm/job"
)

const newRoot = "/newroot"

// bootPlain makes the initramfs the system: no init but this program, nothing else running.
func bootPlain() error {
	if err := mountAll([]mount{{"tmpfs", newRoot, "size=75%,mode=755", 0}}); err != nil {
		return err
	}
	if err := copyTree(newRoot, "/"); err != nil {
		return fmt.Errorf("cannot copy the initramfs: %w", err)
	}
	if err := switchRoot(newRoot); err != nil {
		return fmt.Errorf("cannot switch root: %w", err)
	}
	const closed = unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC
	err := mountAll([]mount{
		{"cgroup2", "/sys/fs/cgroup", "nsdelegate", closed},
		{"securityfs", "/sys/kernel/security", "", closed},
		{"devpts", "/dev/pts", "gid=5,mode=620,ptmxmode=666", unix.MS_NOSUID | unix.MS_NOEXEC},
		{"tmpfs", "/dev/shm", "mode=1777", unix.MS_NOSUID | unix.MS_NODEV},
		{"mqueue", "/dev/mqueue", "", closed},
		{"hugetlbfs", "/dev/hugepages", "", unix.MS_NOSUID | unix.MS_NODEV},
		{"tmpfs", "/run", "mode=755", 0},
	})
	if err != nil {
		return err
	}
	// Not a tmpfs, on which ids cannot be mapped before Linux 6.3.
	disk, err := diskBySerial(job.TempDisk)
	if err != nil {
		return err
	}
	if err := errors.Join(os.MkdirAll("/tmp", 0o755), unix.Mount(disk, "/tmp", "ext4", unix.MS_NOATIME, "nobarrier"), os.Chmod("/tmp", 0o1777)); err != nil {
		return fmt.Errorf("cannot mount %s on /tmp: %w", disk, err)
	}
	if err := errors.Join(unix.Mount("", "/", "", unix.MS_REC|unix.MS_SHARED, ""),
		run("/bin/busybox", "--install", "-s", "/bin"),
		run("/bin/busybox", "ip", "link", "set", "lo", "up"), ownGroup()); err != nil {
		return err
	}
	return wardAgent()
}

// ownGroup leaves the root group, as every init does: a relative cgroupsPath is beside the caller's group.
func ownGroup() error {
	const group = "/sys/fs/cgroup/session"
	if err := os.Mkdir(group, 0o755); err != nil {
		return err
	}
	return os.WriteFile(group+"/cgroup.procs", []byte("1"), 0o644)
}

// wardAgent runs the agent and, as the first process must, collects every orphan until it ends.
func wardAgent() error {
	cmd := exec.Command("/init", "agent")
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "TERM=linux"}
	if err := cmd.Start(); err != nil {
		return err
	}
	for {
		var status unix.WaitStatus
		pid, err := unix.Wait4(-1, &status, 0, nil)
		if err != nil && err != unix.EINTR {
			return err
		}
		if pid == cmd.Process.Pid {
			return nil
		}
	}
}

// copyTree copies what is on the file system of one directory into another.
func copyTree(to, from string) error {
	return filepath.WalkDir(from, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		dst := filepath.Join(to, strings.TrimPrefix(path, from))
		switch {
		case path == newRoot || path == "/proc" || path == "/sys" || path == "/dev":
			return filepath.SkipDir
		case e.IsDir():
			return os.MkdirAll(dst, 0o755)
		case e.Type() == fs.ModeSymlink:
			target, err := os.Readlink(path)
			return errors.Join(err, os.Symlink(target, dst))
		}
		return copyFile(dst, path)
	})
}

func copyFile(dst, src string) (err error) {
	in, err := os.Open(src)
	if err != nil {
		return err
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return err
	}
	out, err := os.OpenFile(dst, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, info.Mode().Perm())
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}
