package integration

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

func TestUserAndGroups(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	f := r.Run(newBundle(t, probe("dump"), User(1000, 50, 5, 6, 7))).Facts()
	slices.Sort(f.Groups)
	if f.UID != 1000 || f.GID != 50 || !slices.Equal(slices.DeleteFunc(f.Groups, func(g int) bool { return g == 50 }), []int{5, 6, 7}) {
		t.Errorf("uid %d gid %d groups %v", f.UID, f.GID, f.Groups)
	}
}

func TestNoGroupsOfTheCaller(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	f := r.Run(newBundle(t, probe("dump"), User(1000, 1000))).Facts()
	if len(slices.DeleteFunc(f.Groups, func(g int) bool { return g == 1000 })) != 0 {
		t.Errorf("groups %v", f.Groups)
	}
}

func TestUmask(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	for _, mask := range []uint32{0o022, 0o077, 0} {
		f := r.Run(newBundle(t, probe("dump"), Process(func(p *specs.Process) { p.User.Umask = &mask }))).Facts()
		if f.Umask != int(mask) {
			t.Errorf("umask %#o, want %#o", f.Umask, mask)
		}
	}
}

func TestCwd(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	if f := r.Run(newBundle(t, probe("dump"), Dir("srv/data"), Cwd("/srv/data"))).Facts(); f.Cwd != "/srv/data" {
		t.Errorf("cwd %q", f.Cwd)
	}
	if f := r.Run(newBundle(t, probe("dump"), Cwd("/new/made"))).Facts(); f.Cwd != "/new/made" {
		t.Errorf("cwd that did not exist: %q", f.Cwd)
	}
}

// The directory belongs to root and is closed to others, as with a home that only its user enters.
func TestCwdThatOnlyTheUserMayEnter(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	b := newBundle(t, Shell("pwd"), User(1000, 1000), Cwd("/home/worker"), Dir("home/worker"), func(b *Bundle) {
		b.Spec.Process.Capabilities = nil
		Must(os.Chown(b.Rootfs()+"/home/worker", 1000, 1000))
		Must(os.Chmod(b.Rootfs()+"/home/worker", 0o700))
	})
	r.Run(b).Exited(0).Printed("/home/worker")
}

func TestEnvironment(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	r.Env = append(os.Environ(), "OF_THE_CALLER=1")
	f := r.Run(newBundle(t, probe("dump"), Env("A=1", "EMPTY=", "SPACE=a b", "EQ=x=y"))).Facts()
	for _, want := range []string{"A=1", "EMPTY=", "SPACE=a b", "EQ=x=y"} {
		if !slices.Contains(f.Env, want) {
			t.Errorf("environment lacks %s: %v", want, f.Env)
		}
	}
	if slices.Contains(f.Env, "OF_THE_CALLER=1") {
		t.Error("the caller's environment leaked")
	}
}

// PATH of the config, not of the caller, finds the program; HOME comes from the container's accounts.
func TestHomeOfTheUser(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	for uid, want := range map[uint32]string{0: "/root", 1000: "/home/worker", 4711: "/"} {
		r.Run(newBundle(t, Shell("echo $HOME"), User(uid, uid))).Exited(0).Printed(want)
	}
	r.Run(newBundle(t, Shell("echo $HOME"), Env("HOME=/mine"))).Exited(0).Printed("/mine")
}

func TestArguments(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	f := r.Run(newBundle(t, probe("dump", "", "a b", "*", "é", "-x"))).Facts()
	if !slices.Equal(f.Args[1:], []string{"dump", "", "a b", "*", "é", "-x"}) {
		t.Errorf("arguments %q", f.Args)
	}
}

func TestCapabilities(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	net, kill, chown := "CAP_NET_RAW", "CAP_KILL", "CAP_CHOWN"
	for name, c := range map[string]struct {
		uid uint32
		set specs.LinuxCapabilities
		// inheritable, permitted, effective, bounding, ambient as seen by the program
		want [5]uint64
	}{
		"none": {},
		"root": {
			set:  specs.LinuxCapabilities{Bounding: []string{net, kill, chown}, Permitted: []string{net, kill}, Effective: []string{net}},
			want: [5]uint64{0, bits(net, kill), bits(net, kill), bits(net, kill, chown), 0}, // execve gives root all that is permitted
		},
		"user without ambient": {
			uid:  1000,
			set:  specs.LinuxCapabilities{Bounding: []string{net, kill}, Permitted: []string{net}, Effective: []string{net}},
			want: [5]uint64{0, 0, 0, bits(net, kill), 0},
		},
		"user with ambient": {
			uid: 1000,
			set: specs.LinuxCapabilities{
				Bounding: []string{net, kill}, Permitted: []string{net, kill}, Effective: []string{net, kill},
				Inheritable: []string{net, kill}, Ambient: []string{net},
			},
			want: [5]uint64{bits(net, kill), bits(net), bits(net), bits(net, kill), bits(net)},
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := &cli{t: t, Path: r.Path, Root: r.Root}
			f := r.Run(newBundle(t, probe("dump"), User(c.uid, c.uid), Process(func(p *specs.Process) { p.Capabilities = &c.set }))).Facts()
			for i, field := range []string{"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"} {
				if got := f.Status[field]; got != fmt.Sprintf("%016x", c.want[i]) {
					t.Errorf("%s %s, want %016x", field, got, c.want[i])
				}
			}
		})
	}
}

