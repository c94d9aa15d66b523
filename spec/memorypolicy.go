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

// memoryPolicy checks the rules of set_mempolicy(2).
func (c *checker) memoryPolicy() {
	policy := c.spec.Linux.MemoryPolicy
	if policy == nil {
		return
	}
	p := root.at("linux/memoryPolicy/mode")
	if _, ok := MemoryPolicyMode(policy.Mode); !ok {
		c.add(&p, "invalid memory policy mode %q", policy.Mode)
	}
	p = root.at("linux/memoryPolicy/nodes")
	c.memoryNodes(&p, policy.Mode, policy.Nodes)
	p = root.at("linux/memoryPolicy/flags")
	set := flags(c, &p, policy.Flags, "memory policy flag", MemoryPolicyFlag)
	c.memoryPolicyFlags(&p, policy.Mode, set)
}

// memoryNodes wants nodes for the modes that take some.
func (c *checker) memoryNodes(p *path, mode specs.MemoryPolicyModeType, list string) {
	count := uint(0)
	if list != "" {
		if err := ParseIDList(list, func(first, last uint) { count += last - first + 1 }); err != nil {
			c.add(p, "invalid memory policy nodes %q, want a list such as 0-3,7: %v", list, err)
			return
		}
	}
	switch mode {
	case specs.MpolDefault, specs.MpolLocal:
		if count > 0 {
			c.add(p, "%s mode requires 0 nodes but got %d", mode, count)
		}
	case specs.MpolBind, specs.MpolInterleave, specs.MpolWeightedInterleave, specs.MpolPreferredMany:
		if count == 0 {
			c.add(p, "%s mode requires at least one node but got 0", mode)
		}
	}
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
