package integration

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/runtime/diagnose"
	"github.com/dhow-containers/dhow/spec"
)

// mishap is a way to make a container fail, with the reason that the error is to give.
type mishap struct {
	edit   Edit
	before string   // shell commands of root before the runtime is executed, in namespaces of unshare
	with   []string // unshare's flags for them
	hint   string   // part of the hint
	code   string   // of the error object
	field  string   // its beginning
	run    func(t *testing.T, r *cli, b *Bundle) *result
}

// inUserNamespace is a user namespace that maps root to root, and nobody else.
var inUserNamespace = []string{"--user", "--map-root-user", "--mount", "--pid", "--fork", "--mount-proc"}

// mishaps has an entry for each rule of package diagnose.
var mishaps = map[string]mishap{
	"exec-not-in-path": {edit: both(File("sbin/tool", "x", 0o755), Args("tool"), Process(func(p *specs.Process) { p.Env = []string{"PATH=/bin"} })),
		hint: "it is at /sbin/tool", code: "exec", field: "process.args"},
	"exec-absent":       {edit: both(Symlink("/nowhere", "bin/lost"), Args("/bin/lost")), hint: "symbolic link to /nowhere", code: "exec", field: "process.args"},
	"exec-interpreter":  {edit: both(File("bin/script", "#!/usr/bin/python3\n", 0o755), Args("/bin/script")), hint: "a script for /usr/bin/python3", code: "exec", field: "process.args"},
	"exec-architecture": {edit: both(File("bin/script", "echo\n", 0o755), Args("/bin/script")), hint: "neither an ELF file nor a script", code: "exec", field: "process.args"},
	"exec-denied":       {edit: both(File("bin/data", "x", 0o640), Args("/bin/data")), hint: "/bin/data has no execute permission (mode 0640)", code: "exec", field: "process.args"},
	"exec-busy":         {edit: Args("/bin/busybox"), run: whileWritten, hint: "open for writing", code: "exec", field: "process.args"},
	"exec-too-long":     {edit: Env("LONG=" + strings.Repeat("x", 1<<17)), hint: "the kernel takes 131071", code: "exec", field: "process.args"},
	"cwd-denied": {edit: both(MappedUser, Dir("priv"), mode("priv", 0o700), Dir("priv/sub"), Cwd("/priv/sub")),
		hint: "may not pass /priv: it has mode 0700, user 0", code: "cwd", field: "process.cwd"},

	"mount-source-absent": {edit: Bind("/tmp/no-such/deeper", "/mnt"), hint: "the host has no /tmp/no-such", code: "mount", field: "mounts["},
	"mount-option-path":   {edit: Mount("overlay", "overlay", "/mnt", "lowerdir=/proc:/no-such-layer"), hint: `the host has /, and nothing named "no-such-layer" in it`, code: "mount", field: "mounts["},
	"mount-unknown-type":  {edit: Mount("nosuchfs", "none", "/mnt"), hint: `no file system type "nosuchfs"`, code: "mount", field: "mounts["},
	"mount-procfs-masked": {edit: MappedUser, with: []string{"--mount"}, before: "mount -t tmpfs none /proc/sys", hint: "here /proc/sys is mounted over", code: "mount", field: "mounts["},
	"mount-sysfs-netns":   {edit: both(MappedUser, NoNamespace(specs.NetworkNamespace)), hint: "only its owner can mount it", code: "mount", field: "mounts["},
	"mount-not-in-userns": {edit: both(MappedUser, Mount("debugfs", "none", "/mnt")), hint: "may not allow to mount debugfs", code: "mount", field: "mounts["},
	"mount-destination-readonly": {edit: both(Mount("tmpfs", "none", "/mnt", "ro"), Bind("/tmp", "/mnt/deeper")),
		hint: "/mnt/deeper does not exist in the container", code: "mount", field: "mounts["},
	"mount-destination-denied": {edit: both(MappedUser, foreignRoot, Bind("/tmp", "/new")), hint: "the root file system belongs to user 0, with mode 0755", code: "mount", field: "mounts["},

	"sysctl-absent": {edit: Linux(func(l *specs.Linux) { l.Sysctl = map[string]string{"net.nosuch": "1"} }), hint: "no such setting", code: "sysctl", field: "linux.sysctl"},
	"sysctl-value":  {edit: Linux(func(l *specs.Linux) { l.Sysctl = map[string]string{"net.ipv4.ip_forward": "abc"} }), hint: "does not take this value", code: "sysctl", field: "linux.sysctl"},
	"sysctl-denied": {edit: Linux(func(l *specs.Linux) { l.Sysctl = map[string]string{"net.ipv4.tcp_available_congestion_control": "x"} }),
		hint: "read-only", code: "sysctl", field: "linux.sysctl"},

	"namespaces-used-up":   {with: inUserNamespace, before: "echo 0 > /proc/sys/user/max_uts_namespaces", hint: "user.max_uts_namespaces is 0", code: "namespace", field: "linux.namespaces"},
	"too-many-processes":   {run: underPidsLimit, hint: "may hold", code: "namespace", field: "linux.namespaces"},
	"memfd-noexec":         {with: []string{"--pid", "--fork", "--mount-proc"}, before: "echo 2 > /proc/sys/vm/memfd_noexec", hint: "vm.memfd_noexec is 2", code: "failed"},
	"namespace-wrong-kind": {edit: Namespace(specs.NetworkNamespace, "/proc/self/ns/uts"), hint: "not a namespace of this type", code: "namespace", field: "linux.namespaces"},
	"id-map-denied":        {edit: MappedUser, with: inUserNamespace, hint: "not mapped in this user namespace itself", code: "namespace", field: "linux."},

	"rlimit-above-hard": {edit: Process(func(p *specs.Process) {
		p.Rlimits = []specs.POSIXRlimit{{Type: "RLIMIT_NOFILE", Soft: 1024, Hard: 1 << 40}}
	}), with: inUserNamespace, hint: "takes CAP_SYS_RESOURCE", code: "rlimit", field: "process.rlimits[0]"},
	"oom-score-below-own": {edit: Process(func(p *specs.Process) { p.OOMScoreAdj = new(-999) }), with: inUserNamespace, hint: "a lower score takes CAP_SYS_RESOURCE", code: "scheduling", field: "process.oomScoreAdj"},
	"scheduler-privilege": {edit: Process(func(p *specs.Process) { p.Scheduler = &specs.Scheduler{Policy: "SCHED_FIFO", Priority: 10} }),
		with: inUserNamespace, hint: "CAP_SYS_NICE", code: "scheduling", field: "process.scheduler"},
	"ioprio-privilege": {edit: Process(func(p *specs.Process) { p.IOPriority = &specs.LinuxIOPriority{Class: "IOPRIO_CLASS_RT", Priority: 1} }),
		with: inUserNamespace, hint: "CAP_SYS_ADMIN or CAP_SYS_NICE", code: "scheduling", field: "process.ioPriority"},

	"cpuset-outside-parent": {edit: Resources(func(r *specs.LinuxResources) { r.CPU = &specs.LinuxCPU{Cpus: "4000"} }), hint: "the processors to choose from are 0", code: "cgroup", field: "linux.resources.cpu"},
	"memory-policy-nodes": {edit: Linux(func(l *specs.Linux) { l.MemoryPolicy = &specs.LinuxMemoryPolicy{Mode: "MPOL_BIND", Nodes: "1000"} }),
		hint: "the memory nodes to choose from are 0", code: "scheduling", field: "linux.memoryPolicy"},
	"device-unknown": {edit: Resources(func(r *specs.LinuxResources) {
		d := specs.LinuxThrottleDevice{Rate: 1 << 20}
		d.Major, d.Minor = 250, 250
		r.BlockIO = &specs.LinuxBlockIO{ThrottleReadBpsDevice: []specs.LinuxThrottleDevice{d}}
	}), hint: "/proc/partitions", code: "cgroup", field: "linux.resources.blockIO"},

	"disk-full":         {run: rootOn("size=4k", 0), hint: "is full", code: "state", field: "--root"},
	"root-read-only":    {run: rootOn("ro", 0), hint: "choose another directory", code: "state", field: "--root"},
	"root-denied":       {edit: mapNobody, run: rootOn("mode=0700", 65534), hint: "a directory of your own", code: "state", field: "--root"},
	"too-many-files":    {edit: manyBinds(60), before: "ulimit -n 40", with: []string{"--mount"}, hint: "may have 40 open files", code: "mount", field: "mounts["},
	"interface-missing": {run: withoutFsopen, hint: "this kernel has no fsopen(2)", code: "mount", field: "mounts["},
}

