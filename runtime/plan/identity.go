package plan

import (
	"encoding/binary"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/spec"
)

// becomeProcess gives up everything that is the runtime's and ends in execve.
func (c *compiler) becomeProcess() {
	p := c.cfg.Process
	if p == nil {
		return
	}
	c.stdioOwner()
	c.doing("keep the runtime's descriptors from the container's process", "")
	c.call(unix.SYS_CLOSE_RANGE, num(uint64(c.in.slot(reportSlot))), num(0xffffffff), num(unix.CLOSE_RANGE_CLOEXEC))
	umask := uint64(0o022)
	if p.User.Umask != nil {
		umask = uint64(*p.User.Umask)
	}
	c.doing("set the umask", "process.user.umask")
	c.call(unix.SYS_UMASK, num(umask))
	if !p.NoNewPrivileges {
		c.seccomp() // takes CAP_SYS_ADMIN, which the process is about to lose
	}
	c.credentials()
	if p.NoNewPrivileges {
		c.doing("set no_new_privs", "process.noNewPrivileges")
		c.prctl(unix.PR_SET_NO_NEW_PRIVS, num(1))
		c.seccomp()
	}
	c.execute()
}

// stdioOwner hands the inherited stdio to the process's user, who may want to reopen it by path; the
// null device stays root's.
func (c *compiler) stdioOwner() {
	p := c.cfg.Process
	if p.User.UID == 0 || p.Terminal {
		return
	}
	c.doing("hand stdio to the process's user", "process.user.uid")
	for fd := uint64(0); fd < 3; fd++ {
		own, skip := c.label(), c.label()
		st := c.scratch()
		c.call(unix.SYS_STATX, num(fd), str(""), num(unix.AT_EMPTY_PATH), num(unix.STATX_BASIC_STATS), ptr(st)).any().otherwise(skip)
		device := c.load(st, statxMajor, 8, ^uint64(0)) // rdev_major, rdev_minor
		c.op(Compare, device.arg(), num(1|3<<32)).then(skip).otherwise(own)
		c.place(own)
		c.call(unix.SYS_FCHOWN, num(fd), num(uint64(p.User.UID)), neg(-1)).any()
		c.place(skip)
	}
}

// credentials sets groups, ids and capabilities, in the order that keeps the power for the next step.
func (c *compiler) credentials() {
	p := c.cfg.Process
	caps := p.Capabilities
	if caps == nil {
		caps = &specs.LinuxCapabilities{}
	}
	c.boundingSet(c.grantable(caps.Bounding))
	c.doing("keep capabilities over the change of user", "process.user.uid")
	c.prctl(unix.PR_SET_KEEPCAPS, num(1))
	c.groups()
	c.doing("set the user", "process.user.uid")
	uid, gid := num(uint64(p.User.UID)), num(uint64(p.User.GID))
	c.call(unix.SYS_SETRESGID, gid, gid, gid)
	c.call(unix.SYS_SETRESUID, uid, uid, uid)
	c.prctl(unix.PR_SET_DUMPABLE, num(0)) // a change of user sets it to fs.suid_dumpable
	c.prctl(unix.PR_SET_KEEPCAPS, num(0))
	c.retryCwd()
	c.doing("set the capabilities", "process.capabilities")
	header, data := make([]byte, 8), make([]byte, 24)
	binary.NativeEndian.PutUint32(header, unix.LINUX_CAPABILITY_VERSION_3)
	for i, set := range [...]uint64{c.grantable(caps.Effective), c.grantable(caps.Permitted), c.grantable(caps.Inheritable)} {
		binary.NativeEndian.PutUint32(data[4*i:], uint32(set))
		binary.NativeEndian.PutUint32(data[12+4*i:], uint32(set>>32))
	}
	c.call(unix.SYS_CAPSET, ptr(&Mem{Data: header}), ptr(&Mem{Data: data}))
	c.ambientSet(c.grantable(caps.Ambient), c.grantable(caps.Inheritable)&c.grantable(caps.Permitted))
}

// lastKnownCapability is CAP_CHECKPOINT_RESTORE; a newer kernel may have more.
const lastKnownCapability = 40

// boundingSet drops every capability that is not in keep, up to the kernel's last.
func (c *compiler) boundingSet(keep uint64) {
	c.doing("drop capabilities from the bounding set", "process.capabilities.bounding")
	end := c.label()
	for n := uint64(0); n < 64; n++ {
		if keep&(1<<n) != 0 {
			continue
		}
		drop := c.prctl(unix.PR_CAPBSET_DROP, num(n)).ok(unix.EINVAL)
		if n > lastKnownCapability {
			drop.otherwise(end)
		}
	}
	c.place(end)
}

// ambientSet raises the ambient capabilities. The kernel refuses those that are not inheritable and
// permitted too, which configs written for older tools ask for: such a one is not raised, as with runc.
func (c *compiler) ambientSet(set, possible uint64) {
	c.doing("set the ambient capabilities", "process.capabilities.ambient")
	c.call(unix.SYS_PRCTL, num(unix.PR_CAP_AMBIENT), num(unix.PR_CAP_AMBIENT_CLEAR_ALL), num(0), num(0), num(0))
	for n := uint64(0); n < 64; n++ {
		if set&(1<<n) != 0 {
			raise := c.call(unix.SYS_PRCTL, num(unix.PR_CAP_AMBIENT), num(unix.PR_CAP_AMBIENT_RAISE), num(n), num(0), num(0))
			if possible&(1<<n) == 0 {
				raise.ok(unix.EPERM)
			}
		}
	}
}

// grantable turns capability names into bits, without those that the runtime does not have itself: a
// config that asks for one must not fail for that (config.md, "capabilities"). The caller of Compile
// warns. A user namespace of the container's own has them all.
func (c *compiler) grantable(names []string) uint64 {
	bits := mask(names)
	if c.namespace(specs.UserNamespace) == nil {
		bits &= c.in.Host.Capabilities
	}
	return bits
}

// mask turns capability names into bits; unknown names are package spec's to warn about.
func mask(names []string) (bits uint64) {
	for _, name := range names {
		if bit, ok := spec.Capability(name); ok {
			bits |= 1 << bit
		}
	}
	return bits
}

// groups sets the supplementary groups. A user namespace that denies setgroups(2) has none to give,
// which only matters when the config asks for some.
func (c *compiler) groups() {
	gids := c.cfg.Process.User.AdditionalGids
	c.doing("set the supplementary groups", "process.user.additionalGids")
	list := &Mem{Data: make([]byte, 4*len(gids))}
	for i, gid := range gids {
		binary.NativeEndian.PutUint32(list.Data[4*i:], gid)
	}
	set := c.call(unix.SYS_SETGROUPS, num(uint64(len(gids))), ptr(list))
	if len(gids) == 0 {
		set.ok(unix.EPERM)
	}
}

// retryCwd enters the working directory again as the process's user, in case root was not let in
// (a directory on a network file system, or of another user namespace).
func (c *compiler) retryCwd() {
	denied, done := c.label(), c.label()
	c.doing("enter the working directory "+c.cfg.Process.Cwd, "process.cwd")
	c.op(Compare, c.cwdDenied.arg(), num(1)).then(denied).otherwise(done)
	c.place(denied)
	fd := c.openIn(c.root, relative(c.cfg.Process.Cwd), unix.O_DIRECTORY).save().arg()
	c.call(unix.SYS_FCHDIR, fd)
	c.checkCwd()
	c.place(done)
}
