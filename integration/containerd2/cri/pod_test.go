package cri

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1"

	"github.com/dhow-containers/dhow/integration/containerd2/host"
)

func TestPods(t *testing.T) {
	onNodes(t, func(t *testing.T, n *node) {
		for name, test := range map[string]func(*testing.T, *node){
			"life": podLife, "sharing": podSharing, "one pid namespace": podPIDs, "host's namespaces": podOnHost, "network": podNetwork,
			"sysctls": podSysctls, "user namespace": podUserNamespace, "containers": containerLife, "streams": containerLog, "exec": containerExec,
			"terminal": containerTerminal, "attach": containerAttach, "limits": containerLimits, "OOM": containerOOM, "stop": containerStop,
			"users": securityUsers, "capabilities": securityCapabilities, "privileged": securityPrivileged, "read-only": securityReadOnly,
			"seccomp": securitySeccomp, "mounts": mounts, "recursive read-only": mountsRecursively, "failures": containerFailures,
		} {
			t.Run(name, func(t *testing.T) { test(t, n) })
		}
		t.Run("restart", func(t *testing.T) { nodeRestart(t, n) })
		t.Run("features", func(t *testing.T) { nodeFeatures(t, n) })
	})
}

// state is a pod's.
func (p *pod) state() cri.PodSandboxState {
	p.t.Helper()
	r, err := p.client.PodSandboxStatus(p.t.Context(), &cri.PodSandboxStatusRequest{PodSandboxId: p.id})
	must(p.t, err)
	return r.Status.State
}

func podLife(t *testing.T, n *node) {
	p := n.run(t, func(c *cri.PodSandboxConfig) { c.Hostname = "a-pod" })
	if p.state() != cri.PodSandboxState_SANDBOX_READY || p.shims() != 1 {
		t.Errorf("the pod is %s, with %d shims", p.state(), p.shims())
	}
	list, err := n.client.ListPodSandbox(t.Context(), &cri.ListPodSandboxRequest{Filter: &cri.PodSandboxFilter{Id: p.id}})
	must(t, err)
	if len(list.Items) != 1 || list.Items[0].RuntimeHandler != n.handler {
		t.Errorf("the list has %v", list.Items)
	}
	if got := p.exec(p.start("a", nil), "hostname"); got != "a-pod" {
		t.Errorf("the host name is %q", got)
	}
	for range 2 {
		_, err = n.client.StopPodSandbox(t.Context(), &cri.StopPodSandboxRequest{PodSandboxId: p.id})
		must(t, err)
	}
	if p.state() != cri.PodSandboxState_SANDBOX_NOTREADY {
		t.Errorf("after the stop it is %s", p.state())
	}
}

// namespaces are those of a container's processes, by name.
func (p *pod) namespaces(id string) map[string]string {
	found := map[string]string{}
	for _, name := range []string{"ipc", "net", "uts", "pid", "mnt"} {
		found[name] = p.exec(id, "readlink", "/proc/self/ns/"+name)
	}
	return found
}

// podSharing has two containers of a pod in the same namespaces, and in one shim.
func podSharing(t *testing.T, n *node) {
	p := n.run(t)
	a, b := p.start("a", nil), p.start("b", nil)
	of, other := p.namespaces(a), p.namespaces(b)
	for _, name := range []string{"ipc", "net", "uts"} {
		if of[name] != other[name] {
			t.Errorf("%s: %s and %s", name, of[name], other[name])
		}
		if own, err := os.Readlink("/proc/self/ns/" + name); err != nil || own == of[name] {
			t.Errorf("%s is the host's, %v", name, err)
		}
	}
	for _, name := range []string{"pid", "mnt"} {
		if of[name] == other[name] {
			t.Errorf("%s is one", name)
		}
	}
	p.exec(a, "touch", "/dev/shm/x")
	p.exec(b, "ls", "/dev/shm/x")
	if p.shims() != 1 {
		t.Errorf("%d shims", p.shims())
	}
	_, err := n.client.StopContainer(t.Context(), &cri.StopContainerRequest{ContainerId: a})
	must(t, err)
	_, err = n.client.RemoveContainer(t.Context(), &cri.RemoveContainerRequest{ContainerId: a})
	must(t, err)
	p.exec(b, "true")
	p.exec(p.start("c", nil), "ls", "/dev/shm/x")
}

