package integration

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// Busybox is the static multi-call binary that every small root file system is made of.
const Busybox = "/bin/busybox"

// Bundle is an OCI bundle on disk: Dir/rootfs, and Dir/config.json once it is saved.
type Bundle struct {
	Dir  string
	Spec *specs.Spec
}

// An Edit changes a bundle before its config is written: its Spec, or files below its Rootfs.
type Edit func(*Bundle)

// Rootfs is the bundle's root file system on the host.
func (b *Bundle) Rootfs() string { return filepath.Join(b.Dir, "rootfs") }

// NewBundle makes a bundle in dir, which must exist, with a busybox root file system and the config
// that DefaultSpec describes, changed by the edits in turn.
func NewBundle(dir string, edits ...Edit) (*Bundle, error) {
	b := &Bundle{Dir: dir, Spec: DefaultSpec()}
	if err := makeRootfs(b.Rootfs()); err != nil {
		return nil, fmt.Errorf("cannot make root file system: %w", err)
	}
	for _, edit := range edits {
		edit(b)
	}
	return b, b.Save()
}

// Save writes config.json.
func (b *Bundle) Save() error {
	data, err := json.MarshalIndent(b.Spec, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(b.Dir, "config.json"), data, 0o644)
}

// applets are those of busybox that tests use, and a few more. All 269 of them take longer to make and to remove than
// most tests run, under emulation.
const applets = "[ [[ ash awk cat chgrp chmod chown chroot cmp cp cut date dd df diff dirname echo env expr false find free grep groups " +
	"gunzip gzip head hostname httpd id ifconfig ionice ip kill killall ln ls mkdir mkfifo mknod mktemp mount mv nc netstat nproc nsenter " +
	"nslookup od passwd ping printf ps pwd readlink realpath renice rm rmdir route sed seq setsid sh sleep sort stat strings stty su " +
	"sync sysctl tail tar taskset tee test time timeout top touch tr true tty umount uname uniq unshare usleep vi wc wget which xargs yes"

func makeRootfs(dir string) error {
	for _, d := range []string{"bin", "dev", "etc", "proc", "root", "run", "sys", "tmp", "var"} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o755); err != nil {
			return err
		}
	}
	if err := os.Chmod(filepath.Join(dir, "tmp"), 0o1777); err != nil {
		return err
	}
	if err := CopyFile(filepath.Join(dir, "bin/busybox"), Busybox); err != nil {
		return err
	}
	for name := range strings.FieldsSeq(applets) {
		err := os.Symlink("busybox", filepath.Join(dir, "bin", name))
		if err != nil && !errors.Is(err, os.ErrExist) {
			return err
		}
	}
	return writeAccounts(dir)
}

// writeAccounts gives the root file system the few names that user and group look-ups need.
func writeAccounts(dir string) error {
	passwd := "root:x:0:0:root:/root:/bin/sh\nworker:x:1000:1000:Worker:/home/worker:/bin/sh\n"
	group := "root:x:0:\nworker:x:1000:\nstaff:x:50:worker\n"
	if err := os.WriteFile(filepath.Join(dir, "etc/passwd"), []byte(passwd), 0o644); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "etc/group"), []byte(group), 0o644)
}

// CopyFile copies an executable. A hard link would do for most tests, but some try to overwrite it. No process is
// forked meanwhile: it would have the file open for writing, for a moment in which it cannot be executed.
func CopyFile(dst, src string) (err error) {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	in, err := os.Open(src)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	out, err := os.OpenFile(dst, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o755)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}
