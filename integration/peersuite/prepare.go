package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/dhow-containers/dhow/integration"
)

// prepare makes what the suite needs and fills in the paths that were not given.
func (o *options) prepare() error {
	if o.source == "" {
		return errors.New("cannot run the suite: -src names no source tree of runc")
	}
	if !slices.Contains([]string{"", "peer", "ours", "none"}, o.only) {
		return fmt.Errorf("cannot use -only %s: want peer, ours or none", o.only)
	}
	for features := range strings.SplitSeq(o.rootless, ",") {
		if _, err := rootlessFeatures(cmp.Or(features, "none")); err != nil {
			return err
		}
	}
	for _, tool := range []string{"bats", "jq", "gawk", "make", "tar"} {
		if _, err := exec.LookPath(tool); err != nil {
			return fmt.Errorf("cannot run the suite: %s is not installed", tool)
		}
	}
	var err error
	if o.source, err = filepath.Abs(o.source); err != nil {
		return err
	}
	if err := o.programs(); err != nil {
		return err
	}
	if err := o.images(); err != nil {
		return err
	}
	return o.directory()
}

// programs builds runc, the suite's helper programs and ours.
func (o *options) programs() error {
	targets := []string{"test-binaries"}
	if o.peer == "" {
		targets, o.peer = append(targets, "runc"), filepath.Join(o.source, "runc")
	}
	args := append([]string{"-C", o.source, "BUILDTAGS=seccomp"}, targets...)
	if text, err := exec.Command("make", args...).CombinedOutput(); err != nil {
		return fmt.Errorf("cannot build runc and the suite's helpers: %w\n%s", err, text)
	}
	var err error
	if o.ours == "" {
		o.ours, err = integration.RuntimePath()
	}
	if err != nil {
		return err
	}
	if o.ours, err = filepath.Abs(o.ours); err != nil {
		return err
	}
	o.peer, err = filepath.Abs(o.peer)
	return err
}

// directory makes the one for the results.
func (o *options) directory() (err error) {
	if o.results == "" {
		o.results, err = os.MkdirTemp("", "peersuite")
		return err
	}
	if o.results, err = filepath.Abs(o.results); err != nil {
		return err
	}
	return os.MkdirAll(o.results, 0o755)
}

// images puts root file systems where the suite looks before it would download them. The names say xz;
// the suite reads them with tar, which looks at what is inside.
func (o *options) images() error {
	data := filepath.Join(o.source, "tests/integration/testdata")
	return cmp.Or(
		makeImage(filepath.Join(data, "busybox-"+runtime.GOARCH+".tar.xz"), busybox),
		makeImage(filepath.Join(data, "debian-"+runtime.GOARCH+".tar.xz"), integration.DebianRootfs))
}

// ballast are directories of Debian that no test looks into; most tests unpack the image and change the owner of
// each file.
var ballast = []string{"var/cache/apt", "var/cache/debconf", "var/lib/apt/lists", "var/lib/dpkg", "usr/share/doc", "usr/share/man",
	"usr/share/locale", "usr/share/i18n", "usr/share/zoneinfo", "usr/share/perl", "usr/share/perl5", "usr/lib/*/perl-base",
	"usr/lib/*/gconv", "usr/lib/*/perl", "usr/lib/apt", "usr/share/info", "usr/share/bash-completion"}

func makeImage(file string, rootfs func() (string, error)) error {
	if _, err := os.Stat(file); err == nil {
		return nil
	}
	dir, err := rootfs()
	if err != nil {
		return fmt.Errorf("cannot make %s: %w", file, err)
	}
	part := file + ".part"
	args := []string{"-cf", part}
	for _, dir := range ballast {
		args = append(args, "--exclude=./"+dir+"/*")
	}
	cmd := exec.Command("tar", append(args, "-C", dir, ".")...)
	if text, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("cannot make %s: %w\n%s", file, err, text)
	}
	return os.Rename(part, file)
}

// busybox makes a root file system like that of the image busybox, where /proc, /sys and /run are for the runtime
// to make.
func busybox() (string, error) {
	dir, err := os.MkdirTemp("", "peersuite")
	if err != nil {
		return "", err
	}
	b, err := integration.NewBundle(dir)
	if err != nil {
		return "", err
	}
	for _, name := range []string{"home", "lib", "usr/bin", "usr/sbin"} {
		if err := os.MkdirAll(filepath.Join(b.Rootfs(), name), 0o755); err != nil {
			return "", err
		}
	}
	for _, name := range []string{"proc", "sys", "run"} {
		if err := os.Remove(filepath.Join(b.Rootfs(), name)); err != nil {
			return "", err
		}
	}
	passwd := "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/home:/bin/false\n"
	group := "root:x:0:\nwww-data:x:33:\nusers:x:100:\nnobody:x:65534:\n"
	return b.Rootfs(), cmp.Or(
		os.WriteFile(filepath.Join(b.Rootfs(), "etc/passwd"), []byte(passwd), 0o644),
		os.WriteFile(filepath.Join(b.Rootfs(), "etc/group"), []byte(group), 0o644))
}