func podPIDs(t *testing.T, n *node) {
	p := n.run(t, func(c *cri.PodSandboxConfig) { c.Linux.SecurityContext.NamespaceOptions.Pid = cri.NamespaceMode_POD })
	a, b := p.start("a", nil), p.start("b", []string{"sleep", "1234"})
	if out := p.exec(a, "ps"); !strings.Contains(out, "sleep 1234") || !strings.Contains(out, "tail -f") {
		t.Errorf("processes: %s", out)
	}
	p.exec(a, "sh", "-c", "kill -9 $(ps | awk '/[s]leep 1234/ {print $1}')")
	if s := p.exited(b); s.ExitCode != 137 {
		t.Errorf("exit code %d", s.ExitCode)
	}
}

func podOnHost(t *testing.T, n *node) {
	p := n.run(t, func(c *cri.PodSandboxConfig) {
		c.Linux.SecurityContext.NamespaceOptions = &cri.NamespaceOption{Network: cri.NamespaceMode_NODE, Ipc: cri.NamespaceMode_NODE, Pid: cri.NamespaceMode_NODE}
	})
	of := p.namespaces(p.start("a", nil))
	for _, name := range []string{"ipc", "net", "pid"} {
		if own, err := os.Readlink("/proc/self/ns/" + name); err != nil || own != of[name] {
			t.Errorf("%s is %s, not the host's %s, %v", name, of[name], own, err)
		}
	}
}

// podNetwork has two pods talk to each other.
func podNetwork(t *testing.T, n *node) {
	p := n.run(t, func(c *cri.PodSandboxConfig) {
		c.DnsConfig = &cri.DNSConfig{Servers: []string{"10.9.8.7"}, Searches: []string{"a.example"}}
	})
	r, err := n.client.PodSandboxStatus(t.Context(), &cri.PodSandboxStatusRequest{PodSandboxId: p.id})
	must(t, err)
	ip := r.Status.Network.Ip
	server := p.start("a", []string{"sh", "-c", "echo from-a | nc -l -p 80"})
	if out := p.exec(server, "cat", "/etc/resolv.conf"); !strings.Contains(out, "10.9.8.7") || !strings.Contains(out, "a.example") {
		t.Errorf("resolv.conf: %s", out)
	}
	host.Await(t, "the server", func() bool { return strings.Contains(p.exec(server, "netstat", "-ltn"), ":80 ") })
	q := n.run(t, func(c *cri.PodSandboxConfig) { c.Metadata.Name += "-other" })
	if got := q.exec(q.start("b", nil), "nc", ip, "80"); got != "from-a" {
		t.Errorf("got %q from %s", got, ip)
	}
}

func podSysctls(t *testing.T, n *node) {
	p := n.run(t, func(c *cri.PodSandboxConfig) {
		c.Linux.Sysctls = map[string]string{"net.ipv4.ip_local_port_range": "2000 3000", "kernel.shm_rmid_forced": "1"}
	})
	id := p.start("a", nil)
	if got := strings.Join(strings.Fields(p.exec(id, "cat", "/proc/sys/net/ipv4/ip_local_port_range", "/proc/sys/kernel/shm_rmid_forced")), " "); got != "2000 3000 1" {
		t.Errorf("sysctls: %q", got)
	}
}

