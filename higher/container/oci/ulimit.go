package oci

import (
	"maps"
	"slices"
	"strings"

	"github.com/dhow-containers/dhow/spec"
	"github.com/docker/go-units"
	types "github.com/moby/moby/api/types/container"
)

// rlimitName is the name of a limit in a configuration, RLIMIT_NOFILE for nofile.
func rlimitName(ulimit string) string { return "RLIMIT_" + strings.ToUpper(ulimit) }

func sortedNames(all map[string]*units.Ulimit) []string { return slices.Sorted(maps.Keys(all)) }

// checkUlimits refuses limits that the kernel does not know, or that contradict themselves.
func checkUlimits(h *types.HostConfig) error {
	seen := map[string]bool{}
	for _, u := range h.Ulimits {
		if u == nil {
			return invalidf("invalid ulimit: nothing")
		}
		if _, ok := spec.Rlimit(rlimitName(u.Name)); !ok {
			return invalidf("invalid ulimit type: %s", u.Name)
		}
		if seen[u.Name] {
			return invalidf("ulimit %s is given twice", u.Name)
		}
		seen[u.Name] = true
		if uint64(u.Soft) > uint64(u.Hard) { // -1 is no limit
			return invalidf("ulimit soft limit must be less than or equal to hard limit: %d > %d", u.Soft, u.Hard)
		}
	}
	return nil
}
