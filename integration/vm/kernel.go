package main

import (
	"bytes"
	"debug/elf"
	"fmt"
	"os"
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

// engineModules are what the engine's networks take besides.
var engineModules = []string{"nf_tables", "nft_chain_nat", "nft_nat", "nft_masq", "nft_ct", "nft_fib_inet", "nf_conntrack_netlink"}

// A kernel is an unpacked kernel package in the cache.
type kernel struct {
	dir     string
	version string
}

func (k *kernel) image() string   { return filepath.Join(k.dir, "boot/vmlinuz-"+k.version) }
func (k *kernel) modules() string { return filepath.Join(k.dir, "lib/modules", k.version) }

// findKernel has the newest kernel in the cache.
func findKernel(cache string) (*kernel, error) {
	name, version, err := newestKernel()
	if err != nil {
		return nil, err
	}
	dir, err := unpacked(cache, "kernel", name, version)
	return &kernel{dir: dir, version: strings.TrimPrefix(name, "linux-image-")}, err
}

// newestKernel says which package the one without a version in its name stands for.
func newestKernel() (name, version string, err error) {
	depends, err := aptShows(kernelPackage, "Depends")
	if err != nil {
		return "", "", err
	}
	name, rest, _ := strings.Cut(depends, " (= ")
	return name, strings.TrimSuffix(rest, ")"), nil
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
