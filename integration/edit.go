package integration

import (
	"os"
	"path/filepath"
	"slices"
	"syscall"

	"github.com/moby/profiles/seccomp"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// Args sets the program and its arguments.
func Args(args ...string) Edit { return func(b *Bundle) { b.Spec.Process.Args = args } }

// Shell runs a script with /bin/sh.
func Shell(script string) Edit { return Args("/bin/sh", "-c", script) }

// Env adds variables, each NAME=VALUE.
func Env(vars ...string) Edit {
	return func(b *Bundle) { b.Spec.Process.Env = append(b.Spec.Process.Env, vars...) }
}

// Cwd sets the working directory.
func Cwd(dir string) Edit { return func(b *Bundle) { b.Spec.Process.Cwd = dir } }

// User sets the numeric identity.
func User(uid, gid uint32, more ...uint32) Edit {
	return func(b *Bundle) {
		b.Spec.Process.User = specs.User{UID: uid, GID: gid, AdditionalGids: more}
	}
}

// Process changes the process by a function.
func Process(f func(*specs.Process)) Edit { return func(b *Bundle) { f(b.Spec.Process) } }

// Linux changes the linux section by a function.
func Linux(f func(*specs.Linux)) Edit { return func(b *Bundle) { f(b.Spec.Linux) } }

// Resources changes the resource limits by a function.
func Resources(f func(*specs.LinuxResources)) Edit {
	return func(b *Bundle) { f(b.Spec.Linux.Resources) }
}

// DockerSeccomp gives the bundle Docker's default profile, as it is for the bundle's capabilities.
func DockerSeccomp(b *Bundle) {
	profile, err := seccomp.GetDefaultProfile(b.Spec)
	Must(err)
	b.Spec.Linux.Seccomp = profile
}

// Mount adds a mount.
func Mount(kind, source, destination string, options ...string) Edit {
	return func(b *Bundle) {
		b.Spec.Mounts = append(b.Spec.Mounts,
			specs.Mount{Destination: destination, Type: kind, Source: source, Options: options})
	}
}

// Bind adds a bind mount.
func Bind(source, destination string, options ...string) Edit {
	return Mount("bind", source, destination, append([]string{"rbind"}, options...)...)
}

// NoMount removes the mount on a destination.
func NoMount(destination string) Edit {
	return func(b *Bundle) {
		b.Spec.Mounts = slices.DeleteFunc(b.Spec.Mounts, func(m specs.Mount) bool { return m.Destination == destination })
	}
}

// Namespace asks for a new namespace, or for the one at a path.
func Namespace(kind specs.LinuxNamespaceType, path string) Edit {
	return func(b *Bundle) {
		NoNamespace(kind)(b)
		b.Spec.Linux.Namespaces = append(b.Spec.Linux.Namespaces, specs.LinuxNamespace{Type: kind, Path: path})
	}
}

// NoNamespace leaves the container in the caller's namespace of that kind.
func NoNamespace(kind specs.LinuxNamespaceType) Edit {
	return func(b *Bundle) {
		b.Spec.Linux.Namespaces = slices.DeleteFunc(b.Spec.Linux.Namespaces,
			func(n specs.LinuxNamespace) bool { return n.Type == kind })
	}
}

// MappedUser puts the container into a new user namespace whose ids 0… are the host's 100000….
func MappedUser(b *Bundle) {
	Namespace(specs.UserNamespace, "")(b)
	b.Spec.Linux.UIDMappings = []specs.LinuxIDMapping{{ContainerID: 0, HostID: 100000, Size: 65536}}
	b.Spec.Linux.GIDMappings = []specs.LinuxIDMapping{{ContainerID: 0, HostID: 100000, Size: 65536}}
	for dir := b.Dir; dir != filepath.Clean(os.TempDir()) && dir != "/"; dir = filepath.Dir(dir) {
		Must(os.Chmod(dir, 0o755)) // a mapped root must be able to reach its root file system
	}
	Must(filepath.WalkDir(b.Rootfs(), func(path string, _ os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Lchown(path, 100000, 100000)
	}))
}

// File writes a file into the root file system, with its directories.
func File(path, content string, mode os.FileMode) Edit {
	return func(b *Bundle) {
		full := filepath.Join(b.Rootfs(), path)
		Must(os.MkdirAll(filepath.Dir(full), 0o755))
		syscall.ForkLock.RLock() // as in CopyFile
		Must(os.WriteFile(full, []byte(content), mode))
		syscall.ForkLock.RUnlock()
		Must(os.Chmod(full, mode))
	}
}

// Dir makes a directory in the root file system.
func Dir(path string) Edit {
	return func(b *Bundle) { Must(os.MkdirAll(filepath.Join(b.Rootfs(), path), 0o755)) }
}

// Symlink makes a symbolic link in the root file system, in place of what was there.
func Symlink(target, path string) Edit {
	return func(b *Bundle) {
		full := filepath.Join(b.Rootfs(), path)
		Must(os.RemoveAll(full))
		Must(os.MkdirAll(filepath.Dir(full), 0o755))
		Must(os.Symlink(target, full))
	}
}

// Must turns an error of an edit into a panic: an edit that fails is a mistake in the test itself.
func Must(err error) {
	if err != nil {
		panic(err)
	}
}
