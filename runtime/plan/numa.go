package plan

import (
	"encoding/binary"

	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/spec"
)

// affinity puts an exec on the CPUs of execCPUAffinity.final, now that it is in the container's control
// groups (sched_setaffinity(2)). Those of initial are its parent's business.
func (c *compiler) affinity() {
	a := c.cfg.Process.ExecCPUAffinity
	if a == nil || a.Final == "" {
		return
	}
	c.doing("run on the CPUs "+a.Final, "process.execCPUAffinity.final")
	set := bitmap(a.Final)
	c.call(unix.SYS_SCHED_SETAFFINITY, num(0), num(uint64(len(set))), ptr(&Mem{Data: set}))
}

// memoryPolicy sets the NUMA memory policy (set_mempolicy(2)), which execve keeps.
func (c *compiler) memoryPolicy() {
	p := c.linux.MemoryPolicy
	if p == nil {
		return
	}
	mode, _ := spec.MemoryPolicyMode(p.Mode)
	for _, name := range p.Flags {
		flag, _ := spec.MemoryPolicyFlag(name)
		mode |= flag
	}
	c.doing("set the memory policy "+string(p.Mode), "linux.memoryPolicy")
	if p.Nodes == "" {
		c.call(unix.SYS_SET_MEMPOLICY, num(uint64(mode)), num(0), num(0))
		return
	}
	nodes := bitmap(p.Nodes)
	c.call(unix.SYS_SET_MEMPOLICY, num(uint64(mode)), ptr(&Mem{Data: nodes}), num(uint64(8*len(nodes)+1))) // the kernel takes one off
}

// bitmap turns a list such as 0-3,7 into an array of longs with these bits.
func bitmap(list string) []byte {
	var words []uint64
	// The list was checked with the config.
	_ = spec.ParseIDList(list, func(first, last uint) {
		for ; first <= last; first++ {
			for uint(len(words)) <= first/64 {
				words = append(words, 0)
			}
			words[first/64] |= 1 << (first % 64)
		}
	})
	b := make([]byte, 0, 8*len(words))
	for _, w := range words {
		b = binary.NativeEndian.AppendUint64(b, w)
	}
	return b
}
