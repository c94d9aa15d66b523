package integration

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// ErrNoDebootstrap says that no Debian root file system can be made here.
var ErrNoDebootstrap = errors.New("debootstrap is not installed")

// DebianRootfs gives a minimal Debian, made once with debootstrap and kept in the cache. Callers share it:
// mount it read-only, or below an overlay.
func DebianRootfs() (string, error) { return cachedDebian("debian-minbase") }

// SystemdRootfs gives a Debian that boots with systemd, with what users' sessions take.
func SystemdRootfs() (string, error) {
	return cachedDebian("debian-systemd", "systemd-sysv", "dbus", "busybox-static", "libpam-systemd", "dbus-user-session", "uidmap")
}

// cachedDebian makes a minimal Debian with some more packages, once.
func cachedDebian(name string, packages ...string) (string, error) {
	if _, err := exec.LookPath("debootstrap"); err != nil {
		return "", ErrNoDebootstrap
	}
	cache, unlock, err := Cache("debian")
	if err != nil {
		return "", err
	}
	defer unlock()
	dir := filepath.Join(cache, name)
	if _, err := os.Stat(dir); err == nil {
		return dir, nil
	}
	return dir, Debootstrap(dir, packages...)
}

// Debootstrap makes a minimal Debian in dir, with some packages more. It works beside dir and renames: a broken
// download leaves no half system in the cache.
func Debootstrap(dir string, packages ...string) error {
	suite, mirror, err := debianSource()
	if err != nil {
		return err
	}
	part := dir + ".part"
	if err := os.RemoveAll(part); err != nil {
		return err
	}
	args := []string{"--variant=minbase", suite, part, mirror}
	if len(packages) > 0 {
		args = append([]string{"--include=" + strings.Join(packages, ",")}, args...)
	}
	out, err := exec.Command("debootstrap", args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("cannot make a Debian root file system: %w\n%s", err, lastLines(string(out), 5))
	}
	return os.Rename(part, dir)
}

// debianSource is where this host's own packages come from.
func debianSource() (suite, mirror string, err error) {
	release, err := os.ReadFile("/etc/os-release")
	if err != nil {
		return "", "", err
	}
	for line := range strings.Lines(string(release)) {
		if name, ok := strings.CutPrefix(strings.TrimSpace(line), "VERSION_CODENAME="); ok {
			suite = strings.Trim(name, `"`)
		}
	}
	out, err := exec.Command("apt-get", "indextargets", "--format", "$(SITE) $(CODENAME)", "Created-By: Packages").Output()
	if err != nil {
		return "", "", fmt.Errorf("cannot ask apt-get for its mirror: %w", err)
	}
	for line := range strings.Lines(string(out)) {
		if site, name, ok := strings.Cut(strings.TrimSpace(line), " "); ok && name == suite {
			return suite, site, nil
		}
	}
	return "", "", fmt.Errorf("apt-get knows no mirror of %q", suite)
}

func lastLines(s string, n int) string {
	all := strings.Split(strings.TrimSpace(s), "\n")
	return strings.Join(all[max(0, len(all)-n):], "\n")
}
