package upper

import (
	"context"
	"os"

	"github.com/dhow-containers/dhow/higher/userns"
	"golang.org/x/sys/unix"
)

// Change is what became of a path.
type Change struct {
	Kind Kind
	Path string
}

// Tree is the root file system of a container.
type Tree struct {
	Upper  string      // directory of the changes; of a copy, the whole tree
	Lowers []string    // the layers below, the top one first; of a copy, the tree that it was made from
	Copy   bool        // there is no overlay: Upper was made as a copy
	IDs    *userns.Map // of the container, whose the owners in Upper are
}

// Changes lists what was changed, in the order of paths.
func (t *Tree) Changes(ctx context.Context) (out []Change, err error) {
	err = t.walk(ctx, func(it *item) error {
		out = append(out, Change{it.kind, it.path})
		return nil
	})
	return out, err
}

func (t *Tree) walk(ctx context.Context, visit func(*item) error) error {
	if t.Copy && len(t.Lowers) == 1 {
		return walkCopy(ctx, t.Upper, t.Lowers[0], visit)
	}
	return walk(t.Upper, t.Lowers, func(it *item) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		return visit(it)
	})
}

func walk(upper string, lowers []string, visit func(*item) error) error {
	dir, err := open(upper)
	if err != nil {
		return err
	}
	defer unix.Close(dir)
	var below []int
	defer func() { closeAll(below) }()
	for _, name := range lowers {
		fd, err := open(name)
		if err != nil {
			return err
		}
		below = append(below, fd)
	}
	w := &walker{visit: visit}
	return w.walk(dir, below, "")
}

func open(name string) (int, error) {
	fd, err := unix.Open(name, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, &os.PathError{Op: "open", Path: name, Err: err}
	}
	return fd, nil
}