// elsewhere are the rules that cannot be provoked on this kind of host, with the test that does, or the reason.
var elsewhere = map[string]string{
	"pivot-on-initramfs":   "only the first root of a machine is an initramfs",
	"cgroup-read-only":     "TestUnifiedHints",
	"cgroup-not-delegated": "TestUnifiedHints",
	"apparmor-not-loaded":  "TestAppArmorFails",
	"userns-forbidden":     "TestHintOnForbiddenUserNamespaces",
	"criu-too-old":         "TestHintsOfCRIU",
	"criu-needs-tmp":       "TestHintsOfCRIU",
}

// What an error object and its hint say, each rule provoked.
func TestHints(t *testing.T) {
	onlyDhow(t, "no peer has hints")
	t.Parallel()
	for _, rule := range diagnose.Rules() {
		m, ok := mishaps[rule]
		if !ok && elsewhere[rule] == "" {
			t.Errorf("no test provokes the rule %s", rule)
		}
		if ok {
			t.Run(rule, func(t *testing.T) { m.check(t, rule) })
		}
	}
}

func (m *mishap) check(t *testing.T, rule string) {
	t.Parallel()
	if rule == "memfd-noexec" {
		onlyWhereIs(t, "/proc/sys/vm/memfd_noexec") // Linux 6.3
	}
	edits := []Edit{Args("true")}
	if m.edit != nil {
		edits = append(edits, m.edit)
	}
	if slices.Contains(m.with, "--user") { // which maps no group 5
		edits = append(edits, NoMount("/dev/pts"))
	}
	r, b := newCLI(t), newBundle(t, edits...)
	run := m.run
	if run == nil {
		run = func(_ *testing.T, r *cli, b *Bundle) *result {
			return r.DoCommand(m.command(r, "run", "--bundle", b.Dir, r.ID()))
		}
	}
	res := run(t, r, b)
	e := errorObject(t, res)
	if e.Rule != rule || !strings.Contains(e.Hint, m.hint) || e.Code != m.code || !strings.HasPrefix(e.Field, m.field) {
		t.Errorf("got rule %q, code %q, field %q, hint %q; want %q, %q, %q, %q\n%s", e.Rule, e.Code, e.Field, e.Hint, rule, m.code, m.field, m.hint, res.Stderr)
	}
	if !strings.HasSuffix(e.Msg, "; hint: "+e.Hint) {
		t.Errorf("the message does not end with the hint: %s", e.Msg)
	}
}

