package container

import (
	"fmt"
	"os"
	"strconv"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/runtime/cgroup"
	"github.com/dhow-containers/dhow/spec"
)

// statusPaused extends the spec's statuses, as runc does.
const statusPaused specs.ContainerState = "paused"

// status finds out how far the container is in its life.
func (h *handle) status() specs.ContainerState {
	switch {
	case h.Pid == 0:
		return specs.StateCreating
	case !h.alive():
		return specs.StateStopped
	case unix.Faccessat(h.dir, "start.sock", unix.F_OK, 0) == nil:
		return specs.StateCreated
	}
	if frozen, err := cgroup.Open(h.Cgroups).Frozen(); err == nil && frozen {
		return statusPaused
	}
	return specs.StateRunning
}

// config decodes the container's own copy of its config.json.
func (h *handle) config() (*spec.Document, error) {
	doc, err := spec.Decode(h.Config)
	if err != nil {
		return nil, fmt.Errorf("cannot read the record of container %q: %w", h.ID, err)
	}
	if h.Restored {
		h.addTimeNamespace(doc.Spec)
	}
	return doc, nil
}

// addTimeNamespace notes the time namespace in which criu has the clocks of restored processes go on.
func (h *handle) addTimeNamespace(config *specs.Spec) {
	for _, ns := range namespaces(config) {
		if ns.Type == specs.TimeNamespace {
			return
		}
	}
	own, err := os.Readlink("/proc/self/ns/time")
	theirs, e := os.Readlink("/proc/" + strconv.Itoa(h.Pid) + "/ns/time")
	if err == nil && e == nil && own != theirs && config.Linux != nil {
		config.Linux.Namespaces = append(config.Linux.Namespaces, specs.LinuxNamespace{Type: specs.TimeNamespace})
	}
}

// State describes a container.
func (s *Store) State(id string) (*Info, error) {
	h, err := s.open(id)
	if err != nil {
		return nil, err
	}
	defer h.close()
	return h.info()
}

func (h *handle) info() (*Info, error) {
	info := &Info{Rootfs: h.Rootfs, Created: h.Created}
	info.Version, info.ID, info.Bundle = specs.Version, h.ID, h.Bundle
	info.Status = h.status()
	if info.Status != specs.StateStopped {
		info.Pid = h.Pid
	}
	if doc, err := h.config(); err == nil {
		info.Annotations = doc.Spec.Annotations
	}
	var st unix.Stat_t
	if err := unix.Fstat(h.dir, &st); err != nil {
		return nil, err
	}
	info.Owner = userName(st.Uid)
	return info, nil
}

// userName finds uid in /etc/passwd; the number itself when it is not there.
func userName(uid uint32) string {
	if text, err := os.ReadFile("/etc/passwd"); err == nil {
		if name := passwdField(string(text), uid, passwdName); name != "" {
			return name
		}
	}
	return "#" + strconv.FormatUint(uint64(uid), 10)
}

// List describes all containers, in the order of their ids. One that cannot be read, because it is just
// being made or removed, is left out.
func (s *Store) List() ([]*Info, error) {
	root, err := unix.Open(s.Root, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err == unix.ENOENT {
		return nil, nil
	}
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: s.Root, Err: err}
	}
	defer unix.Close(root)
	if err := s.checkOwn(root); err != nil {
		return nil, err
	}
	names, err := directoryNames(root)
	if err != nil {
		return nil, err
	}
	var list []*Info
	for _, name := range names {
		if name == seccompCache {
			continue
		}
		info, err := s.State(name)
		if err != nil {
			s.debug("container left out of the list", "id", name, "error", err)
			continue
		}
		list = append(list, info)
	}
	return list, nil
}

// Get returns the static part of a container's record.
func (s *Store) Get(id string) (*Container, error) {
	h, err := s.open(id)
	if err != nil {
		return nil, err
	}
	defer h.close()
	doc, err := h.config()
	if err != nil {
		return nil, err
	}
	return &Container{ID: h.ID, Bundle: h.Bundle, Config: doc.Spec}, nil
}
