package plan

import (
	"fmt"
	"sort"
	"strings"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/spec"
)

// namespaceFlags maps the spec's namespace types to clone(2) flags, in the order they are entered.
var namespaceFlags = [...]struct {
	name specs.LinuxNamespaceType
	flag uintptr
}{
	{specs.UserNamespace, unix.CLONE_NEWUSER},
	{specs.IPCNamespace, unix.CLONE_NEWIPC},
	{specs.UTSNamespace, unix.CLONE_NEWUTS},
	{specs.NetworkNamespace, unix.CLONE_NEWNET},
	{specs.PIDNamespace, unix.CLONE_NEWPID},
	{specs.CgroupNamespace, unix.CLONE_NEWCGROUP},
	{specs.TimeNamespace, unix.CLONE_NEWTIME},
	{specs.MountNamespace, unix.CLONE_NEWNS},
}

// lateFlags are namespaces made by unshare(2) in every case: a cgroup namespace is rooted where the
// process is when it makes it (the clone would take the parent's place), and a time namespace takes
// offsets only until somebody is in it.
const lateFlags = unix.CLONE_NEWCGROUP | unix.CLONE_NEWTIME

// namespaces gets the process into all of its namespaces.
func (c *compiler) namespaces() {
	fresh, joined := c.wantedNamespaces()
	c.p.Init = fresh&unix.CLONE_NEWPID != 0
	if fresh&unix.CLONE_NEWUSER == 0 && joined == 0 {
		c.p.Clone = fresh &^ lateFlags
		if OwnNetwork(c.in.Config) {
			c.p.Clone &^= unix.CLONE_NEWNET
			c.enterNetwork()
		}
	} else {
		if fresh&unix.CLONE_NEWTIME != 0 && !c.in.Host.Unprivileged {
			// A process that is not dumpable may only write its /proc/self/timens_offsets while it is
			// root on the host.
			c.timeNamespace()
			fresh &^= unix.CLONE_NEWTIME
		}
		c.stagedNamespaces(fresh, joined)
		c.hasProc = false // what there is shows the pid namespace left behind
	}
	if fresh&unix.CLONE_NEWCGROUP != 0 {
		c.doing("make a cgroup namespace", c.namespaceField(specs.CgroupNamespace))
		c.call(unix.SYS_UNSHARE, num(unix.CLONE_NEWCGROUP))
	}
	if fresh&unix.CLONE_NEWTIME != 0 {
		c.timeNamespace()
	}
	if fresh&unix.CLONE_NEWNET != 0 {
		c.loopback()
	}
	c.netDevices()
}

// OwnNetwork says whether the parent makes the container's network namespace, beside other work: it takes longer than
// all that a clone has to do besides. It does not where the namespace is to belong to a new user namespace, or where a
// user namespace gives the right to make it.
func OwnNetwork(config *specs.Spec) bool {
	if config.Linux == nil {
		return false
	}
	network := false
	for i := range config.Linux.Namespaces {
		ns := &config.Linux.Namespaces[i]
		if ns.Path != "" || ns.Type == specs.UserNamespace {
			return false
		}
		network = network || ns.Type == specs.NetworkNamespace
	}
	return network
}

// enterNetwork enters the network namespace that the parent has made.
func (c *compiler) enterNetwork() {
	field := c.namespaceField(specs.NetworkNamespace)
	c.doing("enter the new network namespace", field)
	fd := c.file(File{Kind: Network, Path: "/proc/thread-self/ns/net", Field: field})
	c.call(unix.SYS_SETNS, fd, num(unix.CLONE_NEWNET))
	c.close(fd)
}

// ClonesTwice says whether the first process of a container only clones the one that stays: into a pid namespace that
// it could not be born in, as it joined namespaces or made a user namespace before.
func ClonesTwice(config *specs.Spec) bool {
	if config.Linux == nil || spec.Namespace(config, specs.PIDNamespace) == nil {
		return false
	}
	for i := range config.Linux.Namespaces {
		if ns := &config.Linux.Namespaces[i]; ns.Path != "" || ns.Type == specs.UserNamespace {
			return true
		}
	}
	return false
}

// netDevices has the parent, to which they belong, move network devices into the namespace.
func (c *compiler) netDevices() {
	if len(c.linux.NetDevices) == 0 {
		return
	}
	names := make([]string, 0, len(c.linux.NetDevices))
	for name, d := range c.linux.NetDevices {
		if d.Name != "" {
			name += " as " + d.Name
		}
		names = append(names, name)
	}
	sort.Strings(names)
	c.doing("move the network devices "+strings.Join(names, ", "), "linux.netDevices")
	c.rendezvous(MoveDevices)
}

