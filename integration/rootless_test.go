package integration

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// An ordinary user goes through a container's life with what `spec --rootless` writes.
func TestRootlessLifecycle(t *testing.T) {
	r := newUserCLI(t)
	b := newBundle(t, Rootless)
	must(t, os.Remove(filepath.Join(b.Dir, "config.json")))
	cmd := r.Command("spec", "--rootless")
	cmd.Dir = b.Dir
	r.DoCommand(cmd).Exited(0)
	var s specs.Spec
	decode(t, readFile(t, filepath.Join(b.Dir, "config.json")), &s)
	b.Spec = &s
	b.Spec.Process.Terminal = false
	Args("sleep", "1000")(b)
	must(t, b.Save())

	id := r.Create(b)
	if got := r.State(id); got.Status != "created" {
		t.Errorf("created: %+v", got)
	}
	r.Must("exec", id, "id", "-u").Printed("0") // while it waits for start, too
	r.Must("start", id)
	r.Must("exec", id, "cat", "/proc/self/uid_map").Printed(fmt.Sprintf("%10d %10d %10d", 0, userID, 1)[9:])
	r.Must("exec", id, "cat", "/proc/self/setgroups").Printed("deny")
	r.Must("exec", id, "cat", "/proc/1/comm").Printed("sleep")
	r.Do("exec", id, "sh", "-c", "exit 7").Exited(7)
	if out := r.Must("list").Stdout; !strings.Contains(out, "dhowtest") || !strings.Contains(out, "running") {
		t.Errorf("list: %s", out)
	}
	r.Must("kill", id, "KILL")
	r.AwaitStatus(id, "stopped")
	r.Must("delete", id)
	if left := containersIn(r.Root); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// What a process finds in a container that is root nowhere.
func TestRootlessInside(t *testing.T) {
	r := newUserCLI(t)
	f := r.Run(newBundle(t, Rootless, probe("dump"))).Facts()
	if f.UID != 0 || f.GID != 0 || f.Pid != 1 || f.Hostname != "box" {
		t.Errorf("uid %d, gid %d, pid %d, host name %s", f.UID, f.GID, f.Pid, f.Hostname)
	}
	if m := f.MountAt("/proc"); m == nil || m.Type != "proc" {
		t.Errorf("/proc: %+v", m)
	}
	for _, device := range []string{"null", "zero", "full", "random", "urandom", "tty"} {
		if m := f.MountAt("/dev/" + device); m == nil || m.Root != "/"+device {
			t.Errorf("/dev/%s is %+v, want a bind of the host's", device, m)
		}
	}
	if got, want := f.Status["CapEff"], r.Run(newBundle(t, probe("dump"), Rootless)).Facts().Status["CapEff"]; got != want || strings.Trim(got, "0") == "" {
		t.Errorf("capabilities %s, want %s", got, want)
	}
}

// Tmpfs, a message queue, sysctls and clocks of the container's own, masks and a read-only root.
func TestRootlessSettings(t *testing.T) {
	r := newUserCLI(t)
	b := newBundle(t, Rootless, Linux(func(l *specs.Linux) {
		l.Sysctl = map[string]string{"kernel.msgmax": "12345"}
	}), func(b *Bundle) { b.Spec.Root.Readonly = true },
		Shell("cat /proc/sys/kernel/msgmax; touch /x 2>/dev/null || echo read-only; wc -c < /proc/keys; echo x > /dev/shm/x && cat /dev/shm/x"))
	r.Run(b).Exited(0).Printed("12345\nread-only\n0\nx")
}

func TestRootlessTimeNamespace(t *testing.T) {
	r := newUserCLI(t)
	b := newBundle(t, Rootless, Namespace(specs.TimeNamespace, ""), Linux(func(l *specs.Linux) {
		l.TimeOffsets = map[string]specs.LinuxTimeOffset{"boottime": {Secs: 1000000}}
	}), Shell("cut -d' ' -f2- /proc/self/timens_offsets >/dev/null; grep -c 1000000 /proc/self/timens_offsets"))
	r.Run(b).Exited(0).Printed("1")
}

// The OOM score can be raised, though the process is not dumpable when that has to be done.
func TestRootlessOOMScore(t *testing.T) {
	r := newUserCLI(t)
	score := 321
	b := newBundle(t, Rootless, Args("sleep", "1000"), Process(func(p *specs.Process) { p.OOMScoreAdj = &score }))
	id := r.Started(b)
	if got := readFile(t, fmt.Sprintf("/proc/%d/oom_score_adj", r.State(id).Pid)); got != "321" {
		t.Errorf("oom_score_adj is %s", got)
	}
	if underTest.kind == Dhow { // runc's exec leaves it as it is
		r.Must("exec", id, "cat", "/proc/self/oom_score_adj").Printed("321")
	}
}

// A mapping of subordinate ids takes newuidmap and newgidmap; supplementary groups come with it.
func TestRootlessSubordinateIDs(t *testing.T) {
	needMappers(t)
	r := newUserCLI(t)
	f := r.Run(newBundle(t, Subordinate, probe("dump"), User(1000, 1000))).Facts()
	if f.UID != 1000 || f.GID != 1000 {
		t.Errorf("uid %d, gid %d", f.UID, f.GID)
	}
	if want := fmt.Sprintf("0 %d 1 1 %d %d", userID, firstSub, subCount); strings.Join(strings.Fields(f.UIDMap), " ") != want {
		t.Errorf("uid map %q, want %s", f.UIDMap, want)
	}
	b := newBundle(t, Subordinate, Args("sleep", "1000"), User(5, 6))
	id := r.Started(b)
	if uid := ownerOf(t, fmt.Sprintf("/proc/%d", r.State(id).Pid)); uid != firstSub+4 {
		t.Errorf("uid 5 of the container is %d on the host", uid)
	}
	if underTest.kind == Dhow { // runc's exec cannot open the namespaces of a process of another user, and refuses groups in any case
		r.Must("exec", "--user", "1000:50", id, "id", "-u").Printed("1000")
		f = r.Run(newBundle(t, Subordinate, probe("dump"), User(1000, 1000, 50, 60))).Facts()
		if fmt.Sprint(f.Groups) != "[50 60]" {
			t.Errorf("groups %v", f.Groups)
		}
	}
}

// The files of a container whose root is a subordinate id are out of the user's own reach, not out of its own.
func TestRootlessRootIsSubordinate(t *testing.T) {
	needMappers(t)
	onlyDhow(t, "changes the owner of its socket for start, which is not permitted")
	r := newUserCLI(t)
	b := newBundle(t, Subordinate, Shell("id -u; stat -c %u /etc/passwd"))
	l := b.Spec.Linux
	l.UIDMappings = []specs.LinuxIDMapping{{HostID: firstSub, Size: subCount}}
	l.GIDMappings = l.UIDMappings
	must(t, b.Save())
	must(t, filepath.WalkDir(b.Rootfs(), func(path string, _ os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Lchown(path, firstSub, firstSub)
	}))
	r.Run(b).Exited(0).Printed("0\n0")
}

// Errors name what is missing, and why.
func TestRootlessMappingErrors(t *testing.T) {
	needMappers(t)
	onlyDhow(t, "says less")
	r := newUserCLI(t)
	outside := newBundle(t, Subordinate)
	outside.Spec.Linux.UIDMappings[1].HostID = 200000
	must(t, outside.Save())
	r.Run(outside).Failed("cannot map users (linux.uidMappings): newuidmap: ", "uid range", "/etc/subuid gives user 54321 300000-365535").Exited(1)

	env := r.Env
	r.Env = append([]string{"PATH=/nowhere"}, env[1:]...)
	r.Run(newBundle(t, Subordinate)).Failed("cannot map groups (linux.gidMappings): newgidmap is not in $PATH", "uidmap", "own id 54321").Exited(1)
	r.Run(newBundle(t, Rootless)).Exited(0) // which needs none
	r.Env = env

	r.Run(newBundle(t, Rootless, User(0, 0, 0))).Failed("cannot set any additional groups in a rootless container (process.user.additionalGids)")
	r.Run(newBundle(t)).Failed("cannot run this container as user 54321 (linux.namespaces)", "requires a user namespace", "spec --rootless")
	r.Run(newBundle(t, Rootless, Mount("tmpfs", "x", "/x", "gid=5"))).Failed("gid=5 (mounts[6].options[0])", "not in linux.gidMappings")
	if left := containersIn(r.Root); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestRootlessHooks(t *testing.T) {
	onlyDhow(t, "runs startContainer hooks after those of poststart")
	r := newUserCLI(t)
	log := newHookLog(t)
	b := newBundle(t, log.all(), Rootless)
	must(t, os.Chmod(log.dir, 0o777))
	reachable(filepath.Dir(log.dir))
	r.Run(b).Exited(0)
	if got, want := log.Names(), "prestart createRuntime createRuntime2 createContainer startContainer poststart poststop"; got != want {
		t.Errorf("hooks %s, want %s", got, want)
	}
}
