package libseccomp

import (
	"fmt"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// parseFlags returns the SECCOMP_FILTER_FLAG_* bits to load the filter with.
func parseFlags(names []specs.LinuxSeccompFlag, notify bool) (uint, error) {
	if names == nil {
		// Absent, not empty: as runc, do not slow the container down with the mitigation of
		// Speculative Store Bypass, which kernels before 5.16 turn on for every filter.
		return unix.SECCOMP_FILTER_FLAG_SPEC_ALLOW, nil
	}
	var flags uint
	for i, name := range names {
		switch name {
		case "SECCOMP_FILTER_FLAG_TSYNC":
			// The filter is loaded by a process of one thread: there is nothing to synchronise.
		case specs.LinuxSeccompFlagLog:
			flags |= unix.SECCOMP_FILTER_FLAG_LOG
		case specs.LinuxSeccompFlagSpecAllow:
			flags |= unix.SECCOMP_FILTER_FLAG_SPEC_ALLOW
		case specs.LinuxSeccompFlagWaitKillableRecv:
			if !notify {
				return 0, fmt.Errorf("/linux/seccomp/flags/%d: %q needs a rule with %q", i, name, specs.ActNotify)
			}
			flags |= unix.SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
		default:
			return 0, fmt.Errorf("/linux/seccomp/flags/%d: unknown flag %q", i, name)
		}
	}
	return flags, nil
}
