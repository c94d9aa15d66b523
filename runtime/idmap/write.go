package idmap

import (
	"fmt"
	"os"
	"strconv"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// kind is what differs between users and groups.
type kind struct {
	noun   string // "users"
	file   string // in /proc/PID
	helper string
	field  string
	ranges string // file with the ranges that the helper hands out
}

var (
	users  = kind{"users", "uid_map", "newuidmap", "linux.uidMappings", "/etc/subuid"}
	groups = kind{"groups", "gid_map", "newgidmap", "linux.gidMappings", "/etc/subgid"}
)

// Write writes the mappings of the user namespace that pid has made, for a caller with the effective ids of this
// process. Root writes them itself. So does everybody else a mapping of one id, the own one: for a group
// that costs the namespace setgroups(2). For all others the helpers are asked.
func Write(pid int, uids, gids []specs.LinuxIDMapping) error {
	proc := "/proc/" + strconv.Itoa(pid)
	if DeniesSetgroups(gids) {
		if err := os.WriteFile(proc+"/setgroups", []byte("deny"), 0); err != nil {
			return fmt.Errorf("cannot map groups (linux.gidMappings): %w", err)
		}
	}
	if err := groups.write(pid, gids, os.Getegid()); err != nil {
		return err
	}
	return users.write(pid, uids, os.Geteuid())
}

// DeniesSetgroups says whether Write takes setgroups(2) from a namespace with these group mappings.
func DeniesSetgroups(gids []specs.LinuxIDMapping) bool {
	return os.Geteuid() != 0 && ownOnly(gids, os.Getegid())
}

// ownOnly says whether a list maps one id alone, the caller's.
func ownOnly(list []specs.LinuxIDMapping, own int) bool {
	return len(list) == 1 && list[0].Size == 1 && int(list[0].HostID) == own
}

func (k *kind) write(pid int, list []specs.LinuxIDMapping, own int) error {
	if len(list) == 0 {
		return nil
	}
	if os.Geteuid() != 0 && !ownOnly(list, own) {
		return k.ask(pid, list, own)
	}
	if err := os.WriteFile("/proc/"+strconv.Itoa(pid)+"/"+k.file, text(list), 0); err != nil {
		return fmt.Errorf("cannot map %s (%s): %w", k.noun, k.field, err)
	}
	return nil
}

// text is a mapping as the kernel reads it, a line for each range.
func text(list []specs.LinuxIDMapping) []byte {
	var b []byte
	for _, m := range list {
		b = fmt.Appendf(b, "%d %d %d\n", m.ContainerID, m.HostID, m.Size)
	}
	return b
}
