package integration

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// idMapped gives the last mount mappings of its own: ids from `inside` on, as the file system has them, appear
// as the host's ids from `host` on.
func idMapped(inside, host uint32) Edit {
	return func(b *Bundle) {
		m := &b.Spec.Mounts[len(b.Spec.Mounts)-1]
		m.UIDMappings = []specs.LinuxIDMapping{{ContainerID: inside, HostID: host, Size: 10}}
		m.GIDMappings = []specs.LinuxIDMapping{{ContainerID: inside, HostID: host + 1000, Size: 10}}
	}
}

// ownedTree makes a directory with the file `file` of 3:4, and a mount below it with the file sub/file of 5:6.
func ownedTree(t *testing.T) string {
	t.Helper()
	needRoot(t)
	dir, other := t.TempDir(), t.TempDir()
	sub := filepath.Join(dir, "sub")
	must(t, os.Mkdir(sub, 0o755))
	must(t, os.Chmod(dir, 0o777))
	must(t, unix.Mount(other, sub, "", unix.MS_BIND, ""))
	t.Cleanup(func() { must(t, unix.Unmount(sub, unix.MNT_DETACH)) })
	for path, id := range map[string]int{dir: 3, sub: 5} {
		must(t, os.WriteFile(filepath.Join(path, "file"), nil, 0o644))
		must(t, os.Chown(filepath.Join(path, "file"), id, id+1))
	}
	return dir
}

const showOwners = "stat -c %u:%g /mnt/file /mnt/sub/file"

// Owners as a container sees them; 65534 stands for an id that the container's user namespace does not have.
func TestIDMappedMounts(t *testing.T) {
	notRunc11(t, "it can do part of this")
	t.Parallel()
	r := newCLI(t)
	src := ownedTree(t)
	container := both(MappedUser, Bind(src, "/mnt", "rbind", "idmap"))
	for name, c := range map[string]struct {
		edit Edit
		want string
	}{
		"none":                             {Bind(src, "/mnt", "rbind"), "3:4 5:6"},
		"own mappings":                     {both(Bind(src, "/mnt", "rbind", "idmap"), idMapped(0, 5000)), "5003:6004 5:6"},
		"own mappings, without a word":     {both(Bind(src, "/mnt", "rbind"), idMapped(0, 5000)), "5003:6004 5:6"},
		"own mappings, recursive":          {both(Bind(src, "/mnt", "rbind", "ridmap"), idMapped(0, 5000)), "5003:6004 5005:6006"},
		"own mappings in a user namespace": {both(MappedUser, Bind(src, "/mnt", "rbind", "ridmap"), idMapped(0, 105000)), "5003:6004 5005:6006"},
		"out of the mappings":              {both(Bind(src, "/mnt", "rbind", "ridmap"), idMapped(4, 5000)), "65534:6000 5001:6002"},
		"the container's":                  {container, "3:4 65534:65534"},
		"the container's, recursive":       {both(MappedUser, Bind(src, "/mnt", "rbind", "ridmap")), "3:4 5:6"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := &cli{t: t, Path: r.Path, Root: filepath.Join(t.TempDir(), "root")}
			res := r.Run(newBundle(t, Shell(showOwners), c.edit)).Exited(0)
			if got := strings.Join(strings.Fields(res.Stdout), " "); got != c.want {
				t.Errorf("the owners are %s, want %s", got, c.want)
			}
		})
	}
}

// crun's option has the mappings in itself, of the host's ids or the container's.
func TestIDMapWords(t *testing.T) {
	onlyDhow(t, "of the others only crun has it")
	t.Parallel()
	r := newCLI(t)
	src := ownedTree(t)
	for option, want := range map[string]string{
		"idmap=uids=0-5000-10;gids=0-6000-10":             "5003:6004 5:6",
		"ridmap=uids=0-5000-5#5-7000-5;gids=0-6000-10":    "5003:6004 7000:6006",
		"ridmap=uids=@0-10-10;gids=0-100000-5#5-100020-5": "13:4 15:21",
	} {
		edit := Bind(src, "/mnt", "rbind", option)
		if strings.Contains(option, "@") {
			edit = both(MappedUser, edit)
		}
		res := r.Run(newBundle(t, Shell(showOwners), edit)).Exited(0)
		if got := strings.Join(strings.Fields(res.Stdout), " "); got != want {
			t.Errorf("%s: the owners are %s, want %s", option, got, want)
		}
	}
	at := "/mounts/" + itoa(len(DefaultSpec().Mounts)) + "/options/2: "
	for option, want := range map[string]string{
		"idmap=uids=0-5000-10":               "uids= and gids= are required",
		"idmap=uids=0-5000;gids=0-0-1":       `"0-5000" is not FIRST-FIRST-COUNT`,
		"idmap=uids=@0-1-9;gids=0-0-1":       "no one entry of the container's mappings",
		"idmap=uids=0-1-9#5-20-1;gids=0-0-1": "overlap",
	} {
		r.Run(newBundle(t, Bind(src, "/mnt", "rbind", option))).Failed(at, want)
	}
}

