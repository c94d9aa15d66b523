package plan

import (
	"encoding/binary"

	"golang.org/x/sys/unix"
)

// terminal gives the process a pseudo-terminal of the container's own devpts, which is checked to be
// one. The master end goes to the parent with the rendezvous.
func (c *compiler) terminal() {
	p := c.cfg.Process
	if p == nil || !p.Terminal {
		return
	}
	c.doing("open a terminal in the container's /dev/pts", "process.terminal")
	master := c.openat2(c.root, "dev/pts/ptmx", unix.O_RDWR|unix.O_NOCTTY, resolveInRoot).save()
	c.requireEqual(c.fsMagic(master.arg()), devptsMagic, unix.ENODEV, "/dev/pts/ptmx is not on a devpts")
	c.call(unix.SYS_IOCTL, master.arg(), num(unix.TIOCSPTLCK), ptr(&Mem{Data: make([]byte, 4)}))
	slave := c.call(unix.SYS_IOCTL, master.arg(), num(unix.TIOCGPTPEER), num(unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC)).save()
	if size := p.ConsoleSize; size != nil {
		c.doing("set the terminal's size", "process.consoleSize")
		winsize := room(8)
		binary.NativeEndian.PutUint16(winsize.Data, uint16(size.Height))
		binary.NativeEndian.PutUint16(winsize.Data[2:], uint16(size.Width))
		c.call(unix.SYS_IOCTL, master.arg(), num(unix.TIOCSWINSZ), ptr(winsize))
	}
	c.attachTerminal(slave.arg())
	c.doing("hand over the terminal", "process.terminal")
	c.sendFiles(master.arg())
	c.rendezvous(TakeTerminal)
	c.close(master.arg())
	c.close(slave.arg())
}

// attachTerminal makes slave the controlling terminal and stdio, and the container's /dev/console.
func (c *compiler) attachTerminal(slave Arg) {
	c.doing("take the terminal as controlling terminal", "process.terminal")
	c.call(unix.SYS_FCHOWN, slave, num(uint64(c.cfg.Process.User.UID)), neg(-1)).ok(unix.EINVAL, unix.EPERM)
	c.call(unix.SYS_IOCTL, slave, num(unix.TIOCSCTTY), num(0))
	for fd := uint64(0); fd < 3; fd++ {
		c.call(unix.SYS_DUP3, slave, num(fd), num(0))
	}
	if !c.ownMounts() || c.execInto {
		return
	}
	c.doing("bind the terminal on /dev/console", "process.terminal")
	tree := c.openTree(slave, "", unix.AT_EMPTY_PATH).arg()
	to := c.destination("/dev/console", makeFile, Arg{})
	c.guard("dev/console", to)
	c.moveMount(tree, to)
	c.close(to)
	c.close(tree)
}
