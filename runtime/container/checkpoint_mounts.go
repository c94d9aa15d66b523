package container

import (
	"os"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/moby/sys/mountinfo"
	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/runtime/checkpoint"
	"github.com/dhow-containers/dhow/runtime/inroot"
	"github.com/dhow-containers/dhow/spec"
)

// nullName is what masks have in the image, as runc names them.
const nullName = "/dev/null"

// mountTable is the mounts of a container, some of which come from outside.
type mountTable struct {
	root  int // the container's root directory
	mount map[int]*mountinfo.Info
	name  map[int]string // of an external mount, by mount id
	own   map[int]bool   // mounts of the config that are not external
}

// externalMounts finds the mounts in the container that are not its own, and names them. What is bound is
// named after the destination in the config, and mounts below it after their place there; a mask is
// nullName. Names of files in the container are looked up under its root.
func externalMounts(config *specs.Spec, pid int) ([]checkpoint.Mount, error) {
	if !spec.NewNamespace(config, specs.MountNamespace) {
		return nil, nil
	}
	for i := range config.Mounts {
		if idMapped(&config.Mounts[i]) {
			return nil, errInvalid("criu does not restore id-mapped mounts (mounts[%d])", i)
		}
	}
	proc := "/proc/" + strconv.Itoa(pid)
	f, err := os.Open(proc + "/mountinfo")
	if err != nil {
		return nil, err
	}
	defer f.Close() // read only
	list, err := mountinfo.GetMountsFromReader(f, nil)
	if err != nil {
		return nil, err
	}
	t := &mountTable{mount: map[int]*mountinfo.Info{}, name: map[int]string{}, own: map[int]bool{}}
	if t.root, err = unix.Open(proc+"/root", unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0); err != nil {
		return nil, &os.PathError{Op: "open", Path: proc + "/root", Err: err}
	}
	defer unix.Close(t.root)
	for _, m := range list {
		t.mount[m.ID] = m
	}
	t.configured(config)
	if !spec.NewNamespace(config, specs.CgroupNamespace) {
		t.cgroups()
	}
	t.below()
	var external []checkpoint.Mount
	for _, m := range list {
		if name, ok := t.name[m.ID]; ok {
			external = append(external, checkpoint.Mount{Key: m.Mountpoint, Value: name})
		}
	}
	return external, nil
}

// configured sorts the mounts that the config asks for.
func (t *mountTable) configured(config *specs.Spec) {
	for i := range config.Mounts {
		m := &config.Mounts[i]
		id, _ := t.lookup(m.Destination)
		if bind, _ := spec.IsBind(m); !bind {
			t.own[id] = true
		} else if id > 0 {
			t.name[id] = path.Clean("/" + m.Destination)
		}
	}
	if config.Linux == nil {
		return
	}
	for _, p := range config.Linux.MaskedPaths {
		if id, mode := t.lookup(p); id > 0 && mode == unix.S_IFCHR {
			t.name[id] = nullName
		}
	}
	for _, p := range devicePaths(config) {
		if id, _ := t.lookup(p); id > 0 {
			t.name[id] = path.Clean("/" + p)
		}
	}
}

// devicePaths are the places where a container with a user namespace has devices of the host bound.
func devicePaths(config *specs.Spec) []string {
	list := []string{"/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty"}
	for i := range config.Linux.Devices {
		list = append(list, config.Linux.Devices[i].Path)
	}
	return list
}

// lookup finds the mount whose root is at p in the container, and the type of the file there; 0 when
// nothing is mounted there.
func (t *mountTable) lookup(p string) (id int, mode uint32) {
	fd, err := inroot.Open(t.root, p, unix.O_PATH)
	if err != nil {
		return 0, 0
	}
	defer unix.Close(fd)
	var st unix.Statx_t
	if err := unix.Statx(fd, "", unix.AT_EMPTY_PATH, unix.STATX_TYPE|unix.STATX_MNT_ID, &st); err != nil ||
		st.Attributes&unix.STATX_ATTR_MOUNT_ROOT == 0 {
		return 0, 0
	}
	return int(st.Mnt_id), uint32(st.Mode) & unix.S_IFMT
}

// cgroups marks the hierarchies that a container without a cgroup namespace has bound.
func (t *mountTable) cgroups() {
	for id, m := range t.mount {
		if m.FSType == "cgroup" || m.FSType == "cgroup2" {
			t.name[id] = m.Mountpoint
		}
	}
}

// below marks what came with a recursive bind.
func (t *mountTable) below() {
	for id := range t.mount {
		t.inherit(id)
	}
}

// inherit names a mount after its parent, if that is external and neither is the config's.
func (t *mountTable) inherit(id int) (name string, external bool) {
	if name, ok := t.name[id]; ok || t.own[id] {
		return name, ok
	}
	m := t.mount[id]
	parent := t.mount[m.Parent]
	if parent == nil || m.Parent == id {
		return "", false
	}
	above, ok := t.inherit(m.Parent)
	if !ok || above == nullName {
		return "", false
	}
	name = path.Join(above, strings.TrimPrefix(m.Mountpoint, parent.Mountpoint))
	t.name[id] = name
	return name, true
}

func idMapped(m *specs.Mount) bool {
	return len(m.UIDMappings) > 0 || len(m.GIDMappings) > 0 || slices.Contains(m.Options, "idmap") || slices.Contains(m.Options, "ridmap")
}
