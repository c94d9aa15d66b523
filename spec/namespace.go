package spec

import (
	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// NamespaceFlag returns the CLONE_ flag of a namespace type (namespaces(7)).
func NamespaceFlag(t specs.LinuxNamespaceType) (flag uint64, ok bool) {
	return find(namespaceFlags[:], string(t))
}

var namespaceFlags = [...]entry[uint64]{
	{"cgroup", unix.CLONE_NEWCGROUP},
	{"ipc", unix.CLONE_NEWIPC},
	{"mount", unix.CLONE_NEWNS},
	{"network", unix.CLONE_NEWNET},
	{"pid", unix.CLONE_NEWPID},
	{"time", unix.CLONE_NEWTIME},
	{"user", unix.CLONE_NEWUSER},
	{"uts", unix.CLONE_NEWUTS},
}

// Namespace returns the first entry of a type in linux.namespaces, or nil. An entry with a path is joined, one
// without is created.
func Namespace(s *specs.Spec, t specs.LinuxNamespaceType) *specs.LinuxNamespace {
	if s.Linux == nil {
		return nil
	}
	for i := range s.Linux.Namespaces {
		if ns := &s.Linux.Namespaces[i]; ns.Type == t {
			return ns
		}
	}
	return nil
}

// NewNamespace says whether a container gets a namespace of type t that is made for it, and not joined by path.
func NewNamespace(s *specs.Spec, t specs.LinuxNamespaceType) bool {
	ns := Namespace(s, t)
	return ns != nil && ns.Path == ""
}

// HostID is the host's id for that of a container, by the mappings of its user namespace (user_namespaces(7)); false
// when they do not have it.
func HostID(mappings []specs.LinuxIDMapping, id uint32) (host uint32, mapped bool) {
	for _, m := range mappings {
		if id >= m.ContainerID && id-m.ContainerID < m.Size {
			return m.HostID + (id - m.ContainerID), true
		}
	}
	return 0, false
}
