package integration

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// criuSuite is the Debian release whose criu (4.2) works on new kernels: 3.17, of Debian 12, stumbles over the
// vDSO of 6.18, and 4.1, of Debian 13, over TCP sockets since 6.16, which no longer have SO_PASSCRED.
// iptables is what criu locks a container's network with.
const (
	criuSuite    = "forky"
	criuPackages = "criu iptables"
	keyring      = "/usr/share/keyrings/debian-archive-keyring.gpg"
)

// CRIU gives a directory for $PATH that holds a criu that works here: that of $CRIU, which is the path of a
// criu, or one that is fetched from a later Debian once and kept in the cache, with the libraries it
// needs and a script in front. Nothing is installed, and apt's own configuration stays as it is.
func CRIU() (dir string, err error) {
	if path := os.Getenv("CRIU"); path != "" {
		if filepath.Base(path) != "criu" {
			return "", fmt.Errorf("$CRIU is %s: its last part must be criu", path)
		}
		return filepath.Dir(path), checkCRIU(path)
	}
	cache, unlock, err := Cache("criu")
	if err != nil {
		return "", err
	}
	defer unlock()
	top := filepath.Join(cache, "criu-"+criuSuite)
	if _, err := os.Stat(top); err != nil {
		if err := fetchCRIU(top); err != nil {
			return "", err
		}
	}
	dir = filepath.Join(top, "bin")
	return dir, checkCRIU(filepath.Join(dir, "criu"))
}

func checkCRIU(path string) error {
	if out, err := exec.Command(path, "check").CombinedOutput(); err != nil {
		return fmt.Errorf("criu check: %w: %s", err, lastLines(string(out), 1))
	}
	return nil
}

// fetchCRIU works beside top and renames: a broken download leaves nothing half done in the cache.
func fetchCRIU(top string) error {
	if _, err := exec.LookPath("apt-get"); err != nil {
		return errors.New("no criu that works: set $CRIU (there is no apt-get to fetch one with)")
	}
	_, mirror, err := debianSource()
	if err != nil {
		return err
	}
	part := top + ".part"
	if err := os.RemoveAll(part); err != nil {
		return err
	}
	for _, dir := range []string{"lists/partial", "archives/partial", "root", "bin"} {
		if err := os.MkdirAll(filepath.Join(part, dir), 0o755); err != nil {
			return err
		}
	}
	source := fmt.Sprintf("deb [signed-by=%s] %s %s main\n", keyring, mirror, criuSuite)
	if err := os.WriteFile(filepath.Join(part, "sources.list"), []byte(source), 0o644); err != nil {
		return err
	}
	if err := aptFetch(part); err != nil {
		return err
	}
	debs, err := filepath.Glob(filepath.Join(part, "archives/*.deb"))
	if err != nil {
		return err
	}
	for _, deb := range debs {
		if out, err := exec.Command("dpkg-deb", "-x", deb, filepath.Join(part, "root")).CombinedOutput(); err != nil {
			return fmt.Errorf("cannot unpack %s: %w: %s", filepath.Base(deb), err, out)
		}
	}
	if err := errors.Join(os.RemoveAll(filepath.Join(part, "archives")), os.RemoveAll(filepath.Join(part, "lists")), criuScripts(part, top)); err != nil {
		return err
	}
	return os.Rename(part, top)
}

// aptFetch downloads the packages and all that they depend on, with lists and cache of its own.
func aptFetch(part string) error {
	options := []string{
		"-o", "Dir::Etc::sourcelist=" + part + "/sources.list", "-o", "Dir::Etc::sourceparts=/dev/null",
		"-o", "Dir::State::lists=" + part + "/lists", "-o", "Dir::State::status=/dev/null", "-o", "Dir::Cache=" + part,
		"-o", "Debug::NoLocking=1", "-o", "APT::Sandbox::User=root", "-o", "Acquire::Languages=none", "-q",
	}
	for _, args := range [][]string{
		{"update"},
		append([]string{"install", "--download-only", "--yes", "--no-install-recommends"}, strings.Fields(criuPackages)...),
	} {
		cmd := exec.Command("apt-get", append(options[:len(options):len(options)], args...)...)
		cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("cannot fetch criu of Debian %s: apt-get %s: %w: %s", criuSuite, args[0], err, lastLines(string(out), 3))
		}
	}
	return nil
}

// criuScripts puts scripts into bin that run the programs with the libraries that came with them.
func criuScripts(part, top string) error {
	lib := top + "/root/usr/lib/x86_64-linux-gnu"
	var all error
	for name, program := range map[string]string{
		"criu": "criu", "iptables-restore": "xtables-nft-multi iptables-restore", "ip6tables-restore": "xtables-nft-multi ip6tables-restore",
	} {
		script := fmt.Sprintf("#!/bin/sh\nexport XTABLES_LIBDIR=%s/xtables\nexec %s/ld-linux-x86-64.so.2 --library-path %s %s/root/usr/sbin/%s \"$@\"\n",
			lib, lib, lib, top, program)
		all = errors.Join(all, os.WriteFile(filepath.Join(part, "bin", name), []byte(script), 0o755))
	}
	return all
}
