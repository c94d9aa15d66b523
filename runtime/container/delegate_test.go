package container

import (
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

func TestCgroupOwner(t *testing.T) {
	mapped := []specs.LinuxIDMapping{{ContainerID: 0, HostID: 100000, Size: 1000}, {ContainerID: 5000, HostID: 7, Size: 1}}
	cgroupNS, userNS := specs.LinuxNamespace{Type: specs.CgroupNamespace}, specs.LinuxNamespace{Type: specs.UserNamespace}
	mount := func(options ...string) []specs.Mount {
		return []specs.Mount{{Destination: "/proc"}, {Source: "cgroup", Destination: "/sys/fs/cgroup", Type: "cgroup", Options: options}}
	}
	both := []specs.LinuxNamespace{cgroupNS, userNS}
	joined := specs.LinuxNamespace{Type: specs.CgroupNamespace, Path: "/proc/1/ns/cgroup"}
	for _, c := range []struct {
		name       string
		uid        uint32
		namespaces []specs.LinuxNamespace
		mounts     []specs.Mount
		want       uint32
		ok         bool
	}{
		{"root of a user namespace", 0, both, mount("nosuid"), 100000, true},
		{"another user of it", 17, both, mount(), 100017, true},
		{"of the second range", 5000, both, mount(), 7, true},
		{"without a mapping", 1000, both, mount(), 0, false},
		{"no user namespace", 1000, []specs.LinuxNamespace{cgroupNS}, mount(), 1000, true},
		{"the caller itself", 0, []specs.LinuxNamespace{cgroupNS}, mount(), 0, false},
		{"read-only", 0, both, mount("rw", "ro"), 0, false},
		{"read-write at last", 0, both, mount("ro", "rw"), 100000, true},
		{"no cgroup namespace", 0, []specs.LinuxNamespace{userNS}, mount(), 0, false},
		{"another's cgroup namespace", 0, []specs.LinuxNamespace{joined, userNS}, mount(), 0, false},
		{"no mount", 0, both, []specs.Mount{{Destination: "/proc"}}, 0, false},
		{"a bind mount", 0, both, []specs.Mount{{Source: "/sys/fs/cgroup", Destination: "/sys/fs/cgroup"}}, 0, false},
		{"elsewhere", 0, both, []specs.Mount{{Source: "cgroup", Destination: "/cgroup"}}, 0, false},
		{"not clean", 0, both, []specs.Mount{{Source: "cgroup", Destination: "/sys/fs//cgroup/"}}, 100000, true},
	} {
		uid, ok := cgroupOwner(&specs.Spec{
			Process: &specs.Process{User: specs.User{UID: c.uid}}, Mounts: c.mounts,
			Linux: &specs.Linux{Namespaces: c.namespaces, UIDMappings: mapped},
		})
		if ok != c.ok || ok && uid != c.want {
			t.Errorf("%s: %d, %v", c.name, uid, ok)
		}
	}
}
