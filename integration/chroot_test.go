package integration

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// chrooted leaves the container in the mount namespace of the runtime, with nothing that would need one of its own.
func chrooted(b *Bundle) {
	NoNamespace(specs.MountNamespace)(b)
	b.Spec.Mounts, b.Spec.Linux.MaskedPaths, b.Spec.Linux.ReadonlyPaths, b.Spec.Root.Readonly = nil, nil, nil, false
}

// Devices are nodes in the root file system, and all else of /dev stays as it is.
func TestChrootDevices(t *testing.T) {
	onlyDhow(t, "1.5 cannot do without a procfs in the root file system")
	t.Parallel()
	r := newCLI(t)
	b := newBundle(t, Shell("cd /dev && stat -c '%n %t:%T %a %u' * && echo x > zip"), chrooted, Linux(func(l *specs.Linux) {
		l.Devices = []specs.LinuxDevice{{Path: "/dev/zip", Type: "c", Major: 1, Minor: 3, FileMode: new(os.FileMode(0o640)), UID: new(uint32(7))}}
	}))
	for range 2 { // the second time the node is there
		r.Run(b).Exited(0).Printed("zip 1:3 640 7")
	}
}

// Hooks run in the bundle, as with a mount namespace.
func TestChrootHooks(t *testing.T) {
	onlyDhow(t, "1.5 cannot do without a procfs in the root file system")
	t.Parallel()
	b := newBundle(t, Args("echo", "inside"), chrooted, func(b *Bundle) {
		b.Spec.Hooks = &specs.Hooks{CreateRuntime: []specs.Hook{{Path: "/bin/sh", Args: []string{"sh", "-c", "echo $PWD > hooked"}}}}
	})
	newCLI(t).Run(b).Printed("inside")
	if text, err := os.ReadFile(filepath.Join(b.Dir, "hooked")); err != nil || strings.TrimSpace(string(text)) != b.Dir {
		t.Errorf("the hook has written %q, %v", text, err)
	}
}

// What would change the host is refused.
func TestChrootRefuses(t *testing.T) {
	onlyDhow(t, "runc mounts on the host, and leaves it there")
	t.Parallel()
	r := newCLI(t)
	for field, edit := range map[string]Edit{
		"mounts":                  Mount("tmpfs", "tmpfs", "/mnt"),
		"linux.maskedPaths":       Linux(func(l *specs.Linux) { l.MaskedPaths = []string{"/etc"} }),
		"linux.readonlyPaths":     Linux(func(l *specs.Linux) { l.ReadonlyPaths = []string{"/etc"} }),
		"linux.rootfsPropagation": Linux(func(l *specs.Linux) { l.RootfsPropagation = "private" }),
		"root.readonly":           func(b *Bundle) { b.Spec.Root.Readonly = true },
		"linux.devices in a user namespace": both(MappedUser, Linux(func(l *specs.Linux) {
			l.Devices = []specs.LinuxDevice{{Path: "/dev/zip", Type: "c", Major: 1, Minor: 3}}
		})),
	} {
		r.Run(newBundle(t, chrooted, edit)).Failed("cannot use " + field + ": it needs a mount namespace (linux.namespaces)").Exited(1)
	}
}
