package plan

import (
	"encoding/binary"
	"encoding/json"
	"os"
	"strings"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// TestRefused: what cannot be done is refused with the field that asks for it, not ignored.
func TestRefused(t *testing.T) {
	mount := func(m specs.Mount) func(*specs.Spec) {
		return func(s *specs.Spec) { s.Mounts = []specs.Mount{m} }
	}
	for name, c := range map[string]struct {
		change func(*specs.Spec)
		want   string
	}{
		"no root":          {func(s *specs.Spec) { s.Root = nil }, "a config without root"},
		"mount label":      {func(s *specs.Spec) { s.Linux.MountLabel = "x" }, "(linux.mountLabel): SELinux is disabled"},
		"apparmor":         {func(s *specs.Spec) { s.Process.ApparmorProfile = "x" }, "(process.apparmorProfile): AppArmor is not enabled"},
		"selinux":          {func(s *specs.Spec) { s.Process.SelinuxLabel = "x" }, "(process.selinuxLabel): SELinux is disabled"},
		"chroot, mounts":   {func(s *specs.Spec) { s.Linux.Namespaces = nil; s.Mounts = make([]specs.Mount, 1) }, "cannot use mounts: it needs a mount namespace (linux.namespaces)"},
		"chroot, masks":    {func(s *specs.Spec) { s.Linux.Namespaces = nil; s.Linux.MaskedPaths = []string{"/x"} }, "cannot use linux.maskedPaths: it needs a mount namespace"},
		"chroot, readonly": {func(s *specs.Spec) { s.Linux.Namespaces = nil; s.Linux.ReadonlyPaths = []string{"/x"} }, "cannot use linux.readonlyPaths: it needs a mount namespace"},
		"chroot, root":     {func(s *specs.Spec) { s.Linux.Namespaces = nil; s.Root.Readonly = true }, "cannot use root.readonly: it needs a mount namespace"},
		"chroot, shared":   {func(s *specs.Spec) { s.Linux = &specs.Linux{RootfsPropagation: "shared"} }, "cannot use linux.rootfsPropagation: it needs a mount namespace"},
		"chroot, devices": {func(s *specs.Spec) {
			s.Linux.Namespaces[0].Type = specs.UserNamespace
			s.Linux.Devices = make([]specs.LinuxDevice, 1)
		}, "cannot use linux.devices in a user namespace: it needs a mount namespace"},
		"idmap words":      {mount(specs.Mount{Destination: "/a", Options: []string{"bind", "idmap=uids=1"}}), "(mounts[0].options[1]): \"1\" is not FIRST-FIRST-COUNT"},
		"copy-symlink":     {mount(specs.Mount{Destination: "/a", Type: "tmpfs", Options: []string{"copy-symlink"}}), "(mounts[0].options): copy-symlink is for bind mounts"},
		"tmpcopyup":        {mount(specs.Mount{Destination: "/a", Type: "ext4", Options: []string{"tmpcopyup"}}), "(mounts[0].options): tmpcopyup"},
		"over the root":    {mount(specs.Mount{Destination: "/a/..", Type: "tmpfs"}), "over the container's root (mounts[0].destination)"},
		"tmpfs on /proc":   {mount(specs.Mount{Destination: "//proc/", Type: "tmpfs"}), "only procfs may be mounted there"},
		"long option":      {mount(specs.Mount{Destination: "/a", Type: "overlay", Options: []string{"lowerdir=" + strings.Repeat("x", 4096)}}), "/a (mounts[0].options): with 4105 bytes they are longer than the kernel takes (4095)"},
		"option of a bind": {mount(specs.Mount{Destination: "/a", Source: "/b", Options: []string{"bind", "size=1"}}), `"size" (mounts[0].options[1])`},
		"remount, value":   {mount(specs.Mount{Destination: "/a", Type: "tmpfs", Options: []string{"remount", "size=1m"}}), `/a (mounts[0].options[1]): "size" is an option of the file system`},
		"remount, word":    {mount(specs.Mount{Destination: "/a", Options: []string{"ro", "sync", "remount"}}), `/a (mounts[0].options[1]): "sync" is an option of the file system`},
		"unmapped gid": {func(s *specs.Spec) {
			s.Linux = &specs.Linux{Namespaces: []specs.LinuxNamespace{{Type: specs.MountNamespace}, {Type: specs.UserNamespace}},
				GIDMappings: []specs.LinuxIDMapping{{HostID: 1000, Size: 1}}}
			s.Mounts = []specs.Mount{{Destination: "/dev/pts", Type: "devpts", Options: []string{"newinstance", "gid=5"}}}
		}, "devpts on /dev/pts with gid=5 (mounts[0].options[1]): the id is not in linux.gidMappings"},
		"no cgroup v2": {mount(specs.Mount{Destination: "/a", Type: "cgroup2"}), "no cgroup v2 tree"},
	} {
		t.Run(name, func(t *testing.T) {
			s := &specs.Spec{Root: &specs.Root{Path: "r"}, Process: &specs.Process{Args: []string{"x"}},
				Linux: &specs.Linux{Namespaces: []specs.LinuxNamespace{{Type: specs.MountNamespace}}}}
			c.change(s)
			p, err := Compile(&Input{Config: s})
			if err == nil || !strings.HasPrefix(err.Error(), "cannot ") || !strings.Contains(err.Error(), c.want) {
				t.Errorf("Compile gives %v and the error %v, want %q", p, err, c.want)
			}
		})
	}
}

func TestExecNeedsProcess(t *testing.T) {
	for _, process := range []*specs.Process{nil, {}} {
		if _, err := CompileExec(&Input{Config: &specs.Spec{Process: process}}, 1); err == nil || !strings.Contains(err.Error(), "process.args") {
			t.Errorf("CompileExec of %+v says %v", process, err)
		}
	}
}

// golden compiles one case of testdata.
func golden(t *testing.T, name string) *Program {
	t.Helper()
	for _, g := range goldenCases(t) {
		if g.name == name {
			return g.program
		}
	}
	t.Fatalf("no case %s", name)
	return nil
}

// argument returns argument n of the i-th step that makes the call.
func argument(t *testing.T, p *Program, call uint32, i, n int) Arg {
	t.Helper()
	steps := newFacts(p, &Input{}, false).calls(call)
	if i >= len(steps) {
		t.Fatalf("only %d steps call %s", len(steps), CallName(call))
	}
	return p.Steps[steps[i]].Args[n]
}

// TestStructures looks at what plan.txt does not show: the memory behind pointers.
func TestStructures(t *testing.T) {
	le := binary.NativeEndian
	attr := argument(t, golden(t, "scheduler"), unix.SYS_SCHED_SETATTR, 0, 1).Mem.Data
	if len(attr) != 56 || le.Uint32(attr) != 56 || le.Uint32(attr[4:]) != 6 || le.Uint64(attr[8:]) != 1 ||
		le.Uint64(attr[24:]) != 2000 || le.Uint64(attr[32:]) != 3000 || le.Uint64(attr[40:]) != 4000 {
		t.Errorf("struct sched_attr is %v", attr)
	}
	terminal := golden(t, "terminal")
	if size := argument(t, terminal, unix.SYS_IOCTL, 2, 2).Mem.Data; le.Uint16(size) != 25 || le.Uint16(size[2:]) != 80 {
		t.Errorf("struct winsize is %v", size)
	}
	if ifreq := argument(t, golden(t, "ns-new-network"), unix.SYS_IOCTL, 0, 2).Mem.Data; string(ifreq[:3]) != "lo\x00" || ifreq[16] != unix.IFF_UP {
		t.Errorf("struct ifreq is %v", ifreq)
	}
	if gids := argument(t, golden(t, "user-nonroot"), unix.SYS_SETGROUPS, 0, 1).Mem.Data; len(gids) != 8 || le.Uint32(gids) != 5 || le.Uint32(gids[4:]) != 44 {
		t.Errorf("the groups are %v", gids)
	}
	filter := argument(t, golden(t, "seccomp-nnp"), unix.SYS_SECCOMP, 0, 2).Mem
	if le.Uint16(filter.Data) != 3 || len(filter.Refs) != 1 || filter.Refs[0].Off != 8 || len(filter.Refs[0].To.Data) != 24 {
		t.Errorf("struct sock_fprog is %v, %v", filter.Data, filter.Refs)
	}
	message := argument(t, terminal, unix.SYS_SENDMSG, 0, 1).Mem
	if le.Uint64(message.Data[24:]) != 1 || le.Uint64(message.Data[40:]) != 24 || len(message.Refs) != 2 {
		t.Errorf("struct msghdr is %v, %v", message.Data, message.Refs)
	}
}

// TestAmbient: the capabilities that are raised, and that only the impossible ones may be refused.
func TestAmbient(t *testing.T) {
	p := golden(t, "user-nonroot")
	raised := map[uint64]bool{}
	for i := range p.Steps {
		if s := &p.Steps[i]; s.Op == Syscall && s.Call == unix.SYS_PRCTL && s.Args[0].Val == unix.PR_CAP_AMBIENT && s.Args[1].Val == unix.PR_CAP_AMBIENT_RAISE {
			raised[s.Args[2].Val] = s.Ok[0] == unix.EPERM
		}
	}
	want := map[uint64]bool{unix.CAP_NET_BIND_SERVICE: false, unix.CAP_KILL: true}
	if len(raised) != len(want) || raised[unix.CAP_NET_BIND_SERVICE] || !raised[unix.CAP_KILL] {
		t.Errorf("raised (and may fail): %v, want %v", raised, want)
	}
}

// TestBounding: exactly the capabilities that the config does not list are dropped.
func TestBounding(t *testing.T) {
	data, err := os.ReadFile("testdata/docker/config.json")
	if err != nil {
		t.Fatal(err)
	}
	var s specs.Spec
	if err := json.Unmarshal(data, &s); err != nil {
		t.Fatal(err)
	}
	keep := mask(s.Process.Capabilities.Bounding)
	var dropped uint64
	p := golden(t, "docker")
	for i := range p.Steps {
		if s := &p.Steps[i]; s.Op == Syscall && s.Call == unix.SYS_PRCTL && s.Args[0].Val == unix.PR_CAPBSET_DROP {
			dropped |= 1 << s.Args[1].Val
		}
	}
	if len(s.Process.Capabilities.Bounding) != 14 || dropped != ^keep {
		t.Errorf("dropped %#x, want all but %#x", dropped, keep)
	}
}

// TestWords: a step's words for the user.
func TestWords(t *testing.T) {
	p := golden(t, "bind")
	for name, c := range map[string]struct {
		info StepInfo
		want string
	}{
		"call":      {p.Describe(0), "cannot prepare the process: prctl: operation not permitted"},
		"field":     {StepInfo{Task{"mount x", "mounts[1]"}, "fsmount", ""}, "cannot mount x (mounts[1]): fsmount: operation not permitted"},
		"operation": {StepInfo{Task{What: "wait"}, "", ""}, "cannot wait: operation not permitted"},
		"message":   {StepInfo{Task{"bind", "mounts[0]"}, "", "no"}, "cannot bind (mounts[0]): no"},
		"behind":    {p.Describe(len(p.Steps)), "cannot run the program: operation not permitted"},
		"before":    {p.Describe(-1), "cannot run the program: operation not permitted"},
	} {
		if got := c.info.Failure(unix.EPERM); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
	for _, code := range []Code{WriteIDMaps, RuntimeHooks, ContainerHooks, TakeTerminal, Created, StartHooks, CopyUp, OOMScore, MakeTarget, MapMount, CheckHidden} {
		if strings.HasPrefix(code.String(), "rendezvous-") {
			t.Errorf("code %d has no name", code)
		}
	}
	if got := Code(99).String(); got != "rendezvous-99" {
		t.Errorf("code 99 is %q", got)
	}
}
