package spec

import (
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// scheduler checks the rules of sched_setattr(2) and sched(7).
func (c *checker) scheduler(p *path, s *specs.Scheduler) {
	place := p.at("policy")
	switch _, ok := SchedPolicy(s.Policy); {
	case s.Policy == "":
		c.add(&place, "required")
	case !ok:
		c.add(&place, "unknown scheduling policy %q", s.Policy)
	case s.Policy == specs.SchedISO:
		c.add(&place, "policy SCHED_ISO is reserved: no kernel implements it")
	}
	place = p.at("nice")
	if s.Nice < -20 || s.Nice > 19 {
		c.add(&place, "%d is not between -20 and 19", s.Nice)
	}
	place = p.at("priority")
	realtime := s.Policy == specs.SchedFIFO || s.Policy == specs.SchedRR
	if realtime && (s.Priority < 1 || s.Priority > 99) {
		c.add(&place, "%d is not between 1 and 99, which policy %s requires", s.Priority, s.Policy)
	}
	if !realtime && s.Policy != "" && s.Priority != 0 {
		c.add(&place, "must be 0 with policy %s", s.Policy)
	}
	place = p.at("flags")
	flags(c, &place, s.Flags, "scheduling flag", SchedFlag)
	c.deadline(p, s)
}

// deadline checks that runtime <= deadline <= period, in nanoseconds (sched(7), "SCHED_DEADLINE").
func (c *checker) deadline(p *path, s *specs.Scheduler) {
	if s.Policy != specs.SchedDeadline {
		for _, v := range [...]struct {
			key   string
			value uint64
		}{{"runtime", s.Runtime}, {"deadline", s.Deadline}, {"period", s.Period}} {
			if v.value != 0 {
				place := p.at(v.key)
				c.add(&place, "is for policy SCHED_DEADLINE only")
			}
		}
		return
	}
	place := p.at("runtime")
	if s.Runtime < 1024 {
		c.add(&place, "%d is below the kernel's minimum of 1024 ns", s.Runtime)
	}
	place = p.at("deadline")
	if s.Deadline < s.Runtime {
		c.add(&place, "%d is below the runtime %d", s.Deadline, s.Runtime)
	}
	place = p.at("period")
	if s.Period != 0 && s.Period < s.Deadline {
		c.add(&place, "%d is below the deadline %d", s.Period, s.Deadline)
	}
}

func (c *checker) ioPriority(p *path, io *specs.LinuxIOPriority) {
	place := p.at("class")
	if io.Class == "" {
		c.add(&place, "required")
	} else if _, ok := IOPriorityClass(io.Class); !ok {
		c.add(&place, "unknown I/O priority class %q", io.Class)
	}
	place = p.at("priority")
	if io.Priority < 0 || io.Priority > 7 {
		c.add(&place, "%d is not between 0 and 7", io.Priority)
	}
}