func (c *compiler) wantedNamespaces() (fresh, joined uintptr) {
	for _, n := range namespaceFlags {
		switch ns := c.namespace(n.name); {
		case ns == nil:
		case ns.Path == "":
			fresh |= n.flag
		default:
			joined |= n.flag
		}
	}
	return fresh, joined
}

func (c *compiler) namespaceField(t specs.LinuxNamespaceType) string {
	for i := range c.linux.Namespaces {
		if c.linux.Namespaces[i].Type == t {
			return indexed("linux.namespaces", i)
		}
	}
	return "linux.namespaces"
}

// stagedNamespaces enters namespaces step by step: other containers' first, while the process still has
// the power for it, then the user namespace, then the new ones, which are to belong to it. Entering a
// pid namespace takes one more clone, whose child is the runtime's own (CLONE_PARENT).
func (c *compiler) stagedNamespaces(fresh, joined uintptr) {
	files, later := c.joinNamespaces(joined)
	if fresh&unix.CLONE_NEWUSER != 0 {
		c.doing("make a user namespace", c.namespaceField(specs.UserNamespace))
		c.call(unix.SYS_UNSHARE, num(unix.CLONE_NEWUSER))
		c.doing("write the id mappings", "linux.uidMappings")
		c.attended(WriteIDMaps)
		c.becomeNamespaceRoot()
		c.executeAgain()
	}
	if joined&unix.CLONE_NEWUSER != 0 {
		c.becomeNamespaceRoot()
	}
	for i, reg := range later {
		c.joinRest(files[i], reg)
	}
	if rest := fresh &^ (lateFlags | unix.CLONE_NEWUSER); rest != 0 {
		c.doing("make namespaces", "linux.namespaces")
		c.call(unix.SYS_UNSHARE, num(uint64(rest)))
	}
	if (fresh|joined)&unix.CLONE_NEWPID != 0 {
		c.refork()
	}
	if joined&unix.CLONE_NEWNS != 0 {
		c.doing("enter the root file system in the joined mount namespace", "root.path")
		c.call(unix.SYS_CHDIR, str(c.in.Rootfs))
	}
}

// join is one namespace to enter by path.
type join struct {
	fd    Arg
	flag  uintptr
	field string
}

// joinNamespaces enters the namespaces given by path. With a user namespace among them, those that the
// process may not enter yet are tried again afterwards: later holds the registers that tell.
func (c *compiler) joinNamespaces(joined uintptr) (files []join, later []Reg) {
	var user *join
	for _, n := range namespaceFlags {
		if joined&n.flag == 0 {
			continue
		}
		field := c.namespaceField(n.name)
		ns := c.namespace(n.name)
		fd := c.file(File{Kind: OpenPath, Path: ns.Path, Flags: unix.O_RDONLY, Field: field + ".path"})
		j := join{fd, n.flag, field}
		if n.flag == unix.CLONE_NEWUSER {
			user = &j
			continue
		}
		c.doing("join the "+string(n.name)+" namespace "+ns.Path, field)
		files = append(files, j)
		step := c.call(unix.SYS_SETNS, fd, num(uint64(n.flag)))
		if joined&unix.CLONE_NEWUSER != 0 {
			failed := c.label()
			step.ok(unix.EPERM).otherwise(failed)
			reg := c.op(Load, ptr(&Mem{Data: []byte{1}}), num(1), num(1)).save()
			c.place(failed)
			later = append(later, reg)
		}
	}
	if user != nil {
		c.doing("join the user namespace", user.field)
		c.call(unix.SYS_SETNS, user.fd, num(unix.CLONE_NEWUSER))
	}
	return files, later
}

// joinRest enters a namespace that was out of reach before the user namespace was entered.
func (c *compiler) joinRest(j join, entered Reg) {
	done, try := c.label(), c.label()
	c.doing("join a namespace", j.field)
	c.op(Compare, entered.arg(), num(1)).then(done).otherwise(try)
	c.place(try)
	c.call(unix.SYS_SETNS, j.fd, num(uint64(j.flag)))
	c.place(done)
}

// becomeNamespaceRoot takes uid and gid 0 of the user namespace, so that what the process makes
// belongs to the container's root. A namespace that does not map 0 leaves it as it is.
func (c *compiler) becomeNamespaceRoot() {
	c.doing("become root of the user namespace", "linux.uidMappings")
	c.call(unix.SYS_SETGROUPS, num(0), num(0)).ok(unix.EPERM)
	c.call(unix.SYS_SETRESGID, num(0), num(0), num(0)).ok(unix.EINVAL)
	c.call(unix.SYS_SETRESUID, num(0), num(0), num(0)).ok(unix.EINVAL)
	// The change of identity made the process's memory private; the parent reads nothing of it, but
	// /proc/self must stay the process's own.
	c.prctl(unix.PR_SET_DUMPABLE, num(0))
}