// podUserNamespace has root of the pod be nobody on the host; the image's files are id-mapped.
func podUserNamespace(t *testing.T, n *node) {
	if !n.new {
		t.Skip("containerd 1.6 has no user namespaces for pods")
	}
	if n.handler == "runc" {
		t.Skip("runc 1.1 cannot map the ids of mounts")
	}
	mapping := []*cri.IDMapping{{HostId: 200000, ContainerId: 0, Length: 65536}}
	options := &cri.UserNamespace{Mode: cri.NamespaceMode_POD, Uids: mapping, Gids: mapping}
	p := n.run(t, func(c *cri.PodSandboxConfig) { c.Linux.SecurityContext.NamespaceOptions.UsernsOptions = options })
	id := p.start("a", nil)
	if got := strings.Fields(p.exec(id, "cat", "/proc/self/uid_map")); strings.Join(got, " ") != "0 200000 65536" {
		t.Errorf("uid_map: %v", got)
	}
	if got := p.exec(id, "stat", "-c", "%u", "/bin/busybox"); got != "0" {
		t.Errorf("files of the image belong to %s", got)
	}
	shared := t.TempDir()
	must(t, os.Chmod(shared, 0o777))
	q := p.start("b", nil, func(c *cri.ContainerConfig) {
		c.Mounts = []*cri.Mount{{HostPath: shared, ContainerPath: "/shared", UidMappings: mapping, GidMappings: mapping}}
	})
	p.exec(q, "touch", "/shared/x")
	info, err := os.Stat(filepath.Join(shared, "x"))
	must(t, err)
	if uid := info.Sys().(*syscall.Stat_t).Uid; uid != 0 {
		t.Errorf("a file in an id-mapped volume belongs to %d", uid)
	}
}

// nodeRestart kills containerd below a pod.
func nodeRestart(t *testing.T, n *node) {
	p := n.run(t, onHost)
	a, b := p.start("a", nil), p.start("b", []string{"sh", "-c", "trap 'exit 5' TERM; echo ready; while :; do sleep 0.05; done"})
	host.Await(t, "the trap", func() bool { return strings.Contains(p.log("b"), "ready") })
	n.Stop(syscall.SIGKILL)
	must(t, n.Start())
	host.Await(t, "the node", func() bool { return n.ready(t) })
	if p.state() != cri.PodSandboxState_SANDBOX_READY || p.shims() != 1 {
		t.Errorf("the pod is %s, with %d shims", p.state(), p.shims())
	}
	if got := p.exec(a, "echo", "still here"); got != "still here" {
		t.Errorf("got %q", got)
	}
	_, err := n.client.StopContainer(t.Context(), &cri.StopContainerRequest{ContainerId: b, Timeout: 20})
	must(t, err)
	if s := p.exited(b); s.ExitCode != 5 {
		t.Errorf("exit code %d", s.ExitCode)
	}
	p.exec(p.start("c", nil), "true")
	if p.shims() != 1 {
		t.Errorf("%d shims", p.shims())
	}
}

// nodeFeatures is what a kubelet wants to know before it asks for user namespaces and recursive read-only mounts.
func nodeFeatures(t *testing.T, n *node) {
	if !n.new || n.handler == "runc" {
		t.Skip("containerd 1.6 does not tell; runc 1.1 has fewer")
	}
	r, err := n.client.Status(t.Context(), &cri.StatusRequest{})
	must(t, err)
	for _, h := range r.RuntimeHandlers {
		if h.Name == n.handler {
			if !h.Features.UserNamespaces || !h.Features.RecursiveReadOnlyMounts {
				t.Errorf("features: %v", h.Features)
			}
			return
		}
	}
	t.Errorf("handlers: %v", r.RuntimeHandlers)
}

// TestOptions has README.md's lines for systemd, and sees by an error that they arrive: the pod's control group is not a slice.
func TestOptions(t *testing.T) {
	const file = "/etc/containerd"
	if err := unix.Mount("tmpfs", file, "tmpfs", 0, ""); err != nil {
		t.Skipf("needs a directory %s: %v", file, err)
	}
	t.Cleanup(func() { unix.Unmount(file, unix.MNT_DETACH) })
	must(t, os.WriteFile(file+"/dhow.toml", []byte("SystemdCgroup = true\n"), 0o644))
	for _, p := range host.Both(t) {
		t.Run(p.Name, func(t *testing.T) {
			table := `  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.dhow.options]` + "\n"
			if p.New {
				table = `  [plugins."io.containerd.cri.v1.runtime".containerd.runtimes.dhow.options]` + "\n"
			}
			n := newNode(t, p, table+readmeBlock(t, table, "="))
			n.handler = "dhow"
			config := n.podConfig(t)
			onHost(config)
			_, err := n.client.RunPodSandbox(t.Context(), &cri.RunPodSandboxRequest{Config: config, RuntimeHandler: n.handler})
			if err == nil || !strings.Contains(err.Error(), "systemd cgroups") {
				t.Errorf("a pod of systemd's: %v", err)
			}
		})
	}
}