// command is a call with errors in JSON, in the surroundings of m.
func (m *mishap) command(r *cli, args ...string) *exec.Cmd {
	cmd := r.Command(append([]string{"--log-format", "json"}, args...)...)
	if m.with == nil {
		return cmd
	}
	script := append(slices.Clone(m.with), "sh", "-ec", m.before+"\nexec \"$@\"", "sh")
	wrapped := exec.Command("unshare", append(script, cmd.Args...)...)
	wrapped.WaitDelay = cmd.WaitDelay
	return wrapped
}

// object is an error as --log-format json writes it.
type object struct {
	Level, Msg, Code, Field, Syscall, Errno, Hint, Rule string
	Step                                                *int
	Fields, Kernel                                      []string
}

// errorObject is the last record of what was printed.
func errorObject(t *testing.T, res *result) *object {
	t.Helper()
	all := lines(res.Stderr)
	var e object
	if err := json.Unmarshal([]byte(all[len(all)-1]), &e); err != nil || e.Level != "error" {
		t.Fatalf("not an error object: %v\n%s", err, res.Stderr)
	}
	return &e
}

func mode(name string, mode os.FileMode) Edit {
	return func(b *Bundle) { Must(os.Chmod(filepath.Join(b.Rootfs(), name), mode)) }
}

// foreignRoot gives the root file system itself to a user that MappedUser does not map.
func foreignRoot(b *Bundle) {
	Must(os.Chown(b.Rootfs(), 0, 0))
	Must(os.Chmod(b.Rootfs(), 0o755))
}

func manyBinds(n int) Edit {
	return func(b *Bundle) {
		for i := range n {
			Bind("/tmp", fmt.Sprint("/mnt", i))(b)
		}
	}
}

func runJSON(r *cli, b *Bundle) *exec.Cmd {
	return (&mishap{}).command(r, "run", "--bundle", b.Dir, r.ID())
}

