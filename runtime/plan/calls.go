package plan

import (
	"encoding/binary"

	"golang.org/x/sys/unix"
)

// The system calls that Programs use, one builder method each. Descriptors are made close-on-exec
// throughout; paths inside the container are resolved by the kernel under a root descriptor.

// resolveInRoot keeps a lookup inside the root and off magic links (openat2(2)).
const resolveInRoot = unix.RESOLVE_IN_ROOT | unix.RESOLVE_NO_MAGICLINKS

// openat2 opens path under dir. A lookup that lost a race against a rename is tried again.
func (b *builder) openat2(dir Arg, path string, flags, resolve uint64) *stepRef {
	r := b.call(unix.SYS_OPENAT2, dir, str(path), ptr(b.how(flags|unix.O_CLOEXEC, resolve)), num(24))
	r.step().Retry = true
	return r
}

// how is a struct open_how; the few different ones are shared by all steps.
func (b *builder) how(flags, resolve uint64) *Mem {
	for _, m := range b.hows {
		if binary.NativeEndian.Uint64(m.Data) == flags && binary.NativeEndian.Uint64(m.Data[16:]) == resolve {
			return m
		}
	}
	m := room(24)
	binary.NativeEndian.PutUint64(m.Data, flags)
	binary.NativeEndian.PutUint64(m.Data[16:], resolve)
	b.hows = append(b.hows, m)
	return m
}

// scratch is the buffer that system calls answer into. Its content is good until the next such call.
func (b *builder) scratch() *Mem {
	if b.answer == nil {
		b.answer = room(unix.PathMax)
	}
	return b.answer
}

// openIn opens path as the root directory dir would see it, for reference only (O_PATH); "" is dir.
func (b *builder) openIn(dir Arg, path string, flags uint64) *stepRef {
	if path == "" {
		path = "."
	}
	return b.openat2(dir, path, unix.O_PATH|flags, resolveInRoot)
}

func (b *builder) openat(dir Arg, path string, flags uint64) *stepRef {
	return b.call(unix.SYS_OPENAT, dir, str(path), num(flags|unix.O_CLOEXEC), num(0))
}

func (b *builder) close(fd Arg) { b.call(unix.SYS_CLOSE, fd) }

func (b *builder) mkdirat(dir Arg, name string, mode uint64) *stepRef {
	return b.call(unix.SYS_MKDIRAT, dir, str(name), num(mode))
}

func (b *builder) mknodat(dir Arg, name string, mode, dev uint64) *stepRef {
	return b.call(unix.SYS_MKNODAT, dir, str(name), num(mode), num(dev))
}

func (b *builder) symlinkat(target string, dir Arg, name string) *stepRef {
	return b.call(unix.SYS_SYMLINKAT, str(target), dir, str(name))
}

func (b *builder) write(fd Arg, data string) *stepRef {
	return b.call(unix.SYS_WRITE, fd, str(data), num(uint64(len(data))))
}

func (b *builder) fsopen(fstype string) Reg {
	return b.call(unix.SYS_FSOPEN, str(fstype), num(unix.FSOPEN_CLOEXEC)).save()
}

func (b *builder) fsconfigFlag(fs Arg, key string) *stepRef {
	return b.call(unix.SYS_FSCONFIG, fs, num(unix.FSCONFIG_SET_FLAG), str(key), num(0), num(0))
}

func (b *builder) fsconfigString(fs Arg, key, value string) *stepRef {
	return b.call(unix.SYS_FSCONFIG, fs, num(unix.FSCONFIG_SET_STRING), str(key), str(value), num(0))
}

func (b *builder) fsconfigCreate(fs Arg) *stepRef {
	return b.call(unix.SYS_FSCONFIG, fs, num(unix.FSCONFIG_CMD_CREATE), num(0), num(0), num(0))
}

func (b *builder) fsmount(fs Arg, attrs uint64) Reg {
	return b.call(unix.SYS_FSMOUNT, fs, num(unix.FSMOUNT_CLOEXEC), num(attrs)).save()
}

// openTree clones the mount at (dir, path) into a detached mount object.
func (b *builder) openTree(dir Arg, path string, flags uint64) Reg {
	return b.call(unix.SYS_OPEN_TREE, dir, str(path), num(flags|unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC)).save()
}

// moveMount attaches the mount object from at the place that to refers to.
func (b *builder) moveMount(from, to Arg) *stepRef {
	return b.call(unix.SYS_MOVE_MOUNT, from, str(""), to, str(""),
		num(unix.MOVE_MOUNT_F_EMPTY_PATH|unix.MOVE_MOUNT_T_EMPTY_PATH))
}

// mountAttr changes attributes or propagation of the mount that fd refers to (mount_setattr(2)).
func (b *builder) mountAttr(fd Arg, flags uint64, a unix.MountAttr) *stepRef {
	m := make([]byte, 32)
	binary.NativeEndian.PutUint64(m, a.Attr_set)
	binary.NativeEndian.PutUint64(m[8:], a.Attr_clr)
	binary.NativeEndian.PutUint64(m[16:], a.Propagation)
	return b.call(unix.SYS_MOUNT_SETATTR, fd, str(""), num(flags|unix.AT_EMPTY_PATH), ptr(&Mem{Data: m}), num(32))
}

func (b *builder) prctl(option uint64, arg Arg) *stepRef {
	return b.call(unix.SYS_PRCTL, num(option), arg, num(0), num(0), num(0))
}

// load reads size bytes at off of m into a register, masked.
func (b *builder) load(m *Mem, off, size int, mask uint64) Reg {
	return b.op(Load, m.at(off), num(uint64(size)), num(mask)).save()
}

// Offsets in struct statx (statx(2)) and struct statfs (statfs(2)).
const (
	statxMode, statxMajor, statxMinor = 28, 128, 132
	statfsType, statfsFlags           = 0, 80
)

// statx fills a buffer about the file that fd refers to.
func (b *builder) statx(fd Arg) *Mem {
	m := b.scratch()
	b.call(unix.SYS_STATX, fd, str(""), num(unix.AT_EMPTY_PATH), num(unix.STATX_BASIC_STATS), ptr(m))
	return m
}

// fsMagic loads the magic number of the file system that fd is on.
func (b *builder) fsMagic(fd Arg) Reg {
	m := b.scratch()
	b.call(unix.SYS_FSTATFS, fd, ptr(m))
	return b.load(m, statfsType, 8, ^uint64(0))
}

// requireEqual fails with errno and the message unless reg has the value.
func (b *builder) requireEqual(reg Reg, value uint64, errno unix.Errno, message string) {
	good, bad := b.label(), b.label()
	b.op(Compare, reg.arg(), num(value)).then(good).otherwise(bad)
	b.place(bad)
	b.fail(errno, message)
	b.place(good)
}

// fail ends the Program with an error; message says what the errno alone would not.
func (b *builder) fail(errno unix.Errno, message string) {
	b.op(Fail, num(uint64(errno)), str(message))
}

// rendezvous stops the child until the parent has done what code asks.
func (b *builder) rendezvous(code Code) *stepRef { return b.op(Rendezvous, num(uint64(code))) }

var cwd = neg(unix.AT_FDCWD)
