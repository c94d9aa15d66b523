package main

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/dhow-containers/dhow/integration"
)

// debianPackages are on the disk of the machine with systemd.
var debianPackages = []string{
	"systemd", "systemd-sysv", "dbus", "dbus-user-session", "libpam-systemd", "uidmap", "busybox-static", "runc", "crun",
	"iproute2", "procps", "strace",
}

// debianFiles make a machine of it that has an ordinary user with a systemd of their own, to which all
// controllers are delegated, and that does nothing else.
var debianFiles = map[string]string{
	"etc/hostname":                        "dhow-vm\n",
	"etc/fstab":                           "",
	"etc/machine-id":                      "6468657776646877646877646877aaaa\n",
	"etc/subuid":                          "tester:100000:65536\n",
	"etc/subgid":                          "tester:100000:65536\n",
	"var/lib/systemd/linger/tester":       "",
	"etc/systemd/system.conf.d/vm.conf":   "[Manager]\nDefaultTimeoutStartSec=300\nDefaultTimeoutStopSec=20\nStatusUnitFormat=name\n",
	"etc/systemd/journald.conf.d/vm.conf": "[Journal]\nStorage=volatile\nForwardToConsole=no\n",
	"etc/systemd/system/user@.service.d/delegate.conf": "[Service]\nDelegate=cpu cpuset io memory pids\n",
	"etc/systemd/system/tmp.mount": "[Unit]\nDefaultDependencies=no\nBefore=local-fs.target\n" +
		"[Mount]\nWhat=tmpfs\nWhere=/tmp\nType=tmpfs\nOptions=mode=1777\n",
}

var debianLinks = map[string]string{
	"etc/systemd/system/local-fs.target.wants/tmp.mount": "../tmp.mount",
	"etc/systemd/system/getty.target":                    "/dev/null",
	"etc/systemd/system/serial-getty@.service":           "/dev/null",
	"etc/systemd/system/timers.target":                   "/dev/null",
	"etc/systemd/system/systemd-update-utmp.service":     "/dev/null",
	"etc/systemd/system/default.target":                  "/lib/systemd/system/multi-user.target",
}

const debianDiskSize = 1 << 30

// findDebian takes the disk from the cache or makes it. Its name holds a hash of what it was made from.
func findDebian(cache string) (disk string, err error) {
	hash := sha256.Sum256(fmt.Append(nil, debianPackages, debianFiles, debianLinks)) // maps are printed in order
	disk = filepath.Join(cache, fmt.Sprintf("debian-systemd-%x.ext4", hash[:6]))
	if _, err := os.Stat(disk); err == nil {
		return disk, nil
	}
	old, err := filepath.Glob(filepath.Join(cache, "debian-systemd-*"))
	if err != nil {
		return "", err
	}
	for _, o := range old {
		if err := os.RemoveAll(o); err != nil {
			return "", err
		}
	}
	dir := filepath.Join(cache, "debian-systemd-root")
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	progress("making a Debian with systemd")
	if err := integration.Debootstrap(dir, debianPackages...); err != nil {
		return "", err
	}
	if err := furnish(dir); err != nil {
		return "", err
	}
	return disk, makeExt4(disk, debianDiskSize, dir)
}

func furnish(dir string) error {
	add := exec.Command("useradd", "--root", dir, "--uid", "1000", "--user-group", "--create-home", "--shell", "/bin/bash", "tester")
	if out, err := add.CombinedOutput(); err != nil {
		return fmt.Errorf("cannot add the user: %w\n%s", err, out)
	}
	for name, text := range debianFiles {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			return err
		}
	}
	for name, target := range debianLinks {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.RemoveAll(path); err != nil {
			return err
		}
		if err := os.Symlink(target, path); err != nil {
			return err
		}
	}
	debs, err := filepath.Glob(filepath.Join(dir, "var/cache/apt/archives/*.deb"))
	for _, d := range debs {
		err = errors.Join(err, os.Remove(d))
	}
	return err
}

// makeExt4 makes a file system with what is in dir, "" for nothing.
func makeExt4(disk string, size int64, dir string) error {
	part := disk + ".part"
	if err := sparse(part, size, nil); err != nil {
		return err
	}
	args := []string{"-q", "-t", "ext4", "-O", "^has_journal"}
	if dir != "" {
		args = append(args, "-d", dir)
	}
	out, err := exec.Command("mke2fs", append(args, part)...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("cannot make a file system: %w\n%s", err, strings.TrimSpace(string(out)))
	}
	return os.Rename(part, disk)
}
