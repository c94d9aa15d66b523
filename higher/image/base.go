package image

import (
	"context"
	"errors"
	"path"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/errdefs"
	"github.com/dhow-containers/dhow/higher/archive"
	"github.com/dhow-containers/dhow/runtime/inroot"
	"github.com/dhow-containers/dhow/shim/api"
	"golang.org/x/sys/unix"
)

// A base is the layer between an image and its containers. It has what is mounted upon in every container and the image
// lacks, so that these directories and files are not among a container's changes. It is made with the first container,
// and goes with the image.
const baseKey = "base/"

// baseOf is the key of an image's base.
func baseOf(img *Image) string {
	if img == nil || img.ChainID == "" {
		return baseKey + "scratch"
	}
	return baseKey + img.ChainID.String()
}

// makeBase makes the base of an image whose layers are unpacked; else that is ErrNotFound.
func (m *Manager) makeBase(ctx context.Context, img *Image) error {
	name := baseOf(img)
	if err := m.keys.Lock(ctx, name); err != nil {
		return err
	}
	defer m.keys.Unlock(name)
	if _, err := m.snapshot.Stat(ctx, name); err == nil {
		return nil // somebody else was first
	}
	held, release, err := m.hold(ctx, false)
	if err != nil {
		return err
	}
	defer release()
	chain := ""
	if img != nil {
		chain = img.ChainID.String()
	}
	half := name + "-" + randomID()
	mounts, err := m.snapshot.Prepare(held, half, chain)
	if err != nil {
		return err
	}
	if err := placeMountpoints(taskMounts(mounts)); err != nil {
		return errors.Join(err, m.snapshot.Remove(held, half))
	}
	if err := m.snapshot.Commit(held, name, half); err != nil && !errdefs.IsAlreadyExists(err) {
		return errors.Join(err, m.snapshot.Remove(held, half))
	}
	if img == nil || img.ChainID == "" {
		return nil // the first container holds it
	}
	return m.keepBase(held, img, name)
}

// keepBase has the base live as long as the image.
func (m *Manager) keepBase(ctx context.Context, img *Image, name string) error {
	one, err := m.again(ctx, img)
	if err != nil {
		return err
	}
	label := "containerd.io/gc.ref.snapshot." + m.driver + "/base"
	_, err = m.content.Update(ctx, content.Info{Digest: one.config.Digest, Labels: map[string]string{label: name}}, "labels."+label)
	return err
}

// mountpoints is what containers have mounts on, and what Docker has there besides: directories end with a slash, and
// what a link leads to stands behind an arrow.
var mountpoints = []struct{ name, link string }{
	{"dev/pts/", ""}, {"dev/shm/", ""}, {"dev/mqueue/", ""}, {"dev/console", ""}, {"proc/", ""}, {"sys/", ""},
	{"etc/hosts", ""}, {"etc/hostname", ""}, {"etc/resolv.conf", ""}, {"etc/mtab", "/proc/mounts"}, {".dockerenv", ""},
}

// placeMountpoints makes those that a root file system lacks. What is in the way is left there: it is the runtime that
// says so, when it mounts.
func placeMountpoints(rootfs []*api.Mount) error {
	root, err := archive.OpenRoot(rootfs)
	if err != nil {
		return err
	}
	defer root.Close()
	for _, p := range mountpoints {
		dir, name := path.Split(path.Clean(p.name))
		parent, err := directory(int(root.Fd()), dir)
		if err == nil {
			err = place(parent, name, p.link, p.name[len(p.name)-1] == '/')
			unix.Close(parent)
		}
		if err != nil && err != unix.EEXIST && err != unix.ENOTDIR && err != unix.ELOOP {
			return err
		}
	}
	return nil
}

// directory opens a directory directly below the root, which is made if it is not there.
func directory(root int, name string) (int, error) {
	if name == "" {
		name = "."
	}
	if err := unix.Mkdirat(root, path.Clean(name), 0o755); err != nil && err != unix.EEXIST {
		return -1, err
	}
	return inroot.Open(root, name, unix.O_PATH|unix.O_DIRECTORY)
}

// place makes one of them.
func place(parent int, name, link string, dir bool) error {
	switch {
	case link != "":
		return unix.Symlinkat(link, parent, name)
	case dir:
		return unix.Mkdirat(parent, name, 0o755)
	}
	return unix.Mknodat(parent, name, unix.S_IFREG|0o755, 0) // as Docker has them; only .dockerenv is ever seen
}
