package integration

import (
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/spec"
)

// allCapabilities gives a container every capability, as `docker run --privileged` does.
func allCapabilities(b *Bundle) {
	var names []string
	for bit := range uint(unix.CAP_LAST_CAP + 1) {
		names = append(names, spec.CapabilityName(bit))
	}
	b.Spec.Process.Capabilities = &specs.LinuxCapabilities{Bounding: names, Effective: names, Permitted: names}
	b.Spec.Process.NoNewPrivileges = false
}

// unmasked shows a container all of /proc and /sys, and lets it use every device.
func unmasked(b *Bundle) {
	b.Spec.Linux.MaskedPaths, b.Spec.Linux.ReadonlyPaths, b.Spec.Linux.Resources = nil, nil, nil
}

// nesting makes a container that runs another one, of the bundle inner, with the runtime under test.
func nesting(t *testing.T, inner *Bundle, flags ...string) Edit {
	return func(b *Bundle) {
		reachable(inner.Dir)
		allCapabilities(b)
		unmasked(b)
		Bind(inner.Dir, "/inner")(b)
		Bind(underTest.runtime, "/runtime", "ro")(b)
		Mount("tmpfs", "run", "/run")(b)
		Args(append(append([]string{"/runtime", "--root", "/run/x"}, flags...), "run", "--bundle", "/inner", "c")...)(b)
	}
}

// withCgroups shows a container its own control groups, to make groups in.
func withCgroups(b *Bundle) {
	Namespace(specs.CgroupNamespace, "")(b)
	Mount("cgroup", "cgroup", "/sys/fs/cgroup")(b)
}

var inside = Shell("echo inside $$ $(id -u); cat /proc/1/comm; echo x > /dev/null")

const insideSays = "inside 1 0\nsh"

// The runtime in a privileged container makes containers as on the host, also under a masked /proc.
func TestNested(t *testing.T) {
	onlyDhow(t, "is linked dynamically")
	r := newCLI(t)
	r.Run(newBundle(t, nesting(t, newBundle(t, inside)), withCgroups)).Exited(0).Printed(insideSays)
	masked := Linux(func(l *specs.Linux) { l.MaskedPaths = []string{"/proc/keys"} })
	r.Run(newBundle(t, nesting(t, newBundle(t, inside)), withCgroups, masked)).Exited(0).Printed(insideSays)
	b := newBundle(t, nesting(t, newBundle(t, MappedUser, inside)), withCgroups)
	r.Run(b).Exited(0).Printed(insideSays)
}

// In a user namespace it has no power over control groups, device nodes or the initial namespaces; it does without.
func TestNestedInAUserNamespace(t *testing.T) {
	onlyDhow(t, "is linked dynamically")
	r := newCLI(t)
	inner := newBundle(t, inside)
	ownedBy(inner, 100000)
	inner.Spec.Mounts[0] = specs.Mount{Destination: "/proc", Type: "proc", Source: "proc"}
	must(t, inner.Save())
	r.Run(newBundle(t, nesting(t, inner), MappedUser)).Exited(0).Printed(insideSays)
}

// A user namespace inside a user namespace.
func TestNestedUserNamespaces(t *testing.T) {
	onlyDhow(t, "is linked dynamically")
	r := newCLI(t)
	r.Run(newBundle(t, nesting(t, newBundle(t, inside, deepUser)), MappedUser)).Exited(0).Printed(insideSays)
}

// deepUser maps ids of a container with MappedUser into a user namespace of its own.
func deepUser(b *Bundle) {
	Namespace(specs.UserNamespace, "")(b)
	b.Spec.Linux.UIDMappings = []specs.LinuxIDMapping{{HostID: 1000, Size: 2000}}
	b.Spec.Linux.GIDMappings = []specs.LinuxIDMapping{{HostID: 1000, Size: 2000}}
	ownedBy(b, 101000)
}

// A masked /proc, which a user namespace may not unmask, keeps procfs from being mounted there. The error says that this is
// why, and which path is masked.
func TestNestedUnderAMaskedProc(t *testing.T) {
	onlyDhow(t, "is linked dynamically")
	r := newCLI(t)
	inner := newBundle(t, inside, deepUser)
	masked := Linux(func(l *specs.Linux) { l.MaskedPaths = []string{"/proc/keys"} })
	r.Run(newBundle(t, nesting(t, inner), MappedUser, masked)).
		Failed("cannot mount proc on /proc (mounts[0]): fsmount: operation not permitted", "/proc/keys is mounted over", "wholly visible").Exited(1)

	r = newUserCLI(t) // root inside, with the masks of the default config
	inner = newBundle(t, inside, Rootless)
	inner.Spec.Linux.UIDMappings[0].HostID, inner.Spec.Linux.GIDMappings[0].HostID = 0, 0
	must(t, inner.Save())
	r.Run(newBundle(t, nesting(t, inner), Rootless, masked)).Failed("/proc/keys is mounted over")
}

// A user who is root nowhere, in a container that a user who is root nowhere runs.
func TestNestedRootless(t *testing.T) {
	onlyDhow(t, "is linked dynamically")
	r := newUserCLI(t)
	inner := newBundle(t, inside, Rootless)
	inner.Spec.Linux.UIDMappings[0].HostID, inner.Spec.Linux.GIDMappings[0].HostID = 0, 0
	must(t, inner.Save())
	r.Run(newBundle(t, nesting(t, inner), Rootless)).Exited(0).Printed(insideSays)

	needMappers(t)
	inner = newBundle(t, inside, Rootless)
	inner.Spec.Linux.UIDMappings[0].HostID, inner.Spec.Linux.GIDMappings[0].HostID = 1000, 1000
	must(t, inner.Save())
	ownedBy(inner, firstSub+999)
	b := newBundle(t, nesting(t, inner), Subordinate, User(1000, 1000))
	b.Spec.Mounts[len(b.Spec.Mounts)-1].Options = []string{"mode=1777"}
	must(t, b.Save())
	r.Run(b).Exited(0).Printed(insideSays)
}
