package container

import (
	"errors"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/runtime/cgroup"
)

// followInit makes the version 2 group of a process to come the one that the init is in now, if that is below the
// container's: a container that owns its group may have moved itself there to hand controllers on, and the kernel lets
// no process into a group that does (cgroups(7), "No internal processes").
func (e *entering) followInit(cause error) bool {
	own := e.Cgroups[""]
	if !errors.Is(cause, unix.EBUSY) || own == "" || len(e.o.Cgroups) > 0 {
		return false
	}
	host, err := cgroup.Detect()
	if err != nil {
		return false
	}
	text, err := readFile(unix.AT_FDCWD, "/proc/"+strconv.Itoa(e.Pid)+"/cgroup")
	if err != nil {
		return false
	}
	below, ok := groupBelow(string(text), strings.TrimPrefix(own, host.V2Root))
	if ok {
		e.group.Paths[""] = own + below
	}
	return ok
}

// groupBelow finds, in the text of a /proc/PID/cgroup, the version 2 group below the one given.
func groupBelow(text, group string) (below string, ok bool) {
	for line := range strings.Lines(text) {
		path, v2 := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "0::")
		below, ok = strings.CutPrefix(path, group)
		if v2 && ok && strings.HasPrefix(below, "/") && !strings.HasSuffix(below, " (deleted)") {
			return below, true
		}
	}
	return "", false
}
