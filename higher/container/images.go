package container

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/dhow-containers/dhow/higher/image"
	"github.com/dhow-containers/dhow/higher/volume"
	shim "github.com/dhow-containers/dhow/shim/mount"
	"github.com/moby/moby/api/types/mount"
	"golang.org/x/sys/unix"
)

// An image that a container has mounted (--mount type=image) is a read-only snapshot, held for it. On the host it is
// mounted only while a task is created, or files are copied: what the container has then is a mount of its own, which
// needs none of ours.

// mountsMode is that of the directory with these: another runtime passes as the container's root, whatever that is on the host.
// Who else comes that far is decided by the container's directory.
const mountsMode = 0o711

// imageDir is where the image of mount number i is mounted meanwhile.
func (c *container) imageDir(i int) string { return c.file(fmt.Sprintf("mounts/image-%d", i)) }

func (r *Record) mountsImages() bool {
	for i := range r.Mounts {
		if r.Mounts[i].Type == mount.TypeImage {
			return true
		}
	}
	return false
}

// findImages looks up the images of mounts, by number. Those of another container's are the same as there.
func (c *container) findImages(ctx context.Context, mounts []volume.Mount) (map[int]*image.Image, error) {
	found := map[int]*image.Image{}
	for i := range mounts {
		p := &mounts[i]
		if p.Type != mount.TypeImage {
			continue
		}
		name := p.Image
		if p.ImageID != "" {
			name = p.ImageID
		}
		img, err := c.m.Images.Resolve(ctx, name, nil)
		if err != nil {
			return nil, invalidf("%v", err) // not found would be taken for the container's own image
		}
		found[i], p.ImageID, p.Source = img, img.ID.String(), c.imageDir(i)
	}
	return found, nil
}

// borrow holds the images. The record already says that they are used.
func (c *container) borrow(ctx context.Context, found map[int]*image.Image) error {
	for i, img := range found {
		if err := c.m.Images.Lend(ctx, c.id, i, img, c.ids() != nil); err != nil {
			return err
		}
	}
	return nil
}

// mountAll makes the sources of the container's mounts ready: for a start, or to copy files. c.op is held. After an error
// nothing is mounted.
func (c *container) mountAll(ctx context.Context) ([]volume.Mount, error) {
	recorded := c.record().Mounts
	ready, err := c.m.Volumes.Mount(ctx, c.id, recorded)
	if err != nil {
		return nil, errors.Join(err, c.m.Volumes.Unmount(ctx, c.id, recorded))
	}
	for i := range ready {
		if ready[i].Type != mount.TypeImage {
			continue
		}
		if err := c.mountImage(ctx, i, &ready[i]); err != nil {
			return nil, errors.Join(err, c.unmountAll(ctx))
		}
	}
	return ready, nil
}

func (c *container) mountImage(ctx context.Context, i int, p *volume.Mount) error {
	dir := c.imageDir(i)
	if err := errors.Join(os.MkdirAll(filepath.Dir(dir), mountsMode), os.MkdirAll(dir, 0o700), detach(dir)); err != nil {
		return err
	}
	rootfs, err := c.m.Images.Lent(ctx, c.id, i)
	if err != nil {
		return err
	}
	if err := shim.All(pointers(rootfs), dir); err != nil {
		return fmt.Errorf("cannot mount image %s: %w", p.Image, err)
	}
	p.Source = dir
	if p.Subpath == "" {
		return nil
	}
	below, err := volume.OpenSubpath(dir, p.Subpath)
	if err != nil {
		return err
	}
	c.opened = append(c.opened, below)
	p.Source = fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), below.Fd())
	return nil
}

// unmountAll takes away what is mounted on the host for the container's mounts. It can be repeated.
func (c *container) unmountAll(ctx context.Context) error {
	return errors.Join(c.unmountSources(), c.m.Volumes.Unmount(ctx, c.id, c.record().Mounts))
}

// unmountSources takes away the mounts of images and subpaths. It can be called when nothing is mounted.
func (c *container) unmountSources() error {
	for _, f := range c.opened {
		_ = f.Close()
	}
	c.opened = nil
	var all []error
	for i, p := range c.record().Mounts {
		if p.Type == mount.TypeImage {
			all = append(all, detach(c.imageDir(i)))
		}
		if p.Subpath != "" {
			all = append(all, detach(c.subpathFile(i)))
		}
	}
	return errors.Join(all...)
}

// detach unmounts what may be mounted on a directory, also more than once by daemons that were killed.
func detach(dir string) error {
	for {
		err := unix.Unmount(dir, unix.MNT_DETACH|unix.UMOUNT_NOFOLLOW)
		if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOENT) {
			return nil
		}
		if err != nil {
			return &os.PathError{Op: "umount", Path: dir, Err: err}
		}
	}
}