func bits(names ...string) uint64 {
	numbers := map[string]int{"CAP_NET_RAW": unix.CAP_NET_RAW, "CAP_KILL": unix.CAP_KILL, "CAP_CHOWN": unix.CAP_CHOWN}
	var mask uint64
	for _, name := range names {
		mask |= 1 << numbers[name]
	}
	return mask
}

func TestNoNewPrivileges(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	for set, want := range map[bool]string{true: "1", false: "0"} {
		f := r.Run(newBundle(t, probe("dump"), Process(func(p *specs.Process) { p.NoNewPrivileges = set }))).Facts()
		if f.Status["NoNewPrivs"] != want {
			t.Errorf("no_new_privs %s, want %s", f.Status["NoNewPrivs"], want)
		}
	}
}

// Limits can only be lowered here: the machines lack CAP_SYS_RESOURCE.
func TestRlimits(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	f := r.Run(newBundle(t, probe("dump"), Process(func(p *specs.Process) {
		p.Rlimits = []specs.POSIXRlimit{
			{Type: "RLIMIT_NOFILE", Soft: 100, Hard: 200}, {Type: "RLIMIT_CORE", Soft: 0, Hard: 0}, {Type: "RLIMIT_STACK", Soft: 1 << 20, Hard: 2 << 20},
			{Type: "RLIMIT_NPROC", Soft: 500, Hard: 600},
		}
	}))).Facts()
	for name, want := range map[string][2]uint64{
		"Max open files": {100, 200}, "Max core file size": {0, 0}, "Max stack size": {1 << 20, 2 << 20}, "Max processes": {500, 600},
	} {
		got := f.Rlimits[name]
		// Go raises its own soft limit of open files to the hard one; the hard one is the evidence.
		if got.Hard != want[1] || name != "Max open files" && got.Soft != want[0] {
			t.Errorf("%s: %+v, want %v", name, got, want)
		}
	}
	r.Run(newBundle(t, Shell("ulimit -n"), Process(func(p *specs.Process) {
		p.Rlimits = []specs.POSIXRlimit{{Type: "RLIMIT_NOFILE", Soft: 100, Hard: 200}}
	}))).Exited(0).Printed("100")
}

func TestOOMScoreAdj(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	score := 500
	f := r.Run(newBundle(t, probe("dump"), Process(func(p *specs.Process) { p.OOMScoreAdj = &score }))).Facts()
	if f.OOMScore != score {
		t.Errorf("oom_score_adj %d, want %d", f.OOMScore, score)
	}
}

func TestSessionKeyring(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	b := newBundle(t, Shell("grep -c _ses /proc/keys || true"), Linux(func(l *specs.Linux) { l.MaskedPaths = nil }))
	if res := r.Run(b).Exited(0); strings.TrimSpace(res.Stdout) == "0" {
		t.Errorf("no session keyring of its own: %q", res.Stdout)
	}
}

// longPath is a PATH of n directories; the busybox applet hostname is in the given ones, counted from 1.
func longPath(n int, in ...int) Edit {
	return func(b *Bundle) {
		var dirs []string
		for i := range n {
			dirs = append(dirs, "/p/"+itoa(i+1))
		}
		for _, i := range in {
			Symlink("/bin/busybox", "p/"+itoa(i)+"/hostname")(b)
		}
		Args("hostname")(b)
		b.Spec.Process.Env = []string{"PATH=" + strings.Join(dirs, ":")}
	}
}

func TestLongPath(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	for _, in := range []int{1, 255, 256, 257, 300} {
		r.Run(newBundle(t, longPath(300, in))).Exited(0).Printed("box")
	}
	r.Run(newBundle(t, longPath(300, 300, 256))).Exited(0).Printed("box")
	for _, n := range []int{255, 256, 300} {
		b := newBundle(t, longPath(n))
		r.Run(b).Failed(`exec: "hostname": executable file not found in $PATH`)
		r.Detached("create", "--bundle", b.Dir, r.ID()).Failed(`exec: "hostname": executable file not found in $PATH`)
	}
	b := newBundle(t, longPath(300, 256))
	path := b.Spec.Process.Env[0]
	must(t, os.Remove(b.Rootfs()+"/p/256/hostname"))
	Symlink("/bin/busybox", "p/300/hostname")(b)
	id := r.ID()
	r.Detached("create", "--bundle", b.Dir, id).Exited(0)
	r.Do("exec", "--env", path, id, "hostname").Exited(0).Printed("box")
	r.Do("exec", "--env", path, id, "nosuch").Failed(`exec: "nosuch": executable file not found in $PATH`)
}
