package container

import (
	"errors"
	"fmt"
	"path"
	"strings"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/runtime/launch"
	"github.com/dhow-containers/dhow/spec"
)

// makeTarget makes the file or directory that a bind mount is to cover, where the destination leads through
// symbolic links to something that is not there. r.FDs are the container's root and what will be mounted.
func (m *making) makeTarget(r *launch.Request) error {
	defer func() {
		for _, fd := range r.FDs {
			unix.Close(fd)
		}
	}()
	if len(r.FDs) != 2 {
		return errors.New("internal error: the root did not arrive")
	}
	info := m.program.Describe(r.Step)
	for i := range m.doc.Spec.Mounts {
		if info.Field != fmt.Sprintf("mounts[%d]", i) {
			continue
		}
		var st unix.Stat_t
		if err := unix.Fstat(r.FDs[1], &st); err != nil {
			return fmt.Errorf("cannot %s (%s): %w", info.What, info.Field, err)
		}
		t := target{root: r.FDs[0], owned: spec.Namespace(m.doc.Spec, specs.UserNamespace) != nil}
		if err := t.make(m.doc.Spec.Mounts[i].Destination, st.Mode&unix.S_IFMT == unix.S_IFDIR); err != nil {
			return fmt.Errorf("cannot %s (%s): %w", info.What, info.Field, err)
		}
		return nil
	}
	return fmt.Errorf("internal error: %s has no destination", info.Field)
}

// target makes paths below a root. Every name is opened under the root's descriptor, and never through a link:
// those are read, and what they say is looked up under the root.
type target struct {
	root  int
	owned bool // what is made belongs to the owner of its directory: root's own id is not the container's
}

// maxLinks bounds the links of one path, as the kernel does (path_resolution(7)).
const maxLinks = 40

// make makes what name leads to, and the directories on the way.
func (t *target) make(name string, directory bool) error {
	done, links := "", 0
	rest := components(name)
	for len(rest) > 0 {
		part := rest[0]
		rest = rest[1:]
		if part == ".." {
			done = path.Dir("/" + done)[1:]
			continue
		}
		here := path.Join(done, part)
		link, err := t.readLink(here)
		switch {
		case err == unix.ENOENT:
			if err := t.makeOne(done, part, directory || len(rest) > 0); err != nil {
				return err
			}
			done = here
		case err != nil:
			return fmt.Errorf("/%s: %w", here, err)
		case link == "":
			done = here
		default:
			if links++; links > maxLinks {
				return fmt.Errorf("/%s: %w", here, unix.ELOOP)
			}
			if path.IsAbs(link) {
				done = ""
			}
			rest = append(components(link), rest...)
		}
	}
	return nil
}

// components are the names in a path.
func components(name string) []string {
	var list []string
	for part := range strings.SplitSeq(name, "/") {
		if part != "" && part != "." {
			list = append(list, part)
		}
	}
	return list
}

// open opens a path that has no links in it.
func (t *target) open(name string, flags uint64) (int, error) {
	if name == "" {
		name = "."
	}
	return unix.Openat2(t.root, name, &unix.OpenHow{Flags: flags | unix.O_PATH | unix.O_CLOEXEC | unix.O_NOFOLLOW,
		Resolve: unix.RESOLVE_BENEATH | unix.RESOLVE_NO_MAGICLINKS})
}

// readLink reads a symbolic link; "" stands for anything else.
func (t *target) readLink(name string) (string, error) {
	fd, err := t.open(name, 0)
	if err != nil {
		return "", err
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil || st.Mode&unix.S_IFMT != unix.S_IFLNK {
		return "", err
	}
	buf := make([]byte, unix.PathMax)
	n, err := unix.Readlinkat(fd, "", buf)
	if err != nil {
		return "", err
	}
	return string(buf[:n]), nil
}

// makeOne makes a directory or an empty file. What it has made it goes on with by descriptor: another container that
// shares the tree may have put a link in its place by then.
func (t *target) makeOne(dir, name string, directory bool) error {
	parent, err := t.open(dir, unix.O_DIRECTORY)
	if err != nil {
		return fmt.Errorf("/%s: %w", dir, err)
	}
	defer unix.Close(parent)
	fd, mode, err := -1, uint32(0o644), error(nil)
	if directory {
		mode = 0o755
		if err = unix.Mkdirat(parent, name, mode); err == nil {
			fd, err = unix.Openat(parent, name, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
		}
	} else {
		fd, err = unix.Openat(parent, name, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL|unix.O_NOFOLLOW|unix.O_CLOEXEC, mode)
	}
	if err == nil {
		defer unix.Close(fd)
		err = unix.Fchmod(fd, mode) // whatever the caller's umask
	}
	if err == nil && t.owned {
		var st unix.Stat_t
		if err = unix.Fstat(parent, &st); err == nil {
			err = unix.Fchown(fd, int(st.Uid), int(st.Gid))
		}
	}
	if err != nil {
		return fmt.Errorf("cannot make /%s: %w", path.Join(dir, name), err)
	}
	return nil
}
