package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// aptShows asks apt for a field of the package's newest version.
func aptShows(name, field string) (string, error) {
	out, err := exec.Command("apt-cache", "show", "--no-all-versions", name).Output()
	if err != nil {
		return "", fmt.Errorf("apt does not know the package %s (apt-get update?): %w", name, err)
	}
	for line := range strings.Lines(string(out)) {
		if value, ok := strings.CutPrefix(line, field+": "); ok {
			return strings.TrimSpace(value), nil
		}
	}
	return "", fmt.Errorf("apt does not say %q of the package %s", field, name)
}

// unpacked has a package's files in a directory of the cache, from Debian's archive if it must. Nothing is installed.
func unpacked(cache, label, name, version string) (dir string, err error) {
	dir = filepath.Join(cache, label+"-"+strings.ReplaceAll(version, ":", "_"))
	if _, err := os.Stat(dir); err == nil {
		return dir, nil
	}
	return dir, inPart(dir, func(part string) error { return download(name, part) })
}

func download(name, dir string) error {
	progress("fetching %s", name)
	get := exec.Command("apt-get", "download", "-o", "APT::Sandbox::User=root", name)
	get.Dir = dir
	if out, err := get.CombinedOutput(); err != nil {
		return fmt.Errorf("cannot download the package %s: %w\n%s", name, err, out)
	}
	found, err := filepath.Glob(filepath.Join(dir, "*.deb"))
	if err != nil || len(found) != 1 {
		return fmt.Errorf("apt-get download %s left %d packages (%w)", name, len(found), err)
	}
	if out, err := exec.Command("dpkg-deb", "-x", found[0], dir).CombinedOutput(); err != nil {
		return fmt.Errorf("cannot unpack %s: %w\n%s", found[0], err, out)
	}
	return os.Remove(found[0])
}

// inPart makes a directory of the cache under another name first: what exists is whole.
func inPart(dir string, fill func(part string) error) error {
	part := dir + ".part"
	if err := os.RemoveAll(part); err != nil {
		return err
	}
	if err := os.MkdirAll(part, 0o755); err != nil {
		return err
	}
	if err := fill(part); err != nil {
		return err
	}
	return os.Rename(part, dir)
}

// findAppArmor has Debian's apparmor_parser in the cache.
func findAppArmor(cache string) (parser string, err error) {
	version, err := aptShows("apparmor", "Version")
	if err != nil {
		return "", err
	}
	dir, err := unpacked(cache, "apparmor", "apparmor", version)
	if err != nil {
		return "", err
	}
	for _, sbin := range []string{"usr/sbin", "sbin"} { // Debian 13, 12
		parser = filepath.Join(dir, sbin, "apparmor_parser")
		if _, err = os.Stat(parser); err == nil {
			return parser, nil
		}
	}
	return "", err
}
