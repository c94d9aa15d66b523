package container

import (
	"errors"
	"fmt"
	goruntime "runtime"

	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/spec"
)

// maxCPUs is more than Linux supports, on any machine.
const maxCPUs = 8192

// onCPUs calls f on a thread that runs on the listed CPUs alone, as do the processes that f starts
// (process.execCPUAffinity.initial). "" changes nothing.
func onCPUs(list string, f func() error) error {
	if list == "" {
		return f()
	}
	set := unix.NewCPUSet(maxCPUs)
	err := spec.ParseIDList(list, func(first, last uint) {
		for ; first <= last; first++ {
			set.Set(int(first))
		}
	})
	if err != nil {
		return fmt.Errorf("cannot run on the CPUs %s (process.execCPUAffinity.initial): %w", list, err)
	}
	done := make(chan error)
	go func() {
		goruntime.LockOSThread() // and no unlock: the thread ends with the goroutine
		if err := unix.SchedSetaffinityDynamic(0, set); err != nil {
			done <- fmt.Errorf("cannot run on the CPUs %s (process.execCPUAffinity.initial): sched_setaffinity: %w", list, err)
			return
		}
		done <- f()
	}()
	return <-done
}

// onAllCPUs lets pid run on every CPU of its cpuset: what the runtime was restricted to, by taskset(1) or
// CPUAffinity= of a systemd service, is not meant for the container.
func (s *Store) onAllCPUs(pid int) {
	set := unix.NewCPUSet(maxCPUs)
	set.Fill()
	if err := unix.SchedSetaffinityDynamic(pid, set); err != nil && !errors.Is(err, unix.ESRCH) {
		s.warn("cannot let the container's process run on all CPUs", err)
	}
}
