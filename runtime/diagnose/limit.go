package diagnose

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/spec"
)

// limitRules are about limits, priorities and control groups.
func limitRules() []rule {
	return []rule{
		{name: "rlimit-above-hard", field: "process.rlimits", calls: []string{"prlimit64"}, errno: []unix.Errno{unix.EPERM}, why: hardLimit},
		{name: "oom-score-below-own", field: "process.oomScoreAdj", errno: []unix.Errno{unix.EACCES, unix.EPERM}, why: oomScore},
		{name: "scheduler-privilege", field: "process.scheduler", errno: []unix.Errno{unix.EPERM},
			why: always("this policy, or priority, takes CAP_SYS_NICE, and for a real-time policy a budget (cpu.rt_runtime_us on cgroup v1)")},
		{name: "ioprio-privilege", field: "process.ioPriority", errno: []unix.Errno{unix.EPERM}, why: always("the class IOPRIO_CLASS_RT takes CAP_SYS_ADMIN or CAP_SYS_NICE")},
		{name: "cgroup-read-only", field: "linux.", what: "cgroup", errno: []unix.Errno{unix.EROFS}, why: always("the cgroup file system is mounted read-only")},
		{name: "cgroup-not-delegated", what: "cgroup", errno: []unix.Errno{unix.EACCES, unix.EPERM}, why: notDelegated},
		{name: "cpuset-outside-parent", field: "linux.resources.cpu", errno: []unix.Errno{unix.EINVAL, unix.EACCES, unix.ENODEV, unix.ERANGE}, what: "cpuset", why: cpuset},
		{name: "memory-policy-nodes", field: "linux.memoryPolicy", errno: []unix.Errno{unix.EINVAL}, calls: []string{"set_mempolicy"}, why: memoryPolicy},
		{name: "device-unknown", field: "linux.resources.blockIO", errno: []unix.Errno{unix.ENODEV, unix.EINVAL}, why: always("a block device of these numbers may not exist (/proc/partitions)")},
	}
}

// hardLimit compares a wanted rlimit with the hard limit that root without CAP_SYS_RESOURCE cannot raise.
func hardLimit(f *Failure) string {
	if f.Config == nil || f.Config.Process == nil {
		return ""
	}
	for i, l := range f.Config.Process.Rlimits {
		if f.Field != fmt.Sprintf("process.rlimits[%d]", i) {
			continue
		}
		return aboveHardLimit(l)
	}
	return ""
}

// AboveHardLimit says so when this process cannot set the limit.
func AboveHardLimit(l specs.POSIXRlimit) string {
	if Capabilities()&(1<<unix.CAP_SYS_RESOURCE) != 0 && !InUserNamespace() {
		return ""
	}
	return aboveHardLimit(l)
}

func aboveHardLimit(l specs.POSIXRlimit) string {
	number, known := spec.Rlimit(l.Type)
	var own unix.Rlimit
	if !known || unix.Getrlimit(int(number), &own) != nil || l.Hard <= own.Max {
		return ""
	}
	return fmt.Sprintf("the hard limit here is %d, and raising it to %d takes CAP_SYS_RESOURCE", own.Max, l.Hard)
}

func oomScore(*Failure) string {
	own := firstOf("/proc/self/oom_score_adj")
	if own == "" {
		return ""
	}
	return fmt.Sprintf("this process has %s, and a lower score takes CAP_SYS_RESOURCE", own)
}

// BelowOwnScore says so when this process cannot lower the OOM score so far.
func BelowOwnScore(score int) string {
	own, err := strconv.Atoi(firstOf("/proc/self/oom_score_adj"))
	if err != nil || score >= own || Capabilities()&(1<<unix.CAP_SYS_RESOURCE) != 0 && !InUserNamespace() {
		return ""
	}
	return oomScore(nil)
}

func notDelegated(*Failure) string {
	if os.Geteuid() == 0 && !InUserNamespace() {
		return ""
	}
	return fmt.Sprintf("user %d may not write there: no cgroup is delegated to it (systemd does so with Delegate=yes in user@%d.service)", os.Geteuid(), os.Geteuid())
}

// cpuset tells which processors, or memory nodes, there are to choose from.
func cpuset(f *Failure) string {
	name, list := cpus()
	if strings.HasSuffix(f.Field, ".mems") {
		name, list = memoryNodes()
	}
	return among(name, list)
}

// memoryPolicy explains the EINVAL of a policy that the config's own check found nothing against.
func memoryPolicy(*Failure) string { return among(memoryNodes()) }

func among(name, list string) string {
	if list == "" {
		return ""
	}
	return "the " + name + " to choose from are " + list
}

// OutsideCPUs says so when list names a processor that this host, or the cgroup it shows, does not have.
func OutsideCPUs(list string) string { return outside(list, cpus) }

// OutsideNodes is [OutsideCPUs] for memory nodes.
func OutsideNodes(list string) string { return outside(list, memoryNodes) }

func outside(list string, all func() (name, list string)) string {
	if list == "" {
		return ""
	}
	name, have := all()
	known := map[uint]bool{}
	if spec.ParseIDList(have, func(first, last uint) {
		for id := first; id <= last; id++ {
			known[id] = true
		}
	}) != nil {
		return ""
	}
	missing := false
	err := spec.ParseIDList(list, func(first, last uint) {
		for id := first; id <= last; id++ {
			missing = missing || !known[id]
		}
	})
	if err != nil || !missing {
		return ""
	}
	return among(name, have)
}

func cpus() (name, list string) {
	return "processors", firstOf("/sys/fs/cgroup/cpuset.cpus.effective", "/sys/fs/cgroup/cpuset/cpuset.cpus", "/sys/devices/system/cpu/online")
}

func memoryNodes() (name, list string) {
	return "memory nodes", firstOf("/sys/fs/cgroup/cpuset.mems.effective", "/sys/fs/cgroup/cpuset/cpuset.mems", "/sys/devices/system/node/has_memory")
}

func firstOf(names ...string) string {
	for _, name := range names {
		if text, err := os.ReadFile(name); err == nil {
			return strings.TrimSpace(string(text))
		}
	}
	return ""
}
