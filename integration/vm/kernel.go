package main

import (
	"bytes"
	"debug/elf"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// The package that stands for Debian's newest kernel for virtual machines.
const kernelPackage = "linux-image-cloud-amd64"

// modules are the parts of Debian's kernel that the virtual machine needs (disks, results) and that the
// tests use. What these depend on comes along.
var modules = []string{
	"virtio_pci", "virtio_blk", "virtio_console", "bfq",
	"overlay", "fuse", "loop", "veth", "bridge", "dummy", "tun", "macvlan",
}

// A kernel is an unpacked kernel package in the cache.
type kernel struct {
	dir     string
	version string
}

func (k *kernel) image() string   { return filepath.Join(k.dir, "boot/vmlinuz-"+k.version) }
func (k *kernel) modules() string { return filepath.Join(k.dir, "lib/modules", k.version) }

// findKernel takes the kernel from the cache, or from Debian's archive. It is never installed.
func findKernel(cache string) (*kernel, error) {
	name, version, err := newestKernel()
	if err != nil {
		return nil, err
	}
	k := &kernel{
		dir:     filepath.Join(cache, "kernel-"+strings.ReplaceAll(version, ":", "_")),
		version: strings.TrimPrefix(name, "linux-image-"),
	}
	if _, err := os.Stat(k.dir); err == nil {
		return k, nil
	}
	return k, inPart(k.dir, func(part string) error { return downloadKernel(name, part) })
}

// newestKernel asks apt which package the one without a version in its name stands for.
func newestKernel() (name, version string, err error) {
	out, err := exec.Command("apt-cache", "show", "--no-all-versions", kernelPackage).Output()
	if err != nil {
		return "", "", fmt.Errorf("apt does not know the kernel %s (apt-get update?): %w", kernelPackage, err)
	}
	for line := range strings.Lines(string(out)) {
		if depends, ok := strings.CutPrefix(line, "Depends: "); ok {
			name, rest, _ := strings.Cut(strings.TrimSpace(depends), " (= ")
			return name, strings.TrimSuffix(rest, ")"), nil
		}
	}
	return "", "", fmt.Errorf("apt does not say which package %s stands for", kernelPackage)
}

func downloadKernel(name, dir string) error {
	progress("fetching %s", name)
	get := exec.Command("apt-get", "download", "-o", "APT::Sandbox::User=root", name)
	get.Dir = dir
	if out, err := get.CombinedOutput(); err != nil {
		return fmt.Errorf("cannot download the kernel %s: %w\n%s", name, err, out)
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

// load lists the files of some modules, each behind those that it needs.
func (k *kernel) load(names []string) ([]string, error) {
	files, err := k.moduleFiles()
	if err != nil {
		return nil, err
	}
	var list []string
	done := map[string]bool{}
	var add func(name string) error
	add = func(name string) error {
		if done[name] {
			return nil
		}
		done[name] = true
		file, ok := files[name]
		if !ok {
			return nil // built in
		}
		needs, err := moduleNeeds(file)
		if err != nil {
			return fmt.Errorf("cannot read %s: %w", file, err)
		}
		for _, n := range needs {
			if err := add(n); err != nil {
				return err
			}
		}
		list = append(list, file)
		return nil
	}
	for _, n := range names {
		if err := add(n); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// moduleFiles maps the names of all modules to their files.
func (k *kernel) moduleFiles() (map[string]string, error) {
	files := map[string]string{}
	err := filepath.WalkDir(k.modules(), func(path string, _ os.DirEntry, err error) error {
		if name, ok := strings.CutSuffix(filepath.Base(path), ".ko"); ok {
			files[strings.ReplaceAll(name, "-", "_")] = path
		}
		return err
	})
	if err == nil && len(files) == 0 {
		err = fmt.Errorf("no modules in %s", k.modules())
	}
	return files, err
}

// moduleNeeds reads what depmod(8) would: the key depends of the section .modinfo.
func moduleNeeds(file string) ([]string, error) {
	f, err := elf.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	section := f.Section(".modinfo")
	if section == nil {
		return nil, fmt.Errorf("no section .modinfo")
	}
	data, err := section.Data()
	if err != nil {
		return nil, err
	}
	for entry := range bytes.SplitSeq(data, []byte{0}) {
		if list, ok := strings.CutPrefix(string(entry), "depends="); ok && list != "" {
			return strings.Split(strings.ReplaceAll(list, "-", "_"), ","), nil
		}
	}
	return nil, nil
}
