package upper

import (
	"context"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/containerd/continuity/fs"
	"golang.org/x/sys/unix"
)

// walkCopy visits the changes in a tree that was made as a copy of another.
func walkCopy(ctx context.Context, tree, of string, visit func(*item) error) error {
	list, err := compare(ctx, tree, of)
	if err != nil {
		return err
	}
	root, err := open(tree)
	if err != nil {
		return err
	}
	defer unix.Close(root)
	for _, c := range list {
		if err := visitIn(root, c, visit); err != nil {
			return err
		}
	}
	return nil
}

// compare lists the changes and the directories that they are in, in the order of paths.
func compare(ctx context.Context, tree, of string) ([]Change, error) {
	kinds := map[fs.ChangeKind]Kind{fs.ChangeKindModify: Modified, fs.ChangeKindAdd: Added, fs.ChangeKindDelete: Deleted}
	found := map[string]Kind{}
	err := fs.Changes(ctx, of, tree, func(k fs.ChangeKind, name string, _ os.FileInfo, err error) error {
		if kind, ok := kinds[k]; ok && err == nil {
			found[name] = kind
			for dir := path.Dir(name); dir != "/"; dir = path.Dir(dir) {
				if _, ok := found[dir]; ok {
					break
				}
				found[dir] = Modified
			}
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	list := make([]Change, 0, len(found))
	for name, kind := range found {
		list = append(list, Change{kind, name})
	}
	// As a walk would go: what is in a directory before what only begins with its name.
	key := func(c Change) string { return strings.ReplaceAll(c.Path, "/", "\x00") }
	slices.SortFunc(list, func(a, b Change) int { return strings.Compare(key(a), key(b)) })
	return list, nil
}

func visitIn(root int, c Change, visit func(*item) error) error {
	it := &item{kind: c.Kind, path: c.Path, name: path.Base(c.Path)}
	how := &unix.OpenHow{Flags: unix.O_RDONLY | unix.O_DIRECTORY | unix.O_CLOEXEC, Resolve: unix.RESOLVE_BENEATH | unix.RESOLVE_NO_SYMLINKS}
	dir, err := unix.Openat2(root, path.Join(".", path.Dir(c.Path)), how)
	if err != nil {
		return &os.PathError{Op: "open", Path: path.Dir(c.Path), Err: err}
	}
	defer unix.Close(dir)
	it.dir = dir
	if c.Kind != Deleted {
		if err := unix.Fstatat(dir, it.name, &it.stat, unix.AT_SYMLINK_NOFOLLOW); err != nil {
			return &os.PathError{Op: "stat", Path: c.Path, Err: err}
		}
	}
	return visit(it)
}
