package plan

import (
	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/spec"
)

// attended is a rendezvous at which the parent writes to files of the process in procfs. Those of a process
// that is not dumpable are root's (proc(5)), so for a parent that is not root the process is dumpable
// meanwhile: before it is in any namespace that others can see it in.
func (c *compiler) attended(code Code) {
	if !c.in.Host.Unprivileged {
		c.rendezvous(code)
		return
	}
	c.prctl(unix.PR_SET_DUMPABLE, num(1))
	c.rendezvous(code)
	c.prctl(unix.PR_SET_DUMPABLE, num(0))
}

// executeAgain has the process execute its own file once more, where it goes on with the next step, now that
// it is in its user namespace. The memory of a process belongs to the user namespace that it was executed in
// (ptrace(2), "Ptrace access mode checking"): only after this may the user who made the namespace, and is root
// nowhere else, have hooks and `exec` enter the container by its pidfd although it is not dumpable. What
// the process is allowed it keeps as uid 0 (capabilities(7)), so a namespace without one does without.
func (c *compiler) executeAgain() {
	if _, root := spec.HostID(c.linux.UIDMappings, 0); !root || !c.in.Host.Unprivileged {
		return
	}
	c.doing("execute the program again, in the user namespace", "linux.uidMappings")
	self := num(uint64(c.in.slot(imageSlot)))
	args := vector([]string{"dhow-init", "again"})
	c.call(unix.SYS_EXECVEAT, self, str(""), ptr(args), ptr(vector(nil)), num(unix.AT_EMPTY_PATH))
	c.p.Again = len(c.p.Steps)
	c.prctl(unix.PR_SET_DUMPABLE, num(0))
	c.prctl(unix.PR_SET_NAME, str("dhow-init"))
}
