package plan

import (
	"encoding/binary"
	"sort"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/spec"
)

// oomScore sets the OOM killer's preference when it differs from what is inherited (proc(5)). It comes
// first, while the process is still the owner of its /proc files.
func (c *compiler) oomScore() {
	p := c.cfg.Process
	if p == nil || p.OOMScoreAdj == nil || *p.OOMScoreAdj == c.in.Host.OOMScoreAdj {
		return
	}
	c.doing("set the OOM score adjustment", "process.oomScoreAdj")
	if c.in.Host.Unprivileged || c.in.Host.UserNamespace { // no procfs can be mounted for it
		c.attended(OOMScore)
		return
	}
	c.writeProc("self/oom_score_adj", strconv.Itoa(*p.OOMScoreAdj))
}

// names sets the host and domain name of the UTS namespace.
func (c *compiler) names() {
	if name := c.cfg.Hostname; name != "" {
		c.doing("set the host name", "hostname")
		c.call(unix.SYS_SETHOSTNAME, str(name), num(uint64(len(name))))
	}
	if name := c.cfg.Domainname; name != "" {
		c.doing("set the domain name", "domainname")
		c.call(unix.SYS_SETDOMAINNAME, str(name), num(uint64(len(name))))
	}
}

// sysctls writes linux.sysctl, in the order of its names, through the detached procfs.
func (c *compiler) sysctls() {
	keys := make([]string, 0, len(c.linux.Sysctl))
	for key := range c.linux.Sysctl {
		keys = append(keys, key)
	}
	sort.Strings(keys)
	for _, key := range keys {
		c.doing("set the sysctl "+key, "linux.sysctl["+strconv.Quote(key)+"]")
		file, _ := spec.SysctlFile(key) // checked with the config
		c.writeProc("sys/"+file, c.linux.Sysctl[key])
	}
}

// limits sets what the process is born with: resource limits, scheduling, memory policy, personality.
func (c *compiler) limits() {
	c.personality()
	c.memoryPolicy()
	p := c.cfg.Process
	if p == nil {
		return
	}
	for i, l := range p.Rlimits {
		c.doing("limit "+l.Type, indexed("process.rlimits", i))
		resource, _ := spec.Rlimit(l.Type)
		pair := make([]byte, 16)
		binary.NativeEndian.PutUint64(pair, l.Soft)
		binary.NativeEndian.PutUint64(pair[8:], l.Hard)
		c.call(unix.SYS_PRLIMIT64, num(0), num(uint64(resource)), ptr(&Mem{Data: pair}), num(0))
	}
	c.scheduler()
	c.ioPriority()
}

func (c *compiler) personality() {
	p := c.linux.Personality
	if p == nil {
		return
	}
	c.doing("set the execution domain", "linux.personality")
	persona, _ := spec.Personality(p.Domain)
	c.call(unix.SYS_PERSONALITY, num(uint64(persona)))
}

// scheduler sets policy and parameters (sched_setattr(2)).
func (c *compiler) scheduler() {
	s := c.cfg.Process.Scheduler
	if s == nil {
		return
	}
	policy, _ := spec.SchedPolicy(s.Policy)
	var flags uint64
	for _, name := range s.Flags {
		bit, _ := spec.SchedFlag(name)
		flags |= bit
	}
	a := make([]byte, unix.SizeofSchedAttr)
	binary.NativeEndian.PutUint32(a, unix.SizeofSchedAttr)
	binary.NativeEndian.PutUint32(a[4:], policy)
	binary.NativeEndian.PutUint64(a[8:], flags)
	binary.NativeEndian.PutUint32(a[16:], uint32(s.Nice))
	binary.NativeEndian.PutUint32(a[20:], uint32(s.Priority))
	binary.NativeEndian.PutUint64(a[24:], s.Runtime)
	binary.NativeEndian.PutUint64(a[32:], s.Deadline)
	binary.NativeEndian.PutUint64(a[40:], s.Period)
	c.doing("set the scheduling policy", "process.scheduler")
	set := c.call(unix.SYS_SCHED_SETATTR, num(0), ptr(&Mem{Data: a}), num(0))
	if r := c.linux.Resources; policy == schedDeadline && r != nil && r.CPU != nil && r.CPU.Cpus != "" {
		good, bad := c.label(), c.label() // sched_setattr(2), EPERM: the affinity must have all CPUs in it
		set.ok(unix.EPERM).then(good).otherwise(bad)
		c.place(bad)
		c.fail(unix.EPERM, "sched_setattr: operation not permitted: process scheduler can't be used together with AllowedCPUs (linux.resources.cpu.cpus): SCHED_DEADLINE wants all CPUs")
		c.place(good)
	}
}

// schedDeadline is SCHED_DEADLINE (sched(7)).
const schedDeadline = 6

// ioPriority sets class and priority (ioprio_set(2)).
func (c *compiler) ioPriority() {
	io := c.cfg.Process.IOPriority
	if io == nil {
		return
	}
	const whoProcess, classShift = 1, 13
	class, _ := spec.IOPriorityClass(io.Class)
	c.doing("set the I/O priority", "process.ioPriority")
	c.call(unix.SYS_IOPRIO_SET, num(whoProcess), num(0), num(uint64(class)<<classShift|uint64(io.Priority)))
}
