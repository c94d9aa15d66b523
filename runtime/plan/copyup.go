package plan

import (
	"strconv"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// CompileCopier makes the Program of a process that enters the user namespace of process pid as its root, and nothing
// else of it, and there executes this program's own file under the name given.
func CompileCopier(pid int, name string) (*Program, error) {
	c := newCompiler(&Input{Config: &specs.Spec{}})
	c.doing("prepare to copy", "")
	c.prctl(unix.PR_SET_DUMPABLE, num(0))
	self := c.file(File{Kind: OpenPath, Path: "/proc/self/exe", Flags: unix.O_PATH})
	pidfd := c.file(File{Kind: Pidfd, Path: "pidfd of process " + strconv.Itoa(pid)})
	c.doing("enter the container's user namespace", "linux.uidMappings")
	c.call(unix.SYS_SETNS, pidfd, num(unix.CLONE_NEWUSER))
	c.becomeNamespaceRoot()
	c.rendezvous(Created)
	c.doing("close the runtime's descriptors", "")
	c.call(unix.SYS_CLOSE_RANGE, num(3), num(0xffffffff), num(unix.CLOSE_RANGE_CLOEXEC))
	c.doing("execute the runtime", "")
	c.call(unix.SYS_EXECVEAT, self, str(""), ptr(vector([]string{name})), ptr(vector(nil)), num(unix.AT_EMPTY_PATH))
	p := c.finish()
	return p, p.Verify()
}
