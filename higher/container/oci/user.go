package oci

import (
	"bytes"
	"fmt"
	"io"
	"slices"

	"github.com/dhow-containers/dhow/runtime/inroot"
	"github.com/moby/sys/user"
	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// maxNames bounds how much of an image's /etc/passwd and /etc/group is read.
const maxNames = 16 << 20

// accounts are /etc/passwd and /etc/group of a container; nil for one that is not there.
type accounts struct{ passwd, group []byte }

// user finds who USER[:GROUP] is in the container, and the groups that belong to it.
func (in *Input) user(name string, a *accounts) (specs.User, error) {
	who, err := user.GetExecUser(name, nil, reader(a.passwd), reader(a.group))
	if err != nil {
		return specs.User{}, invalidf("%v", err)
	}
	more, err := user.GetAdditionalGroups(in.HostConfig.GroupAdd, reader(a.group))
	if err != nil {
		return specs.User{}, invalidf("%v", err)
	}
	slices.Sort(more)
	u := specs.User{UID: uint32(who.Uid), GID: uint32(who.Gid), AdditionalGids: []uint32{uint32(who.Gid)}, Umask: in.HostConfig.Umask}
	for _, gid := range append(who.Sgids, more...) {
		if !slices.Contains(u.AdditionalGids, uint32(gid)) {
			u.AdditionalGids = append(u.AdditionalGids, uint32(gid))
		}
	}
	return u, nil
}

// look reads what the container's root has to say; workdir is looked at, too, unless it is "".
func (in *Input) look(workdir string) (*accounts, error) {
	a := &accounts{}
	if in.Root == nil {
		return a, nil
	}
	root, err := in.Root()
	if err != nil {
		return nil, err
	}
	defer root.Close()
	fd := int(root.Fd())
	if a.passwd, err = names(fd, "etc/passwd"); err != nil {
		return nil, err
	}
	if a.group, err = names(fd, "etc/group"); err != nil {
		return nil, err
	}
	if workdir == "" {
		return a, nil
	}
	if st, err := inroot.Stat(fd, workdir); err == nil && st.Mode&unix.S_IFMT != unix.S_IFDIR {
		return nil, invalidf("Cannot mkdir: %s is not a directory", workdir)
	}
	return a, nil // the runtime makes a directory that is missing
}

func names(root int, path string) ([]byte, error) {
	text, err := inroot.Read(root, path, maxNames)
	switch err {
	case nil:
		return text, nil
	case unix.ENOENT, unix.ENOTDIR, unix.EINVAL: // EINVAL: it is no regular file
		return nil, nil
	default:
		return nil, fmt.Errorf("cannot read /%s of the container: %w", path, err)
	}
}

func reader(text []byte) io.Reader {
	if text == nil {
		return nil
	}
	return bytes.NewReader(text)
}
