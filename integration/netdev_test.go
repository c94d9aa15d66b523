package integration

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// network is a network namespace in the place of the host's, with the pair of devices in0 and out0.
type network struct {
	t    *testing.T
	path string
}

func newNetwork(t *testing.T) *network {
	t.Helper()
	needRoot(t)
	n := &network{t, "/proc/" + itoa(namespaceHolder(t, "--net")) + "/ns/net"}
	n.ip("link add in0 type veth")
	n.ip("link set veth0 name out0")
	n.ip("address add 192.0.2.7/24 dev in0")
	n.ip("-6 address add 2001:db8::7/64 dev in0")
	n.ip("link set in0 mtu 1400 address 02:11:22:33:44:55 up")
	return n
}

// ip runs ip(8) of busybox in the namespace.
func (n *network) ip(args string) string {
	n.t.Helper()
	cmd := exec.Command("nsenter", append([]string{"--net=" + n.path, Busybox, "ip"}, strings.Fields(args)...)...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		n.t.Fatalf("ip %s: %v\n%s", args, err, out)
	}
	return string(out)
}

// do makes a call of the runtime in the namespace.
func (n *network) do(r *cli, args ...string) *result {
	n.t.Helper()
	return r.DoCommand(exec.Command("nsenter", append([]string{"--net=" + n.path, r.Path, "--root", r.Root}, args...)...))
}

func netDevice(name, inside string) Edit {
	return Linux(func(l *specs.Linux) {
		if l.NetDevices == nil {
			l.NetDevices = map[string]specs.LinuxNetDevice{}
		}
		l.NetDevices[name] = specs.LinuxNetDevice{Name: inside}
	})
}

// A device arrives with its attributes and addresses, is up, and leaves nothing behind on the host.
func TestNetDevice(t *testing.T) {
	notRunc11(t, "it has no netDevices")
	t.Parallel()
	r := newCLI(t)
	for name, c := range map[string]struct {
		edit   Edit
		inside string
	}{
		"new namespace":    {netDevice("in0", ""), "in0"},
		"renamed":          {netDevice("in0", "ctr0"), "ctr0"},
		"template":         {netDevice("in0", "net%d"), "net0"},
		"user namespace":   {both(MappedUser, netDevice("in0", "ctr0")), "ctr0"},
		"joined namespace": {both(Namespace(specs.NetworkNamespace, newNetwork(t).path), netDevice("in0", "ctr0")), "ctr0"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			wants := []string{"UP", "mtu 1400", "link/ether 02:11:22:33:44:55", "inet 192.0.2.7/24 "}
			if name == "template" {
				onlyDhow(t, "1.5 does not find the device again")
			}
			if underTest.kind != Runc { // 1.5 loses addresses of IPv6
				wants = append(wants, "inet6 2001:db8::7/64 scope global")
			}
			n := newNetwork(t)
			r := &cli{t: t, Path: r.Path, Root: filepath.Join(t.TempDir(), "root")}
			b := newBundle(t, Args("ip", "address", "show", "dev", c.inside), c.edit)
			res := n.do(r, "run", "--bundle", b.Dir, r.ID()).Exited(0)
			for _, want := range wants {
				if !strings.Contains(res.Stdout, want) {
					t.Errorf("there is no %q in:\n%s", want, res.Stdout)
				}
			}
			if left := n.ip("link"); strings.Contains(left, "in0") {
				t.Errorf("on the host there is still\n%s", left)
			}
		})
	}
}

// When no container comes about, devices are back on the host as they were, whatever went wrong.
func TestNetDeviceComesBack(t *testing.T) {
	onlyDhow(t, "runc leaves it in the namespace, with which it is destroyed")
	t.Parallel()
	r := newCLI(t)
	hook := func(h *specs.Hooks) { h.CreateRuntime = []specs.Hook{{Path: "/bin/false"}} }
	for name, c := range map[string]struct {
		edit Edit
		want string
	}{
		"no such device":   {netDevice("none0", ""), "cannot move the network device none0 (linux.netDevices): no such device"},
		"name taken":       {netDevice("out0", "lo"), "cannot move the network device out0 (linux.netDevices): the container's network namespace has a device lo already"},
		"later step fails": {Mount("tmpfs", "tmpfs", "/mnt", "size=x"), "size=x"},
		"hook fails":       {func(b *Bundle) { b.Spec.Hooks = &specs.Hooks{}; hook(b.Spec.Hooks) }, "/bin/false"},
		"no such program":  {Args("/nowhere"), "/nowhere"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := newNetwork(t)
			r := &cli{t: t, Path: r.Path, Root: filepath.Join(t.TempDir(), "root")}
			b := newBundle(t, netDevice("in0", "ctr0"), c.edit)
			n.do(r, "run", "--bundle", b.Dir, r.ID()).Failed(c.want)
			got := n.ip("address show dev in0")
			for _, want := range []string{"UP", "mtu 1400", "inet 192.0.2.7/24 scope global", "inet6 2001:db8::7/64 scope global"} {
				if !strings.Contains(got, want) {
					t.Errorf("back on the host there is no %q in:\n%s", want, got)
				}
			}
		})
	}
}

// A runtime that is killed with the device in the container's namespace leaves the device to the kernel, which
// destroys a virtual one with the namespace. Nothing else stays.
func TestNetDeviceKill(t *testing.T) {
	r := newCLI(t)
	r.Path = failpointRuntime(t)
	n := newNetwork(t)
	b, id := newBundle(t, Args("true"), netDevice("in0", "")), r.ID()
	cmd := exec.Command("nsenter", "--net="+n.path, r.Path, "--root", r.Root, "create", "--bundle", b.Dir, id)
	cmd.Env = append(os.Environ(), "DHOW_FAILPOINT=parent:devices")
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	must(t, err)
	defer null.Close()
	cmd.Stdin, cmd.Stdout, cmd.Stderr = null, null, null
	if res := r.DoCommand(cmd); res.Code != 137 {
		t.Fatalf("exit %d, want death by SIGKILL", res.Code)
	}
	r.Must("delete", "--force", id)
	checkGone(t, id)
	await(t, "the network namespace to go", func() bool { return !strings.Contains(n.ip("link"), "out0") })
}

// In a namespace that outlives the container the device stays (config-linux.md, "Namespace Lifecycle").
func TestNetDeviceStaysInJoinedNamespace(t *testing.T) {
	notRunc11(t, "it has no netDevices")
	t.Parallel()
	r := newCLI(t)
	host, pod := newNetwork(t), newNetwork(t)
	b := newBundle(t, Args("true"), Namespace(specs.NetworkNamespace, pod.path), netDevice("in0", "ctr0"))
	host.do(r, "run", "--bundle", b.Dir, r.ID()).Exited(0)
	if got := pod.ip("address show dev ctr0"); !strings.Contains(got, "192.0.2.7/24") {
		t.Errorf("the device is %s", got)
	}
}