// A source below the root file system is what the mounts before have put there, with its ids mapped.
func TestIDMapOfAnEarlierMount(t *testing.T) {
	notRunc11(t, "it can do part of this")
	t.Parallel()
	r := newCLI(t)
	src := ownedTree(t)
	again := func(word string) Edit {
		return func(b *Bundle) {
			Bind(filepath.Join(b.Rootfs(), "tmp/first"), "/mnt", "rbind", word)(b)
		}
	}
	for name, c := range map[string]struct {
		edit Edit
		want string
	}{
		"own mappings":                     {both(again("idmap"), idMapped(0, 5000)), "5003:6004 5:6"},
		"own mappings, recursive":          {both(again("ridmap"), idMapped(0, 5000)), "5003:6004 5005:6006"},
		"own mappings in a user namespace": {both(MappedUser, again("ridmap"), idMapped(0, 105000)), "5003:6004 5005:6006"},
		"the container's":                  {both(MappedUser, again("idmap")), "3:4 65534:65534"},
	} {
		res := r.Run(newBundle(t, Shell(showOwners), Bind(src, "/tmp/first", "rbind"), c.edit)).Exited(0)
		if got := strings.Join(strings.Fields(res.Stdout), " "); got != c.want {
			t.Errorf("%s: the owners are %s, want %s", name, got, c.want)
		}
	}
	at := itoa(len(DefaultSpec().Mounts) + 1)
	b := newBundle(t, Args("true"), Bind(src, "/tmp/first", "rbind"), again("idmap"), idMapped(0, 5000), func(b *Bundle) {
		b.Spec.Mounts[len(b.Spec.Mounts)-2] = specs.Mount{Destination: "/tmp/first", Type: "mqueue", Source: "mqueue"}
	})
	if underTest.kind == Dhow {
		r.Run(b).Failed("cannot map the ids of ", "/tmp/first (mounts["+at+"].uidMappings): its file system does not allow it: mount_setattr: invalid argument")
	}
}

// What is written through an id-mapped mount gets the ids that the file system is meant to have.
func TestWriteThroughIDMappedMount(t *testing.T) {
	notRunc11(t, "it can do part of this")
	t.Parallel()
	r := newCLI(t)
	src := ownedTree(t)
	must(t, os.Chown(src, 0, 0))
	r.Run(newBundle(t, Shell("touch /mnt/new && chown 7:8 /mnt/new"), MappedUser, Bind(src, "/mnt", "bind", "idmap"))).Exited(0)
	var st unix.Stat_t
	must(t, unix.Stat(filepath.Join(src, "new"), &st))
	if st.Uid != 7 || st.Gid != 8 {
		t.Errorf("the new file belongs to %d:%d, want 7:8", st.Uid, st.Gid)
	}
}

// A container that joins another's user namespace gets its mappings, and exec sees them.
func TestIDMapOfJoinedUserNamespace(t *testing.T) {
	notRunc11(t, "it cannot do this")
	t.Parallel()
	r := newCLI(t)
	src := ownedTree(t)
	first := r.Started(newBundle(t, Args("sleep", "1000"), MappedUser))
	b := newBundle(t, Args("sleep", "1000"), MappedUser,
		Namespace(specs.UserNamespace, "/proc/"+itoa(r.State(first).Pid)+"/ns/user"), Bind(src, "/mnt", "rbind", "idmap"))
	b.Spec.Linux.UIDMappings, b.Spec.Linux.GIDMappings = nil, nil
	must(t, b.Save())
	second := r.Started(b)
	r.Must("exec", second, "/bin/sh", "-c", showOwners).Printed("3:4\n65534:65534")
}

// A file system that cannot be id-mapped is named, and nothing is left of the container.
func TestIDMapRefused(t *testing.T) {
	onlyDhow(t, "errors are ours")
	t.Parallel()
	r := newCLI(t)
	at := itoa(len(DefaultSpec().Mounts))
	b := newBundle(t, Bind("/proc/sys", "/mnt", "bind", "idmap"), idMapped(0, 5000))
	r.Run(b).Failed(`cannot map the ids of "/proc/sys" (mounts[` + at + `].uidMappings): the file system proc does not allow it`).Exited(1)
	b = newBundle(t, Mount("tmpfs", "tmpfs", "/mnt", "idmap"), idMapped(0, 5000))
	r.Run(b).Failed("/mounts/" + at + "/options: only a bind mount can be id-mapped").Exited(1)
}

// Sources are opened by the runtime: root of the container's user namespace may not be able to reach them.
func TestBindSourceOutOfReach(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	dir := t.TempDir()
	must(t, os.Mkdir(filepath.Join(dir, "inner"), 0o755))
	must(t, os.WriteFile(filepath.Join(dir, "inner", "file"), []byte("reached\n"), 0o644))
	must(t, os.Chmod(dir, 0o700))
	r.Run(newBundle(t, Args("cat", "/mnt/file"), MappedUser, Bind(filepath.Join(dir, "inner"), "/mnt"))).Exited(0).Printed("reached")
}
