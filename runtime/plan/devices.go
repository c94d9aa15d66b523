package plan

import (
	"path"
	"strconv"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/spec"
)

// defaultDevices are supplied to every container (config-linux.md, "Default Devices"); /dev/console
// and /dev/ptmx come from the terminal.
var defaultDevices = [...]specs.LinuxDevice{
	{Path: "/dev/null", Type: "c", Major: 1, Minor: 3},
	{Path: "/dev/zero", Type: "c", Major: 1, Minor: 5},
	{Path: "/dev/full", Type: "c", Major: 1, Minor: 7},
	{Path: "/dev/random", Type: "c", Major: 1, Minor: 8},
	{Path: "/dev/urandom", Type: "c", Major: 1, Minor: 9},
	{Path: "/dev/tty", Type: "c", Major: 5, Minor: 0},
}

// deviceLinks are the symbolic links of runtime-linux.md, "Dev symbolic links".
var deviceLinks = [...][2]string{
	{"/proc/self/fd", "fd"}, {"/proc/self/fd/0", "stdin"}, {"/proc/self/fd/1", "stdout"}, {"/proc/self/fd/2", "stderr"},
}

// devices fills /dev, unless the config binds one that is already full.
func (c *compiler) devices() {
	if m := c.mountPoint("/dev"); m != nil {
		if bind, _ := spec.IsBind(m); bind {
			return
		}
	}
	c.doing("open /dev", "linux.devices")
	dev := c.destination("/dev", makeDir, Arg{})
	for i := range defaultDevices {
		d := &defaultDevices[i]
		if c.configured(d.Path) {
			continue
		}
		c.device(d, dev, "")
	}
	c.extraDevices(dev)
	c.links(dev)
	c.close(dev)
}

// extraDevices makes those that the config names, but for /dev/ptmx where links puts a link: the one device of that
// name that a container may use is its own devpts's.
func (c *compiler) extraDevices(dev Arg) {
	for i := range c.linux.Devices {
		d := &c.linux.Devices[i]
		name := path.Clean(d.Path)
		if name == "/dev/ptmx" && c.ownMounts() {
			continue
		}
		field := indexed("linux.devices", i)
		dir := dev
		if parent := path.Dir(name); parent != "/dev" {
			c.doing("make the directory of "+d.Path, field)
			dir = c.destination(parent, makeDir, Arg{})
		}
		c.device(d, dir, field)
	}
}

// chrootDevices is for a container in its creator's mount namespace: its /dev may be one that the host, or another
// chroot, uses. It gets the nodes that the config names, and otherwise stays as it is.
func (c *compiler) chrootDevices() {
	if len(c.linux.Devices) == 0 {
		return
	}
	c.doing("open /dev", "linux.devices")
	dev := c.destination("/dev", makeDir, Arg{})
	c.extraDevices(dev)
	c.close(dev)
}

func (c *compiler) configured(device string) bool {
	for i := range c.linux.Devices {
		if path.Clean(c.linux.Devices[i].Path) == device {
			return true
		}
	}
	return false
}

// device makes one device node in dir. In a user namespace, the container's or the runtime's own, nodes may
// not be made; the container gets the host's, bound.
func (c *compiler) device(d *specs.LinuxDevice, dir Arg, field string) {
	if d.Type != "p" && (c.namespace(specs.UserNamespace) != nil || c.in.Host.UserNamespace) {
		c.doing("bind the device "+d.Path, field)
		tree := c.hostTree(File{Kind: OpenTree, Path: d.Path, Field: field})
		to := c.destination(d.Path, makeFile, Arg{})
		c.guard(relative(d.Path), to)
		c.moveMount(tree, to)
		c.close(to)
		c.close(tree)
		return
	}
	c.doing("make the device "+d.Path, field)
	name, kind := path.Base(path.Clean(d.Path)), deviceType(d.Type)
	mode := uint64(0o666)
	if d.FileMode != nil {
		mode = uint64(*d.FileMode) & 0o7777
	}
	made, done := c.label(), c.label()
	exists := c.label()
	dev := unix.Mkdev(uint32(d.Major), uint32(d.Minor))
	c.mknodat(dir, name, kind|mode, dev).ok(unix.EEXIST).then(made).otherwise(exists)
	c.place(exists)
	c.checkDevice(d, dir, name, kind)
	c.jump(done)
	c.place(made)
	if uid, gid := owner(d); uid|gid != 0 {
		c.call(unix.SYS_FCHOWNAT, dir, str(name), num(uid), num(gid), num(unix.AT_SYMLINK_NOFOLLOW))
	}
	c.place(done)
}

func owner(d *specs.LinuxDevice) (uid, gid uint64) {
	if d.UID != nil {
		uid = uint64(*d.UID)
	}
	if d.GID != nil {
		gid = uint64(*d.GID)
	}
	return uid, gid
}

func deviceType(t string) uint64 {
	switch t {
	case "b":
		return unix.S_IFBLK
	case "p":
		return unix.S_IFIFO
	}
	return unix.S_IFCHR // "c" and "u"
}

// checkDevice accepts what is already there only if it is the very device.
func (c *compiler) checkDevice(d *specs.LinuxDevice, dir Arg, name string, kind uint64) {
	message := d.Path + " exists and is not the device " + d.Type + " " + strconv.FormatInt(d.Major, 10) + ":" + strconv.FormatInt(d.Minor, 10)
	fd := c.openat2(dir, name, unix.O_PATH|unix.O_NOFOLLOW, unix.RESOLVE_BENEATH|unix.RESOLVE_NO_MAGICLINKS).save().arg()
	c.requireNode(fd, kind, uint32(d.Major), uint32(d.Minor), message)
	c.close(fd)
}

// requireNode fails with the message unless fd refers to the device.
func (c *compiler) requireNode(fd Arg, kind uint64, major, minor uint32, message string) {
	st := c.statx(fd)
	c.requireEqual(c.load(st, statxMode, 2, unix.S_IFMT), kind, unix.EEXIST, message)
	if kind != unix.S_IFIFO {
		c.requireEqual(c.load(st, statxMajor, 4, 0xffffffff), uint64(major), unix.EEXIST, message)
		c.requireEqual(c.load(st, statxMinor, 4, 0xffffffff), uint64(minor), unix.EEXIST, message)
	}
}

// links makes the symbolic links in /dev.
func (c *compiler) links(dev Arg) {
	c.doing("make the links in /dev", "")
	for _, l := range deviceLinks {
		c.symlinkat(l[0], dev, l[1]).ok(unix.EEXIST)
	}
	if c.in.Host.ExistsKcore {
		c.symlinkat("/proc/kcore", dev, "core").ok(unix.EEXIST)
	}
	c.call(unix.SYS_UNLINKAT, dev, str("ptmx"), num(0)).ok(unix.ENOENT)
	c.symlinkat("pts/ptmx", dev, "ptmx").ok(unix.EEXIST)
}
