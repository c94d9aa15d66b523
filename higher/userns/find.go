package userns

import (
	"errors"
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"

	"github.com/moby/sys/user"
	specs "github.com/opencontainers/runtime-spec/specs-go"

	"github.com/dhow-containers/dhow/runtime/idmap"
)

// defaultUser is whose ranges the word default means, as with Docker.
const defaultUser = "dockremap"

// The files of subuid(5) and subgid(5).
const (
	subuid = "/etc/subuid"
	subgid = "/etc/subgid"
)

// Find reads the setting default, USER[:GROUP] or UID[:GID]: the ranges are those of the user in /etc/subuid and
// /etc/subgid, one behind the other. "" and root, who cannot be mapped to itself, are no mapping. A group has to exist,
// and has no other part in it.
func Find(setting string) (*Map, error) {
	if setting == "" {
		return nil, nil
	}
	m, err := find(setting)
	if err != nil {
		return nil, fmt.Errorf("cannot remap users (--userns-remap %s): %w", setting, err)
	}
	return m, nil
}

func find(setting string) (*Map, error) {
	name, group, hasGroup := strings.Cut(setting, ":")
	if name == "" || hasGroup && group == "" || strings.Contains(group, ":") {
		return nil, errors.New("it is none of default, USER[:GROUP] and UID[:GID]")
	}
	if setting == "default" {
		name = defaultUser
	}
	u, err := lookup(name)
	if err != nil {
		return nil, err
	}
	if hasGroup {
		if err := checkGroup(group); err != nil {
			return nil, err
		}
	}
	if u.Uid == 0 {
		return nil, nil
	}
	m := &Map{}
	if m.UIDs, err = ranges(subuid, u); err != nil {
		return nil, err
	}
	m.GIDs, err = ranges(subgid, u)
	return m, err
}

// lookup finds a user by name or number.
func lookup(name string) (user.User, error) {
	var u user.User
	id, err := strconv.Atoi(name)
	if err == nil {
		u, err = user.LookupUid(id)
	} else {
		u, err = user.LookupUser(name)
	}
	switch {
	case err == nil:
		return u, nil
	case errors.Is(err, user.ErrNoPasswdEntries) || errors.Is(err, os.ErrNotExist):
		return u, fmt.Errorf("there is no user %s; make one, and give it ids: `useradd --system --no-create-home %s`, "+
			"and a line `%s:100000:65536` in %s and in %s", name, name, name, subuid, subgid)
	default:
		return u, fmt.Errorf("cannot look up the user %s: %w", name, err)
	}
}

func checkGroup(name string) error {
	id, err := strconv.Atoi(name)
	if err == nil {
		_, err = user.LookupGid(id)
	} else {
		_, err = user.LookupGroup(name)
	}
	if err != nil {
		return fmt.Errorf("cannot look up the group %s: %w", name, err)
	}
	return nil
}

// ranges are all those that a file gives a user, put behind each other in the container.
func ranges(file string, u user.User) ([]specs.LinuxIDMapping, error) {
	list, err := idmap.Ranges(file, u.Uid)
	if err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("%s gives the user %s no ids; add a line `%s:100000:65536`", file, u.Name, u.Name)
	}
	return inARow(list)
}

// inARow is the mappings of ranges, from the container's 0 on.
func inARow(list []idmap.Range) (all []specs.LinuxIDMapping, err error) {
	next := uint64(0)
	for _, r := range list {
		if next+uint64(r.Count) > math.MaxUint32 || uint64(r.First)+uint64(r.Count) > math.MaxUint32 {
			return nil, fmt.Errorf("the ids %s are more than there are", r)
		}
		all = append(all, specs.LinuxIDMapping{ContainerID: uint32(next), HostID: r.First, Size: r.Count})
		next += uint64(r.Count)
	}
	return all, nil
}
