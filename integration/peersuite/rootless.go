package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// The ordinary user of -rootless and what subordinate ids it has. It is in no file of the host's: the stage, a mount
// namespace, has its own /etc/passwd.
const (
	userName  = "rootless"
	userID    = 2000
	firstUID  = 100000
	firstGID  = 200000
	subCount  = 65536
	auxiliary = 1024 // a user of the container, which has a directory in cwd.bats
)

// rootless is the suite's other half: the tests as an ordinary user, with the features that runc's tests/rootless.sh
// switches on and off, idmap (newuidmap and newgidmap, with subordinate ids) and cgroup (groups that the user owns).
type rootless struct {
	features []string
	env      []string
	home     string
	groups   []string // to be removed in the end, the innermost first
	cgroup   *os.File // where bats runs; nil: where this process does
}

// rootlessFeatures checks one value of -rootless.
func rootlessFeatures(value string) ([]string, error) {
	if value == "none" {
		return nil, nil
	}
	features := strings.Split(value, "+")
	for _, f := range features {
		if f != "idmap" && f != "cgroup" {
			return nil, fmt.Errorf("cannot use -rootless %s: want none, idmap, cgroup or idmap+cgroup", value)
		}
	}
	return features, nil
}

// enterRootless prepares this stage for a value of -rootless; an empty one is root.
func enterRootless(value string) (*rootless, error) {
	if value == "" {
		return nil, nil
	}
	features, err := rootlessFeatures(value)
	if err != nil {
		return nil, err
	}
	r := &rootless{features: features, env: []string{"ROOTLESS_FEATURES=" + strings.Join(features, "+")}}
	if r.home, err = os.MkdirTemp("", "rootless"); err != nil {
		return nil, err
	}
	r.env = append(r.env, "HOME="+r.home, "USER="+userName)
	if err := errors.Join(os.Chown(r.home, userID, userID), r.account(), r.subordinate()); err != nil {
		return nil, errors.Join(err, r.leave())
	}
	if slices.Contains(features, "cgroup") {
		err = r.delegate()
	}
	if err != nil {
		return nil, errors.Join(err, r.leave())
	}
	return r, nil
}

// account adds the user to this namespace's files of users and groups.
func (r *rootless) account() error {
	user := fmt.Sprintf("%s:x:%d:%d::%s:/bin/bash\n", userName, userID, userID, r.home)
	group := fmt.Sprintf("%s:x:%d:\n", userName, userID)
	return cmp.Or(r.cover("/etc/passwd", user, true), r.cover("/etc/group", group, true))
}

// subordinate gives the user subordinate ids, or takes the programs away that would map them.
func (r *rootless) subordinate() error {
	if !slices.Contains(r.features, "idmap") {
		for _, name := range []string{"newuidmap", "newgidmap"} {
			path, err := exec.LookPath(name)
			if err != nil {
				continue
			}
			if err := unix.Mount("/dev/null", path, "", unix.MS_BIND, ""); err != nil {
				return fmt.Errorf("cannot hide %s: %w", path, err)
			}
		}
		return cmp.Or(r.cover("/etc/subuid", "", false), r.cover("/etc/subgid", "", false))
	}
	aux := filepath.Join(r.home, "aux")
	r.env = append(r.env, fmt.Sprintf("ROOTLESS_UIDMAP_START=%d", firstUID), fmt.Sprintf("ROOTLESS_UIDMAP_LENGTH=%d", subCount),
		fmt.Sprintf("ROOTLESS_GIDMAP_START=%d", firstGID), fmt.Sprintf("ROOTLESS_GIDMAP_LENGTH=%d", subCount),
		fmt.Sprintf("ROOTLESS_AUX_UID=%d", auxiliary), "ROOTLESS_AUX_DIR="+aux)
	return cmp.Or(
		r.cover("/etc/subuid", fmt.Sprintf("%s:%d:%d\n", userName, firstUID, subCount), false),
		r.cover("/etc/subgid", fmt.Sprintf("%s:%d:%d\n", userName, firstGID, subCount), false),
		os.Chmod(r.home, 0o755),
		os.Mkdir(aux, 0o755),
		os.Chown(aux, firstUID-1000+auxiliary, 0)) // the suite maps 1000 of the container to the first
}

// cover puts a file of the given text, or with it at the end, in the place of one of the host's.
func (r *rootless) cover(path, text string, add bool) error {
	if add {
		old, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		text = strings.TrimSuffix(string(old), "\n") + "\n" + text
	}
	file := filepath.Join(r.home, filepath.Base(path))
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		return err
	}
	if err := unix.Mount(file, path, "", unix.MS_BIND, ""); err != nil {
		return fmt.Errorf("cannot cover %s: %w", path, err)
	}
	return nil
}

// apply makes a command the user's.
func (r *rootless) apply(cmd *exec.Cmd) {
	cmd.Env = append(cmd.Env, r.env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: userID, Gid: userID}}
	if r.cgroup != nil {
		cmd.SysProcAttr.UseCgroupFD, cmd.SysProcAttr.CgroupFD = true, int(r.cgroup.Fd())
	}
}

// leave removes what would outlive this namespace.
func (r *rootless) leave() error {
	err := os.RemoveAll(r.home)
	if r.cgroup != nil {
		err = errors.Join(err, r.cgroup.Close())
	}
	for _, dir := range r.groups {
		err = errors.Join(err, removeGroup(dir))
	}
	return err
}
