package mount

import (
	"fmt"
	"strconv"
	"strings"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/runtime/plan"
	"github.com/dhow-containers/dhow/spec"
)

// options is what the option words of a mount come to: those of mount(8), and containerd's own, which are loop,
// direct-io, uidmap and gidmap. Any other word is the file system's.
type options struct {
	flags            uintptr // for mount(2): of the super block, and MS_BIND, MS_REC, MS_REMOUNT
	attr, recursive  spec.MountAttr
	propagation      []uintptr
	data             []string
	loop, direct     bool
	uidMaps, gidMaps []specs.LinuxIDMapping
	in               func(dir string, f func() error) error // calls f with a working directory
	mapped           string                                 // where layers with mapped ids are, while an overlay is mounted
}

// superClears are the flags that words about the super block take back.
var superClears = map[string]uintptr{"async": unix.MS_SYNCHRONOUS, "rw": unix.MS_RDONLY, "nolazytime": unix.MS_LAZYTIME, "nomand": unix.MS_MANDLOCK}

func parse(words []string) (*options, error) {
	o := &options{}
	for _, word := range words {
		if err := o.add(word); err != nil {
			return nil, err
		}
	}
	if (o.uidMaps == nil) != (o.gidMaps == nil) {
		return nil, fmt.Errorf("the options uidmap and gidmap belong together")
	}
	if o.direct && !o.loop {
		return nil, fmt.Errorf("the option direct-io is for a loop device: loop is missing")
	}
	return o, nil
}

func (o *options) add(word string) (err error) {
	opt, known := spec.MountOption(word)
	name, value, _ := strings.Cut(word, "=")
	switch {
	case word == "loop":
		o.loop = true
	case word == "direct-io":
		o.direct = true
	case name == "uidmap":
		o.uidMaps, err = mappings(word, value)
	case name == "gidmap":
		o.gidMaps, err = mappings(word, value)
	case !known:
		o.data = append(o.data, word)
	case opt.Kind == spec.OptExtension:
		err = fmt.Errorf("the option %s is for mounts of a container, not for its root file system", word)
	case opt.Kind == spec.OptPropagation:
		o.propagation = append(o.propagation, opt.MSFlag)
	case opt.Kind == spec.OptAttr && opt.Recursive:
		o.recursive.Add(opt)
	case opt.Kind == spec.OptAttr:
		o.attr.Add(opt)
		o.flags = o.flags&^superClears[word] | opt.MSFlag&unix.MS_RDONLY
	default:
		o.flags = o.flags&^superClears[word] | opt.MSFlag
	}
	return err
}

// mappings reads CONTAINER:HOST:SIZE,… as containerd writes it into uidmap= and gidmap=.
func mappings(word, value string) (list []specs.LinuxIDMapping, err error) {
	for item := range strings.SplitSeq(value, ",") {
		f := strings.Split(item, ":")
		if len(f) != 3 {
			return nil, fmt.Errorf("the option %s: want CONTAINER:HOST:SIZE", word)
		}
		var n [3]uint64
		for i := range f {
			if n[i], err = strconv.ParseUint(f[i], 10, 32); err != nil {
				return nil, fmt.Errorf("the option %s: %w", word, err)
			}
		}
		list = append(list, specs.LinuxIDMapping{ContainerID: uint32(n[0]), HostID: uint32(n[1]), Size: uint32(n[2])})
	}
	return list, nil
}

// bind says whether it is a bind mount, which has no super block of its own.
func (o *options) bind() bool { return o.flags&unix.MS_BIND != 0 }

// readOnly says whether the words ask for that, at least of the topmost mount.
func (o *options) readOnly() bool { return o.flags&unix.MS_RDONLY != 0 }

// idMap is the mapping of the mount's ids, nil for none.
func (o *options) idMap() *plan.IDMap {
	if o.uidMaps == nil {
		return nil
	}
	return &plan.IDMap{UID: o.uidMaps, GID: o.gidMaps, Recursive: o.flags&unix.MS_REC != 0, Field: "uidmap"}
}
