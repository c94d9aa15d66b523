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

// user finds who USER[:GROUP] is in the container, and the groups that belong to it.
func (in *Input) user(name string) (specs.User, error) {
	passwd, group, err := in.accounts()
	if err != nil {
		return specs.User{}, err
	}
	who, err := user.GetExecUser(name, nil, reader(passwd), reader(group))
	if err != nil {
		return specs.User{}, invalidf("%v", err)
	}
	more, err := user.GetAdditionalGroups(in.HostConfig.GroupAdd, reader(group))
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

// accounts reads /etc/passwd and /etc/group of the container; nil for one that is not there.
func (in *Input) accounts() (passwd, group []byte, err error) {
	if in.Root == nil {
		return nil, nil, nil
	}
	root, err := in.Root()
	if err != nil {
		return nil, nil, err
	}
	defer root.Close()
	if passwd, err = names(int(root.Fd()), "etc/passwd"); err != nil {
		return nil, nil, err
	}
	group, err = names(int(root.Fd()), "etc/group")
	return passwd, group, err
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
