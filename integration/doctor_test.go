package integration

import (
	"encoding/json"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/runtime/doctor"
)

// consult runs `runtime doctor --format json`.
func consult(t *testing.T, cmd *exec.Cmd) []doctor.Finding {
	t.Helper()
	out, err := cmd.Output()
	var list []doctor.Finding
	if e := json.Unmarshal(out, &list); e != nil || len(list) == 0 {
		t.Fatalf("not a list of findings: %v, %v\n%s", e, err, out)
	}
	if healthy := doctor.Healthy(list); healthy != (err == nil) {
		t.Errorf("healthy: %v, exit: %v", healthy, err)
	}
	return list
}

func findingOn(list []doctor.Finding, s doctor.Status, subject, text string) bool {
	return slices.ContainsFunc(list, func(f doctor.Finding) bool {
		return f.Status == s && strings.HasPrefix(f.Subject, subject) && strings.Contains(f.Text+" "+f.Advice, text)
	})
}

// The doctor finds nothing against what runs, and finds what does not.
func TestDoctorOnBundles(t *testing.T) {
	onlyDhow(t, "no peer has a doctor")
	t.Parallel()
	r := newCLI(t)
	healthy := newBundle(t, Args("true"))
	if list := consult(t, r.Command("doctor", "--format", "json", healthy.Dir)); !doctor.Healthy(list) {
		t.Errorf("a bundle that runs: %+v", list)
	}
	r.Do("run", "--bundle", healthy.Dir, r.ID()).Exited(0)

	for name, c := range map[string]struct {
		edit          Edit
		subject, text string
	}{
		"source":      {Bind("/no-such/x", "/mnt"), "mounts[6].source", "the host has no /no-such"},
		"type":        {Mount("nosuchfs", "none", "/mnt"), "mounts[6].type", "no file system type"},
		"layer":       {Mount("overlay", "overlay", "/mnt", "lowerdir=/tmp:/no-such"), "mounts[6].options[0]", `nothing named "no-such"`},
		"program":     {Args("nosuch"), "process.args[0]", `no "nosuch"`},
		"interpreter": {both(File("bin/x", "#!/bin/python", 0o755), Args("x")), "process.args[0]", "a script for /bin/python"},
		"permission":  {both(File("bin/x", "#!/bin/sh", 0o644), Args("x")), "process.args[0]", "no execute permission"},
		"hook":        {func(b *Bundle) { b.Spec.Hooks = &specs.Hooks{Poststop: []specs.Hook{{Path: "/no-such"}}} }, "hooks.poststop[0].path", "no-such"},
		"namespace":   {Namespace(specs.NetworkNamespace, "/proc/self/ns/uts"), "linux.namespaces", "is not a network namespace"},
		"config":      {Cwd("relative"), "/process/cwd", ""},
		"controller": {Resources(func(r *specs.LinuxResources) {
			r.Network = &specs.LinuxNetwork{ClassID: new(uint32(1))}
		}), "linux.resources.network", "net_cls"},
		"processors": {Resources(func(r *specs.LinuxResources) { r.CPU = &specs.LinuxCPU{Cpus: "4000"} }), "linux.resources.cpu.cpus", "the processors to choose from are 0"},
		"nodes":      {Resources(func(r *specs.LinuxResources) { r.CPU = &specs.LinuxCPU{Mems: "1000"} }), "linux.resources.cpu.mems", "the memory nodes to choose from are 0"},
		"policy": {Linux(func(l *specs.Linux) { l.MemoryPolicy = &specs.LinuxMemoryPolicy{Mode: "MPOL_BIND", Nodes: "1000"} }),
			"linux.memoryPolicy.nodes", "the memory nodes to choose from are 0"},
		"huge page": {Resources(func(r *specs.LinuxResources) {
			r.HugepageLimits = []specs.LinuxHugepageLimit{{Pagesize: "3MB"}}
		}), "linux.resources.hugepageLimits[0]", "no huge pages of 3MB"},
		"network device": {Linux(func(l *specs.Linux) { l.NetDevices = map[string]specs.LinuxNetDevice{"nosuch0": {}} }),
			`linux.netDevices["nosuch0"]`, "no such device"},
		"seccomp agent": {Linux(func(l *specs.Linux) {
			l.Seccomp = &specs.LinuxSeccomp{DefaultAction: specs.ActAllow, ListenerPath: "/no-such/agent.sock",
				Syscalls: []specs.LinuxSyscall{{Names: []string{"mkdir"}, Action: specs.ActNotify}}}
		}), "linux.seccomp.listenerPath", "the host has no /no-such"},
		"throttle": {Resources(func(r *specs.LinuxResources) {
			d := specs.LinuxThrottleDevice{Rate: 1}
			d.Major, d.Minor = 250, 250
			r.BlockIO = &specs.LinuxBlockIO{ThrottleReadBpsDevice: []specs.LinuxThrottleDevice{d}}
		}), "linux.resources.blockIO.throttleReadBpsDevice[0]", "no block device 250:250"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBundle(t, c.edit)
			list := consult(t, newCLI(t).Command("doctor", "--format", "json", b.Dir))
			if !findingOn(list, doctor.Problem, c.subject, c.text) {
				t.Errorf("no problem of %s with %q: %+v", c.subject, c.text, list)
			}
		})
	}
}