func whileWritten(t *testing.T, r *cli, b *Bundle) *result {
	f, err := os.OpenFile(filepath.Join(b.Rootfs(), "bin/busybox"), os.O_WRONLY, 0)
	must(t, err)
	defer f.Close()
	return r.DoCommand(runJSON(r, b))
}

func asNobody(t *testing.T, r *cli, b *Bundle) *result {
	r.Root = worldWritable(t)
	return r.DoCommand(asUser(runJSON(r, b), 65534))
}

// mapNobody makes a container that user 65534 can run: in a user namespace that maps no other id.
func mapNobody(b *Bundle) {
	MappedUser(b)
	one := []specs.LinuxIDMapping{{ContainerID: 0, HostID: 65534, Size: 1}}
	b.Spec.Linux.UIDMappings, b.Spec.Linux.GIDMappings = one, one
	b.Spec.Linux.Resources = &specs.LinuxResources{}
	NoMount("/dev/pts")(b)
}

// Not in parallel: other users make namespaces too.
func TestHintOnForbiddenUserNamespaces(t *testing.T) {
	onlyDhow(t, "no peer has hints")
	needRoot(t)
	const setting = "/proc/sys/kernel/unprivileged_userns_clone"
	if !exists(setting) {
		skip(t, "only Debian's kernels have "+setting)
	}
	before := readFile(t, setting)
	must(t, os.WriteFile(setting, []byte("0"), 0o644))
	defer func() { must(t, os.WriteFile(setting, []byte(before), 0o644)) }()
	res := asNobody(t, newCLI(t), newBundle(t, Args("true"), mapNobody))
	if e := errorObject(t, res); e.Rule != "userns-forbidden" || !strings.Contains(e.Hint, "kernel.unprivileged_userns_clone is 0") {
		t.Errorf("got %+v", e)
	}
}

// rootOn puts --root on a tmpfs with these options.
func rootOn(options string, uid uint32) func(*testing.T, *cli, *Bundle) *result {
	return func(t *testing.T, r *cli, b *Bundle) *result {
		dir := t.TempDir()
		must(t, os.Chmod(filepath.Dir(dir), 0o755))
		must(t, os.Chmod(dir, 0o755))
		must(t, unix.Mount("none", dir, "tmpfs", 0, strings.TrimPrefix(options, "ro")))
		t.Cleanup(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) })
		if options == "size=4k" {
			must(t, os.WriteFile(filepath.Join(dir, "ballast"), make([]byte, 4096), 0o600))
		}
		if options == "ro" {
			must(t, unix.Mount("", dir, "", unix.MS_REMOUNT|unix.MS_RDONLY, ""))
		}
		r.Root = filepath.Join(dir, "state")
		cmd := runJSON(r, b)
		r.Root = t.TempDir() // for the clean-up
		return r.DoCommand(asUser(cmd, uid))
	}
}

// underPidsLimit runs in a cgroup with room for the threads of the runtime and no more; how many these are differs, and
// when Go itself wants one more it ends the runtime.
func underPidsLimit(t *testing.T, r *cli, b *Bundle) *result {
	dir := "/sys/fs/cgroup/pids/" + r.ID() + "-limit"
	if err := os.Mkdir(dir, 0o755); err != nil {
		skip(t, "needs the pids controller of cgroup v1")
	}
	// The child of a runtime that got no thread ends by itself, a moment after it.
	defer await(t, "the group to be empty", func() bool { return os.Remove(dir) == nil })
	var res *result
	for try := range 100 {
		limit := try % 20
		must(t, os.WriteFile(dir+"/pids.max", []byte(itoa(limit+2)), 0o644))
		cmd := runJSON(r, b)
		wrapped := exec.Command("sh", append([]string{"-c", `echo $$ > "$1/cgroup.procs"; shift; exec "$@"`, "sh", dir}, cmd.Args...)...)
		if res = r.DoCommand(wrapped); strings.Contains(res.Stderr, "cannot clone") {
			break
		}
		r.Do("delete", "--force", cmd.Args[len(cmd.Args)-1]) // of a runtime that Go ended for want of a thread
	}
	return res
}

