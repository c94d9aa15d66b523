package container

import (
	"fmt"
	"io/fs"
	"path"
	"runtime"
	"strconv"
	"strings"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/spec"
)

// onThread calls f on a thread of its own that ends with it. It is never the first thread, whose
// namespaces /proc/self shows.
func onThread(f func() error) error {
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		if unix.Gettid() == unix.Getpid() {
			done <- onThread(f)
			runtime.UnlockOSThread()
			return
		}
		done <- f()
	}()
	return <-done
}

// onMountPoint calls f in a new mount namespace, that follows the host's, where dir is a mount point.
// Descriptors of before still lead to the host's namespace.
func onMountPoint(dir string, f func() error) error {
	return onThread(func() error {
		err := unix.Unshare(unix.CLONE_FS | unix.CLONE_NEWNS)
		if err == nil {
			err = unix.Mount("", "/", "", unix.MS_REC|unix.MS_SLAVE, "")
		}
		if err == nil {
			err = unix.Mount(dir, dir, "", unix.MS_BIND|unix.MS_REC, "")
		}
		if err != nil {
			return fmt.Errorf("cannot make a mount namespace to restore in: %w", err)
		}
		return f()
	})
}

// loopbackUp brings up "lo" of the network namespace of pid, as the Program of create does for a new one.
func loopbackUp(pid int) error {
	return onThread(func() error {
		ns, err := unix.Open("/proc/"+strconv.Itoa(pid)+"/ns/net", unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			return err
		}
		defer unix.Close(ns)
		if err := unix.Setns(ns, unix.CLONE_NEWNET); err != nil {
			return err
		}
		sock, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return err
		}
		defer unix.Close(sock)
		lo, err := unix.NewIfreq("lo")
		if err != nil {
			return err
		}
		lo.SetUint16(unix.IFF_UP)
		return unix.IoctlIfreq(sock, unix.SIOCSIFFLAGS, lo)
	})
}

// makeMountPoints makes what is missing of the destinations of mounts, as create does: criu does not. Those
// on file systems that criu fills by itself are left out; those on a bind are made in its source.
func makeMountPoints(config *specs.Spec, bundle, rootfs string) error {
	b := &blueprint{bundle: bundle}
	owned := spec.Namespace(config, specs.UserNamespace) != nil
	for i := range config.Mounts {
		m := &config.Mounts[i]
		if m.Type == "cgroup" || m.Type == "cgroup2" {
			continue
		}
		base, rel := rootfs, path.Clean("/"+m.Destination)
		if under := covering(config.Mounts[:i], rel); under != nil {
			if bind, _ := spec.IsBind(under); !bind {
				continue
			}
			base, rel = b.source(under), strings.TrimPrefix(rel, path.Clean("/"+under.Destination))
		}
		file := false
		if bind, _ := spec.IsBind(m); bind {
			var st unix.Stat_t
			if err := unix.Stat(b.source(m), &st); err != nil {
				return fmt.Errorf("cannot bind %s (mounts[%d].source): %w", b.source(m), i, err)
			}
			file = st.Mode&unix.S_IFMT != unix.S_IFDIR
		}
		if err := makeMountPoint(base, rel, file, owned); err != nil {
			return fmt.Errorf("cannot make the mount point %s (mounts[%d].destination): %w", m.Destination, i, err)
		}
	}
	return nil
}

// covering finds the mount that a destination lies below.
func covering(mounts []specs.Mount, destination string) (found *specs.Mount) {
	length := 0
	for i := range mounts {
		at := path.Clean("/" + mounts[i].Destination)
		if at == "/" || strings.HasPrefix(destination, at+"/") && len(at) >= length {
			found, length = &mounts[i], len(at)
		}
	}
	return found
}

// makeMountPoint makes name below the directory base.
func makeMountPoint(base, name string, file, owned bool) error {
	dir, err := unix.Open(base, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return &fs.PathError{Op: "open", Path: base, Err: err}
	}
	defer unix.Close(dir)
	return (&target{root: dir, owned: owned}).make(name, !file)
}