// The doctor sees the host as the caller does.
func TestDoctorOnTheHost(t *testing.T) {
	onlyDhow(t, "no peer has a doctor")
	t.Parallel()
	empty := t.TempDir()
	for name, c := range map[string]struct {
		with    []string
		before  string
		status  doctor.Status
		subject string
		text    string
	}{
		"as it is":       {nil, "", doctor.OK, "kernel", "Linux "},
		"masked procfs":  {[]string{"--mount"}, "mount -t tmpfs none /proc/sys/kernel", doctor.Warning, "procfs", "/proc/sys/kernel"},
		"memfd":          {[]string{"--pid", "--fork", "--mount-proc"}, "echo 2 > /proc/sys/vm/memfd_noexec", doctor.Problem, "memfd", "vm.memfd_noexec"},
		"few files":      {nil, "ulimit -n 64", doctor.Warning, "limits", "64 open files"},
		"read-only root": {[]string{"--mount"}, "mount -t tmpfs -o ro none " + empty + "; set -- \"$1\" --root " + empty + "/x doctor --format json", doctor.Problem, "--root", "read-only"},
		"no userns":      {[]string{"--user", "--map-root-user"}, "echo 0 > /proc/sys/user/max_user_namespaces", doctor.Warning, "namespaces", "max_user_namespaces is 0"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if path := "/proc/sys/vm/memfd_noexec"; strings.Contains(c.before, path) {
				onlyWhereIs(t, path)
			}
			r := newCLI(t)
			must(t, os.MkdirAll(r.Root, 0o700))
			args := append(slices.Clone(c.with), "sh", "-ec", c.before+"\nexec \"$@\"", "sh")
			cmd := exec.Command("unshare", append(args, r.Command("doctor", "--format", "json").Args...)...)
			if list := consult(t, cmd); !findingOn(list, c.status, c.subject, c.text) {
				t.Errorf("no %s of %s with %q: %+v", c.status, c.subject, c.text, list)
			}
		})
	}
}

// The thread of this test gives its capabilities up, and ends with it.
func TestDoctorWithoutCapabilities(t *testing.T) {
	onlyDhow(t, "no peer has a doctor")
	t.Parallel()
	r := newCLI(t)
	must(t, os.MkdirAll(r.Root, 0o700))
	runtime.LockOSThread()
	for _, c := range []uintptr{unix.CAP_SYS_ADMIN, unix.CAP_NET_ADMIN} {
		must(t, unix.Prctl(unix.PR_CAPBSET_DROP, c, 0, 0, 0))
	}
	if list := consult(t, r.Command("doctor", "--format", "json")); !findingOn(list, doctor.Problem, "user", "CAP_SYS_ADMIN, CAP_NET_ADMIN") {
		t.Errorf("the capabilities are not missed: %+v", list)
	}
}

func TestDoctorTable(t *testing.T) {
	onlyDhow(t, "no peer has a doctor")
	t.Parallel()
	r := newCLI(t)
	res := r.Do("doctor", newBundle(t, Args("nosuch")).Dir).Exited(1)
	if !strings.Contains(res.Stdout, "\nproblem  process.args[0]: ") {
		t.Errorf("printed %s", res.Stdout)
	}
	r.Do("doctor", "/no/such/bundle").Exited(1)
}

// A bundle whose mount points the root of its user namespace cannot make.
func TestDoctorOnAForeignRoot(t *testing.T) {
	onlyDhow(t, "no peer has a doctor")
	t.Parallel()
	b := newBundle(t, MappedUser, foreignRoot)
	if list := consult(t, newCLI(t).Command("doctor", "--format", "json", b.Dir)); !findingOn(list, doctor.Warning, "root.path", "belongs to user 0") {
		t.Errorf("the owner is not mentioned: %+v", list)
	}
}

// Who is not root and asks for a limit needs a group of its own, or the doctor says so.
func TestDoctorOnLimitsOfAUser(t *testing.T) {
	onlyDhow(t, "no peer has a doctor")
	needV1(t, "pids")
	t.Parallel()
	b := newBundle(t, mapNobody, Resources(func(r *specs.LinuxResources) { r.Pids = &specs.LinuxPids{Limit: new(int64(10))} }))
	r := newCLI(t)
	r.Root = worldWritable(t)
	cmd := r.Command("doctor", "--format", "json", b.Dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	if list := consult(t, cmd); !findingOn(list, doctor.Problem, "linux.resources", "cannot be made") {
		t.Errorf("no problem of the group: %+v", list)
	}
}

func TestDoctorOnAScoreBelowItsOwn(t *testing.T) {
	onlyDhow(t, "no peer has a doctor")
	t.Parallel()
	b := newBundle(t, Process(func(p *specs.Process) { p.OOMScoreAdj = new(-999) }))
	r := newCLI(t)
	runtime.LockOSThread()
	must(t, unix.Prctl(unix.PR_CAPBSET_DROP, unix.CAP_SYS_RESOURCE, 0, 0, 0))
	if list := consult(t, r.Command("doctor", "--format", "json", b.Dir)); !findingOn(list, doctor.Warning, "process.oomScoreAdj", "a lower score takes CAP_SYS_RESOURCE") {
		t.Errorf("the score is not mentioned: %+v", list)
	}
}
