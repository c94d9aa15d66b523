package spec

import (
	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// schedISO is SCHED_ISO, a number that sched.h reserves and no kernel implements.
const schedISO = 4

// SchedPolicy returns the number that sched_setattr(2) knows a policy by.
func SchedPolicy(p specs.LinuxSchedulerPolicy) (policy uint32, ok bool) {
	return find(schedPolicies[:], string(p))
}

var schedPolicies = [...]entry[uint32]{
	{"SCHED_BATCH", unix.SCHED_BATCH},
	{"SCHED_DEADLINE", unix.SCHED_DEADLINE},
	{"SCHED_FIFO", unix.SCHED_FIFO},
	{"SCHED_IDLE", unix.SCHED_IDLE},
	{"SCHED_ISO", schedISO},
	{"SCHED_OTHER", unix.SCHED_NORMAL},
	{"SCHED_RR", unix.SCHED_RR},
}

// SchedFlag returns the bit of sched_attr.sched_flags (sched_setattr(2)).
func SchedFlag(f specs.LinuxSchedulerFlag) (flag uint64, ok bool) {
	return find(schedFlags[:], string(f))
}

var schedFlags = [...]entry[uint64]{
	{"SCHED_FLAG_DL_OVERRUN", unix.SCHED_FLAG_DL_OVERRUN},
	{"SCHED_FLAG_KEEP_PARAMS", unix.SCHED_FLAG_KEEP_PARAMS},
	{"SCHED_FLAG_KEEP_POLICY", unix.SCHED_FLAG_KEEP_POLICY},
	{"SCHED_FLAG_RECLAIM", unix.SCHED_FLAG_RECLAIM},
	{"SCHED_FLAG_RESET_ON_FORK", unix.SCHED_FLAG_RESET_ON_FORK},
	{"SCHED_FLAG_UTIL_CLAMP_MAX", unix.SCHED_FLAG_UTIL_CLAMP_MAX},
	{"SCHED_FLAG_UTIL_CLAMP_MIN", unix.SCHED_FLAG_UTIL_CLAMP_MIN},
}

// IOPriorityClass returns the class number of ioprio_set(2); a priority value is class<<13 | level.
func IOPriorityClass(c specs.IOPriorityClass) (class int, ok bool) {
	return find(ioClasses[:], string(c))
}

// The numbers are those of linux/ioprio.h.
var ioClasses = [...]entry[int]{
	{"IOPRIO_CLASS_BE", 2},
	{"IOPRIO_CLASS_IDLE", 3},
	{"IOPRIO_CLASS_RT", 1},
}