// refork goes on in a child process that is in the pid namespace from birth.
func (c *compiler) refork() {
	c.doing("clone into the pid namespace", c.namespaceField(specs.PIDNamespace))
	child, parent := c.label(), c.label()
	pid := c.call(unix.SYS_CLONE, num(unix.CLONE_PARENT|uint64(unix.SIGCHLD)), num(0), num(0), num(0), num(0)).save()
	c.op(Compare, pid.arg(), num(0)).then(child).otherwise(parent)
	c.place(parent)
	c.op(Exit, num(0))
	c.place(child)
}

// loopback brings up "lo" of a new network namespace (netdevice(7), SIOCSIFFLAGS).
func (c *compiler) loopback() {
	c.doing("bring up the loopback device", c.namespaceField(specs.NetworkNamespace))
	ifreq := room(40)
	copy(ifreq.Data, "lo")
	ifreq.Data[16] = unix.IFF_UP
	fd := c.call(unix.SYS_SOCKET, num(unix.AF_INET), num(unix.SOCK_DGRAM|unix.SOCK_CLOEXEC), num(0)).save()
	c.call(unix.SYS_IOCTL, fd.arg(), num(unix.SIOCSIFFLAGS), ptr(ifreq))
	c.close(fd.arg())
}

// timeNamespace makes a time namespace, sets its clocks and enters it (time_namespaces(7)).
func (c *compiler) timeNamespace() {
	field := c.namespaceField(specs.TimeNamespace)
	c.doing("make a time namespace", field)
	c.call(unix.SYS_UNSHARE, num(unix.CLONE_NEWTIME))
	c.withProcfs()
	clocks := make([]string, 0, len(c.linux.TimeOffsets))
	for clock := range c.linux.TimeOffsets {
		clocks = append(clocks, clock)
	}
	sort.Strings(clocks)
	var lines strings.Builder
	for _, clock := range clocks {
		o := c.linux.TimeOffsets[clock]
		fmt.Fprintf(&lines, "%s %d %d\n", clock, o.Secs, o.Nanosecs)
	}
	if lines.Len() > 0 {
		c.doing("set the clocks of the time namespace", "linux.timeOffsets")
		c.writeProc("self/timens_offsets", lines.String())
	}
	c.doing("enter the time namespace", field)
	fd := c.openat(c.proc, "self/ns/time_for_children", unix.O_RDONLY).save()
	c.call(unix.SYS_SETNS, fd.arg(), num(unix.CLONE_NEWTIME))
	c.close(fd.arg())
}

// withProcfs has a procfs that writes to /proc go through (security rule 2): a detached mount, or what the runtime has
// on /proc where none can be made. That takes power over the pid namespace, which a user namespace has over its own only.
func (c *compiler) withProcfs() {
	switch fresh, _ := c.wantedNamespaces(); {
	case c.hasProc:
	case c.mapped() && fresh&unix.CLONE_NEWPID == 0:
		c.hostProcfs(c.p.Tasks[c.task].Field)
	default:
		c.makeProcfs()
	}
}

// mapped says whether the process is, or will be, in a user namespace that is not the host's.
func (c *compiler) mapped() bool {
	return c.in.Host.Unprivileged || c.in.Host.UserNamespace || c.namespace(specs.UserNamespace) != nil
}

// hostProcfs takes what the runtime has on /proc: only who made the runtime's mount namespace can have changed that.
func (c *compiler) hostProcfs(field string) {
	c.proc = c.file(File{Kind: HostProc, Path: "/proc", Field: field})
	c.hasProc = true
}

func (c *compiler) makeProcfs() {
	fs := c.fsopen("proc").arg()
	c.fsconfigCreate(fs)
	c.proc = c.fsmount(fs, unix.MOUNT_ATTR_NOSUID|unix.MOUNT_ATTR_NODEV|unix.MOUNT_ATTR_NOEXEC).arg()
	c.close(fs)
	c.hasProc = true
}

// writeProc writes value to a file of the detached procfs.
func (c *compiler) writeProc(name, value string) {
	c.withProcfs()
	fd := c.openat2(c.proc, name, unix.O_WRONLY, unix.RESOLVE_BENEATH|unix.RESOLVE_NO_MAGICLINKS|unix.RESOLVE_NO_XDEV).save()
	c.write(fd.arg(), value)
	c.close(fd.arg())
}