// withoutFsopen runs in a container that has the host's files, and a filter that answers ENOSYS to fsopen(2), as old
// seccomp profiles do. They are bound in a mount namespace of its own: other tests must not find copies of their mounts.
func withoutFsopen(t *testing.T, r *cli, b *Bundle) *result {
	host := filepath.Join(t.TempDir(), "host")
	must(t, os.Mkdir(host, 0o755))
	errno := uint(unix.ENOSYS)
	outer := newBundle(t, func(o *Bundle) {
		o.Spec.Root.Path, o.Spec.Mounts, o.Spec.Hostname = host, nil, ""
		o.Spec.Linux = &specs.Linux{
			Namespaces: []specs.LinuxNamespace{{Type: specs.MountNamespace}},
			Seccomp: &specs.LinuxSeccomp{DefaultAction: specs.ActAllow, Syscalls: []specs.LinuxSyscall{
				{Names: []string{"fsopen"}, Action: specs.ActErrno, ErrnoRet: &errno},
			}},
		}
		all := capabilities()
		o.Spec.Process.Capabilities = &specs.LinuxCapabilities{Bounding: all, Effective: all, Permitted: all, Inheritable: all}
		o.Spec.Process.Args = runJSON(r, b).Args
	})
	bind := []string{"--mount", "sh", "-ec", "mount --rbind / " + host + "\nexec \"$@\"", "sh"}
	return r.DoCommand(exec.Command("unshare", append(bind, r.Command("run", "--bundle", outer.Dir, r.ID()).Args...)...))
}

// capabilities are those that this process has.
func capabilities() []string {
	var list []string
	for bit := range uint(unix.CAP_LAST_CAP + 1) {
		if has, err := unix.PrctlRetInt(unix.PR_CAPBSET_READ, uintptr(bit), 0, 0, 0); err == nil && has == 1 {
			list = append(list, spec.CapabilityName(bit))
		}
	}
	return list
}

// worldWritable is a directory that every user may make files in.
func worldWritable(t *testing.T) string {
	dir := t.TempDir()
	must(t, os.Chmod(filepath.Dir(dir), 0o755))
	must(t, os.Chmod(dir, 0o777))
	return dir
}

func asUser(cmd *exec.Cmd, uid uint32) *exec.Cmd {
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: uid}}
	return cmd
}

// The same for what needs a cgroup2 mount.
func TestUnifiedHints(t *testing.T) {
	onlyDhow(t, "no peer has hints")
	if !unified(t) {
		return
	}
	for rule, m := range map[string]mishap{
		"cgroup-read-only":     {with: []string{"--mount"}, before: "mount -o remount,bind,ro /sys/fs/cgroup", hint: "mounted read-only", code: "cgroup", field: "linux."},
		"cgroup-not-delegated": {edit: both(mapNobody, Resources(func(r *specs.LinuxResources) { r.Unified = map[string]string{"cgroup.max.depth": "3"} })), run: asNobody, hint: "user 65534 may not write there", code: "cgroup", field: "linux."},
	} {
		t.Run(rule, func(t *testing.T) { m.check(t, rule) })
	}
}

// criu's own words, and what they mean.
func TestHintsOfCRIU(t *testing.T) {
	onlyDhow(t, "no peer has hints")
	t.Parallel()
	t.Run("criu-needs-tmp", func(t *testing.T) {
		s := newSaved(t, []string{"count"}, func(b *Bundle) {
			b.Spec.Root.Readonly = true
			must(t, os.Remove(filepath.Join(b.Rootfs(), "tmp")))
		})
		s.checkpoint().Exited(0)
		e := errorObject(t, s.Do("--log-format", "json", "restore", "--image-path", s.images, "--bundle", s.b.Dir, s.id))
		if e.Rule != "criu-needs-tmp" || e.Code != "criu" {
			t.Errorf("got %+v", e)
		}
	})
	t.Run("criu-too-old", func(t *testing.T) {
		old, err := exec.LookPath("criu")
		if err != nil {
			skip(t, "needs a criu that is too old for this kernel, as Debian 12 has it")
		}
		s := newSaved(t, []string{"count"})
		s.Env = append(os.Environ(), "PATH="+filepath.Dir(old)+":"+os.Getenv("PATH"))
		res := s.Do("--log-format", "json", "checkpoint", "--leave-running", "--image-path", s.images, s.id)
		if res.Code == 0 {
			skip(t, "this host's criu knows its kernel")
		}
		if e := errorObject(t, res); e.Rule != "criu-too-old" || e.Code != "criu" {
			t.Errorf("got %+v", e)
		}
	})
}
