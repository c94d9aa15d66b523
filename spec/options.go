package spec

import (
	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// OptKind says which part of a mount an option word is about.
type OptKind uint8

// The kinds of option words.
const (
	OptNone        OptKind = iota // no effect in the fd-based mount API: defaults, loud, silent, norelatime, iversion
	OptAttr                       // attribute of the mount; for ro and rw of the superblock too
	OptSuper                      // flag of the superblock: sync, dirsync, lazytime, mand and their opposites
	OptPropagation                // propagation type
	OptBind                       // bind, rbind
	OptRemount                    // remount
	OptExtension                  // work for the runtime, not the kernel: tmpcopyup, idmap, ridmap, copy-symlink
)

// MountOpt is what one option word of mounts[].options asks of the kernel (mount_setattr(2), mount(2)).
type MountOpt struct {
	Kind OptKind
	// AttrSet and AttrClr are MOUNT_ATTR_ bits. For a word about access times, AttrClr is the whole of
	// MOUNT_ATTR__ATIME, as mount_setattr requires. Fold words with MountAttr.Add.
	AttrSet, AttrClr uint64
	// Recursive is set for the words that reach submounts: rro, rbind, rslave, ridmap ...
	Recursive bool
	// Propagation is one of MS_SHARED, MS_PRIVATE, MS_SLAVE and MS_UNBINDABLE.
	Propagation uint64
	// Super is the word for fsconfig(FSCONFIG_SET_FLAG), SuperClear whether it turns its flag off (async, rw).
	// A bind mount must not pass ro and rw on: the superblock is not its own. Neither should a file system
	// whose superblock is shared by the host (proc and sysfs of a joined namespace, cgroup, mqueue).
	Super      string
	SuperClear bool
	// MSFlag is the flag of mount(2), 0 for a word that clears one.
	MSFlag uintptr
}

// MountOption looks up a word that is independent of the file system's type.
func MountOption(name string) (MountOpt, bool) { return find(mountOptions[:], name) }

// MountAttr collects the attribute words of one mount for mount_setattr(2).
type MountAttr struct{ Set, Clr uint64 }

// Add applies a word after those added before: of contradicting words the last wins. All words about access
// times but nodiratime and diratime contradict each other; atime and nostrictatime ask for the kernel's default,
// which is relatime.
func (a *MountAttr) Add(o MountOpt) {
	a.Set = a.Set&^o.AttrClr | o.AttrSet
	a.Clr = (a.Clr | o.AttrClr) &^ (o.AttrSet &^ unix.MOUNT_ATTR__ATIME)
}

// IsBind says whether a mount is a bind mount: it has the option bind or rbind (config.md, "Mounts"), or, for
// compatibility with crun, the type "bind". recursive is whether its submounts come along: rbind alone says so.
func IsBind(m *specs.Mount) (bind, recursive bool) {
	for _, word := range m.Options {
		switch word {
		case "bind":
			bind = true
		case "rbind":
			bind, recursive = true, true
		}
	}
	if !bind && m.Type == "bind" {
		return true, false
	}
	return bind, recursive
}
