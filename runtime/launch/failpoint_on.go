//go:build failpoint

package launch

import (
	"os"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/runtime/plan"
)

// failpointCode is the rendezvous at which the parent kills itself.
const failpointCode plan.Code = 1 << 32

// withFailpoint puts a rendezvous before step N of the Program when DHOW_FAILPOINT is "step:N". What
// jumped to that step, or came to it, comes to the rendezvous first.
func withFailpoint(p *plan.Program) *plan.Program {
	text, ok := strings.CutPrefix(os.Getenv("DHOW_FAILPOINT"), "step:")
	n, err := strconv.Atoi(text)
	if !ok || err != nil || n < 0 || n >= len(p.Steps) {
		return p
	}
	q := *p
	q.Steps = slices.Clone(p.Steps)
	for i := range q.Steps {
		s := &q.Steps[i]
		if s.Next > int32(n) {
			s.Next++
		}
		if s.Else > int32(n) {
			s.Else++
		}
	}
	stop := plan.Step{Op: plan.Rendezvous, Next: int32(n + 1), Else: int32(n + 1), Task: p.Steps[n].Task,
		Args: []plan.Arg{{Val: uint64(failpointCode)}}}
	q.Steps = slices.Insert(q.Steps, n, stop)
	return &q
}

// dieAt kills this process with SIGKILL when the child has come to its failpoint.
func dieAt(code plan.Code) {
	if code == failpointCode {
		unix.Kill(os.Getpid(), unix.SIGKILL)
		select {}
	}
}

// dieOf kills this process when a process that has another for its successor, and is to end, comes to its failpoint instead:
// the successor waits for an answer, so it is that which is there to be read.
func dieOf(old, channel int) {
	pidfd, err := unix.PidfdOpen(old, 0)
	if err != nil {
		return
	}
	defer unix.Close(pidfd)
	both := []unix.PollFd{{Fd: int32(pidfd), Events: unix.POLLIN}, {Fd: int32(channel), Events: unix.POLLIN}}
	for {
		if _, err := unix.Poll(both, -1); err == unix.EINTR {
			continue
		}
		if both[0].Revents == 0 {
			dieAt(failpointCode)
		}
		return
	}
}
