package spec

import (
	"fmt"
	"strconv"
	"strings"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// IDMapWord says whether an option of a mount is crun's form of idmap with mappings of its own, and gives the option
// without them (crun(1), "idmap mount options"):
//
//	idmap=uids=0-1000-10#10-2000-5;gids=@0-1-10
//
// A mapping is the first id on the file system, the first id of the host, and how many. One with @ in front names
// ids of the container's user namespace in place of the host's.
func IDMapWord(option string) (word string, ok bool) {
	word, _, ok = strings.Cut(option, "=")
	return word, ok && (word == "idmap" || word == "ridmap")
}

// ParseIDMapWord reads the mappings of such an option; config has the container's user namespace.
func ParseIDMapWord(config *specs.Spec, option string) (uids, gids []specs.LinuxIDMapping, err error) {
	var own specs.Linux
	if config.Linux != nil {
		own = *config.Linux
	}
	_, text, _ := strings.Cut(option, "=")
	for part := range strings.SplitSeq(text, ";") {
		key, list, _ := strings.Cut(part, "=")
		switch key {
		case "uids":
			uids, err = parseRanges(list, own.UIDMappings)
		case "gids":
			gids, err = parseRanges(list, own.GIDMappings)
		default:
			err = fmt.Errorf("%q is neither uids= nor gids=", part)
		}
		if err != nil {
			return nil, nil, err
		}
	}
	if uids == nil || gids == nil {
		return nil, nil, fmt.Errorf("uids= and gids= are required, each along with the other")
	}
	return uids, gids, nil
}

func parseRanges(text string, own []specs.LinuxIDMapping) ([]specs.LinuxIDMapping, error) {
	var list []specs.LinuxIDMapping
	for word := range strings.SplitSeq(text, "#") {
		triplet, relative := strings.CutPrefix(word, "@")
		var n [3]uint32
		parts := strings.Split(triplet, "-")
		for i, p := range parts {
			v, err := strconv.ParseUint(p, 10, 32)
			if err != nil || len(parts) != len(n) {
				return nil, fmt.Errorf("%q is not FIRST-FIRST-COUNT", word)
			}
			n[i] = uint32(v)
		}
		m := specs.LinuxIDMapping{ContainerID: n[0], HostID: n[1], Size: n[2]}
		if relative {
			if m.HostID = toHost(own, n[1], n[2]); m.HostID == invalidID {
				return nil, fmt.Errorf("%q names ids that no one entry of the container's mappings has", word)
			}
		}
		list = append(list, m)
	}
	return list, nil
}

// toHost is the host's id for the first of a run of ids in a user namespace; invalidID when no mapping has all of them.
func toHost(own []specs.LinuxIDMapping, first, size uint32) uint32 {
	for _, m := range own {
		if first >= m.ContainerID && uint64(first)+uint64(size) <= uint64(m.ContainerID)+uint64(m.Size) {
			return m.HostID + (first - m.ContainerID)
		}
	}
	return invalidID
}
