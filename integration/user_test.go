package integration

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// The ordinary user that rootless tests run the runtime as, and what subuid(5) gives that user. All of it exists in the
// tests' own mount namespace alone.
const (
	userID   = 54321
	firstSub = 300000
	subCount = 65536
)

var madeUser sync.Once

// newUserCLI is newCLI for a runtime that an ordinary user runs.
func newUserCLI(t *testing.T) *cli {
	t.Helper()
	r := newCLI(t)
	madeUser.Do(makeUser)
	reachable(filepath.Dir(r.Root))
	must(t, os.Mkdir(r.Root, 0o700))
	must(t, os.Lchown(r.Root, userID, userID))
	r.User = &syscall.Credential{Uid: userID, Gid: userID}
	r.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + r.Root, "USER=dhowtest"}
	return r
}

// makeUser puts files of the tests' own over those that name users.
func makeUser() {
	for file, line := range map[string]string{
		"passwd": fmt.Sprintf("dhowtest:x:%d:%d::/:/bin/sh\n", userID, userID),
		"group":  fmt.Sprintf("dhowtest:x:%d:\n", userID),
		"subuid": fmt.Sprintf("dhowtest:%d:%d\n", firstSub, subCount),
		"subgid": fmt.Sprintf("dhowtest:%d:%d\n", firstSub, subCount),
	} {
		own := filepath.Join(underTest.dir, file)
		old, err := os.ReadFile("/etc/" + file)
		if err != nil && !os.IsNotExist(err) {
			panic(err)
		}
		Must(os.WriteFile(own, append(old, line...), 0o644))
		if os.IsNotExist(err) {
			continue // the test that needs it finds out
		}
		Must(unix.Mount(own, "/etc/"+file, "", unix.MS_BIND, ""))
	}
}

// reachable lets other users into a temporary directory.
func reachable(dir string) {
	for ; dir != filepath.Clean(os.TempDir()) && dir != "/"; dir = filepath.Dir(dir) {
		Must(os.Chmod(dir, 0o755))
	}
}

// Rootless makes of a bundle what `spec --rootless` makes of the default one, for a user's own id.
func Rootless(b *Bundle) {
	NoNamespace(specs.NetworkNamespace)(b)
	Namespace(specs.UserNamespace, "")(b)
	l := b.Spec.Linux
	l.UIDMappings = []specs.LinuxIDMapping{{HostID: userID, Size: 1}}
	l.GIDMappings = []specs.LinuxIDMapping{{HostID: userID, Size: 1}}
	l.Resources = nil
	for i := range b.Spec.Mounts {
		switch m := &b.Spec.Mounts[i]; m.Destination {
		case "/sys":
			*m = specs.Mount{Destination: "/sys", Type: "none", Source: "/sys", Options: []string{"rbind", "nosuid", "noexec", "nodev", "ro"}}
		case "/dev/pts":
			m.Options = []string{"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"}
		}
	}
	ownedBy(b, userID)
}

// Subordinate maps the user's own id to root and the first of the subordinate ids to 1 and up.
func Subordinate(b *Bundle) {
	Rootless(b)
	l := b.Spec.Linux
	l.UIDMappings = append(l.UIDMappings, specs.LinuxIDMapping{ContainerID: 1, HostID: firstSub, Size: subCount})
	l.GIDMappings = append(l.GIDMappings, specs.LinuxIDMapping{ContainerID: 1, HostID: firstSub, Size: subCount})
}

// ownedBy gives a bundle to a user.
func ownedBy(b *Bundle, id int) {
	reachable(b.Dir)
	Must(filepath.WalkDir(b.Dir, func(path string, _ os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Lchown(path, id, id)
	}))
}

// needMappers skips a test without newuidmap and newgidmap.
func needMappers(t *testing.T) {
	t.Helper()
	needRoot(t)
	for _, file := range []string{"/usr/bin/newuidmap", "/usr/bin/newgidmap", "/etc/subuid", "/etc/subgid"} {
		if !exists(file) {
			skip(t, "needs "+file+", of Debian's package uidmap")
		}
	}
}
