package integration

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
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
	cache := filepath.Join(cacheDir(), "dhow-test")
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return "", err
	}
	lock, err := os.OpenFile(filepath.Join(cache, "lock"), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return "", err
	}
	defer lock.Close()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return "", err
	}
	dir := filepath.Join(cache, name)
	if _, err := os.Stat(dir); err == nil {
		return dir, nil
	}
	return dir, Debootstrap(dir, packages...)
}

func cacheDir() string {
	if dir := os.Getenv("XDG_CACHE_HOME"); dir != "" {
		return dir
	}
	return "/var/cache"
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
