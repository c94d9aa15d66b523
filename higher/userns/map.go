package userns

import (
	"fmt"
	"strconv"
	"strings"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// Map is how the ids of containers are mapped to those of the host. A nil one maps each to itself.
type Map struct {
	UIDs, GIDs []specs.LinuxIDMapping // the first of each has the container's root
}

// Root is root of the containers, as the host has it.
func (m *Map) Root() (uid, gid int) {
	if m == nil {
		return 0, 0
	}
	return int(m.UIDs[0].HostID), int(m.GIDs[0].HostID)
}

// Host is what a user and a group of a container are on the host. Those that are not mapped cannot be anybody's there.
func (m *Map) Host(uid, gid int) (hostUID, hostGID int, err error) {
	if m == nil {
		return uid, gid, nil
	}
	hostUID, okUID := translate(m.UIDs, uid, inside, outside)
	hostGID, okGID := translate(m.GIDs, gid, inside, outside)
	if !okUID || !okGID {
		return 0, 0, fmt.Errorf("the owner %d:%d is beyond the ids that are mapped (--userns-remap)", uid, gid)
	}
	return hostUID, hostGID, nil
}

// overflow is who owns, as a user namespace shows it, what nobody of it owns (/proc/sys/kernel/overflowuid).
const overflow = 65534

// Container is what a user and a group of the host are in a container.
func (m *Map) Container(uid, gid int) (containerUID, containerGID int) {
	if m == nil {
		return uid, gid
	}
	containerUID, ok := translate(m.UIDs, uid, outside, inside)
	if !ok {
		containerUID = overflow
	}
	if containerGID, ok = translate(m.GIDs, gid, outside, inside); !ok {
		containerGID = overflow
	}
	return containerUID, containerGID
}

func inside(r *specs.LinuxIDMapping) int  { return int(r.ContainerID) }
func outside(r *specs.LinuxIDMapping) int { return int(r.HostID) }

func translate(list []specs.LinuxIDMapping, id int, from, to func(*specs.LinuxIDMapping) int) (int, bool) {
	for i := range list {
		if d := id - from(&list[i]); d >= 0 && d < int(list[i].Size) {
			return to(&list[i]) + d, true
		}
	}
	return 0, false
}

// Format writes mappings as snapshotters have them, CONTAINER:HOST:SIZE,…
func Format(list []specs.LinuxIDMapping) string {
	words := make([]string, len(list))
	for i, r := range list {
		words[i] = fmt.Sprintf("%d:%d:%d", r.ContainerID, r.HostID, r.Size)
	}
	return strings.Join(words, ",")
}

// Parse reads what Format writes.
func Parse(text string) (list []specs.LinuxIDMapping, err error) {
	for word := range strings.SplitSeq(text, ",") {
		var n [3]uint64
		fields := strings.Split(word, ":")
		if len(fields) != len(n) {
			return nil, fmt.Errorf("%q is not CONTAINER:HOST:SIZE", word)
		}
		for i, f := range fields {
			if n[i], err = strconv.ParseUint(f, 10, 32); err != nil {
				return nil, fmt.Errorf("%q is not CONTAINER:HOST:SIZE: %w", word, err)
			}
		}
		list = append(list, specs.LinuxIDMapping{ContainerID: uint32(n[0]), HostID: uint32(n[1]), Size: uint32(n[2])})
	}
	return list, nil
}
