package integration

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
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

var applets = sync.OnceValues(func() ([]string, error) {
	out, err := exec.Command(Busybox, "--list").Output()
	return strings.Fields(string(out)), err
})

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
	names, err := applets()
	if err != nil {
		return fmt.Errorf("cannot list the applets of %s: %w", Busybox, err)
	}
	for _, name := range names {
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
