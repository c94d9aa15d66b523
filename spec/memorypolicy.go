package spec

import (
	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// MemoryPolicyMode returns the mode number of set_mempolicy(2).
func MemoryPolicyMode(m specs.MemoryPolicyModeType) (mode int, ok bool) {
	return find(memoryModes[:], string(m))
}

// MemoryPolicyModes lists the modes that MemoryPolicyMode knows.
func MemoryPolicyModes() []string { return names(memoryModes[:]) }

// MemoryPolicyFlags lists the flags that MemoryPolicyFlag knows.
func MemoryPolicyFlags() []string { return names(memoryFlags[:]) }

var memoryModes = [...]entry[int]{
	{"MPOL_BIND", unix.MPOL_BIND},
	{"MPOL_DEFAULT", unix.MPOL_DEFAULT},
	{"MPOL_INTERLEAVE", unix.MPOL_INTERLEAVE},
	{"MPOL_LOCAL", unix.MPOL_LOCAL},
	{"MPOL_PREFERRED", unix.MPOL_PREFERRED},
	{"MPOL_PREFERRED_MANY", unix.MPOL_PREFERRED_MANY},
	{"MPOL_WEIGHTED_INTERLEAVE", unix.MPOL_WEIGHTED_INTERLEAVE},
}

// MemoryPolicyFlag returns the mode flag of set_mempolicy(2).
func MemoryPolicyFlag(f specs.MemoryPolicyFlagType) (flag int, ok bool) {
	return find(memoryFlags[:], string(f))
}

var memoryFlags = [...]entry[int]{
	{"MPOL_F_NUMA_BALANCING", unix.MPOL_F_NUMA_BALANCING},
	{"MPOL_F_RELATIVE_NODES", unix.MPOL_F_RELATIVE_NODES},
	{"MPOL_F_STATIC_NODES", unix.MPOL_F_STATIC_NODES},
}

// memoryPolicyFlags refuses the combinations that set_mempolicy(2) answers with EINVAL.
func (c *checker) memoryPolicyFlags(p *path, mode specs.MemoryPolicyModeType, set int) {
	const both = unix.MPOL_F_STATIC_NODES | unix.MPOL_F_RELATIVE_NODES
	switch {
	case set&both == both:
		c.add(p, "MPOL_F_STATIC_NODES and MPOL_F_RELATIVE_NODES exclude each other")
	case set&both != 0 && (mode == specs.MpolDefault || mode == specs.MpolLocal):
		c.add(p, "%s takes no flags about nodes", mode)
	}
	if set&unix.MPOL_F_NUMA_BALANCING != 0 && mode != specs.MpolBind && mode != specs.MpolPreferredMany {
		c.add(p, "MPOL_F_NUMA_BALANCING requires MPOL_BIND or MPOL_PREFERRED_MANY")
	}
}
