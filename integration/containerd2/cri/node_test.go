// Package cri is a kubelet's part: pods by way of containerd's CRI plugin, with our runtime class. It is written after what
// cri-tools' critest, which make test-critest runs, asks of a runtime.
package cri

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1"

	"github.com/dhow-containers/dhow/integration"
	"github.com/dhow-containers/dhow/integration/containerd2/host"
)

// node is a containerd that serves CRI.
type node struct {
	*host.Host
	new     bool // containerd 2
	client  cri.RuntimeServiceClient
	handler string
	parent  string // control group of its pods
}

// readmeConfig is the block of README.md that begins with a version of containerd's config.
func readmeConfig(t *testing.T, version string) string {
	t.Helper()
	return version + "\n" + host.CRIBefore + readmeBlock(t, version+"\n", "runtime_type")
}

// readmeBlock is the rest of the block that begins so; it has a word in it.
func readmeBlock(t *testing.T, begin, word string) string {
	t.Helper()
	tree, err := integration.Tree()
	must(t, err)
	text, err := os.ReadFile(filepath.Join(tree, "README.md"))
	must(t, err)
	_, block, found := strings.Cut(string(text), "```\n"+begin)
	block, _, ended := strings.Cut(block, "```\n")
	if !found || !ended || !strings.Contains(block, word) {
		t.Fatalf("README.md has no block with %s", begin)
	}
	return block
}

// onNodes runs a test on each containerd with each runtime handler: ours, and runc's if $DHOW_TEST_PEER is set.
func onNodes(t *testing.T, test func(*testing.T, *node)) {
	t.Helper()
	for _, p := range host.Both(t) {
		t.Run(p.Name, func(t *testing.T) {
			n := newNode(t, p)
			for _, handler := range handlers() {
				n.handler = handler
				t.Run(handler, func(t *testing.T) { test(t, n) })
			}
		})
	}
}

func handlers() []string {
	if os.Getenv("DHOW_TEST_PEER") != "" {
		return []string{"dhow", "runc"}
	}
	return []string{"dhow"}
}

func newNode(t *testing.T, p host.Programs, options ...string) *node {
	t.Helper()
	if _, err := os.Stat("/usr/lib/cni/bridge"); err != nil {
		t.Skip("needs Debian's package containernetworking-plugins")
	}
	more := strings.Join(options, "\n")
	config := readmeConfig(t, "version = 2") + more + host.CRISettings(false)
	if p.New {
		config = readmeConfig(t, "version = 3") + more + host.CRISettings(true)
	}
	n := &node{new: p.New, parent: fmt.Sprintf("/dhowtest-cri-%d-%s", os.Getpid(), p.Name)}
	n.Host = host.Start(t, p, "k8s.io", config, func(dir string) {
		must(t, os.Mkdir(dir+"/cni", 0o755))
		must(t, os.WriteFile(dir+"/cni/10-bridge.conflist", []byte(strings.ReplaceAll(host.CRINetwork(""), "DIR", dir)), 0o644))
	})
	t.Cleanup(func() { removeGroups(t, n.parent) })
	for name, command := range map[string][]string{"pause": {"tail", "-f", "/dev/null"}, "bb": {"sleep", "1000"}} {
		image := host.Archive(t, "docker.io/library/"+name+":latest", command...)
		if out, err := n.Ctr("images", "import", image).CombinedOutput(); err != nil {
			t.Fatalf("import: %v: %s", err, out)
		}
	}
	conn, err := grpc.NewClient("unix://"+n.Socket(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	must(t, err)
	t.Cleanup(func() { conn.Close() })
	n.client = cri.NewRuntimeServiceClient(conn)
	host.Await(t, "the node", func() bool { return n.ready(t) })
	return n
}

// ready says that runtime and network are.
func (n *node) ready(t *testing.T) bool {
	r, err := n.client.Status(t.Context(), &cri.StatusRequest{})
	if err != nil {
		return false
	}
	for _, c := range r.Status.Conditions {
		if (c.Type == cri.RuntimeReady || c.Type == cri.NetworkReady) && !c.Status {
			return false
		}
	}
	return true
}

// removeGroups removes what a kubelet would: the control groups above the containers', which have to be empty.
func removeGroups(t *testing.T, parent string) {
	for _, pattern := range []string{"/sys/fs/cgroup/*" + parent, "/sys/fs/cgroup" + parent} {
		found, _ := filepath.Glob(pattern)
		for _, dir := range found {
			if left, _ := filepath.Glob(dir + "/*/"); len(left) > 0 {
				t.Errorf("left behind: %v", left)
			} else if err := os.Remove(dir); err != nil {
				t.Error(err)
			}
		}
	}
}

// pod is a running pod.
type pod struct {
	*node
	t      *testing.T
	id     string
	config *cri.PodSandboxConfig
}

// podConfig is that of a pod with a network of its own.
func (n *node) podConfig(t *testing.T) *cri.PodSandboxConfig {
	return &cri.PodSandboxConfig{
		Metadata:     &cri.PodSandboxMetadata{Name: filepath.Base(t.Name()) + n.handler, Namespace: "default", Uid: t.Name(), Attempt: 1},
		LogDirectory: t.TempDir(),
		Linux: &cri.LinuxPodSandboxConfig{CgroupParent: n.parent, SecurityContext: &cri.LinuxSandboxSecurityContext{
			NamespaceOptions: &cri.NamespaceOption{Pid: cri.NamespaceMode_CONTAINER}}},
	}
}

// onHost takes away the pod's own network, which takes time.
func onHost(c *cri.PodSandboxConfig) {
	c.Linux.SecurityContext.NamespaceOptions.Network = cri.NamespaceMode_NODE
}

func (n *node) run(t *testing.T, edits ...func(*cri.PodSandboxConfig)) *pod {
	t.Helper()
	p := &pod{node: n, t: t, config: n.podConfig(t)}
	for _, edit := range edits {
		edit(p.config)
	}
	r, err := n.client.RunPodSandbox(t.Context(), &cri.RunPodSandboxRequest{Config: p.config, RuntimeHandler: n.handler})
	must(t, err)
	p.id = r.PodSandboxId
	t.Cleanup(p.remove)
	return p
}

// remove ends the pod and what is in it.
func (p *pod) remove() {
	ctx, cancel := context.WithTimeout(context.Background(), host.Patience)
	defer cancel()
	if _, err := p.client.StopPodSandbox(ctx, &cri.StopPodSandboxRequest{PodSandboxId: p.id}); err != nil {
		p.t.Errorf("stop: %v", err)
	}
	if _, err := p.client.RemovePodSandbox(ctx, &cri.RemovePodSandboxRequest{PodSandboxId: p.id}); err != nil {
		p.t.Errorf("remove: %v", err)
	}
}

// create makes a container that runs a command.
func (p *pod) create(name string, command []string, edits ...func(*cri.ContainerConfig)) (string, error) {
	config := &cri.ContainerConfig{
		Metadata: &cri.ContainerMetadata{Name: name},
		Image:    &cri.ImageSpec{Image: host.Image},
		Command:  command,
		LogPath:  name + ".log",
		Linux: &cri.LinuxContainerConfig{Resources: &cri.LinuxContainerResources{}, SecurityContext: &cri.LinuxContainerSecurityContext{
			NamespaceOptions: p.config.Linux.SecurityContext.NamespaceOptions}},
	}
	for _, edit := range edits {
		edit(config)
	}
	r, err := p.client.CreateContainer(p.t.Context(), &cri.CreateContainerRequest{PodSandboxId: p.id, Config: config, SandboxConfig: p.config})
	if err != nil {
		return "", err
	}
	return r.ContainerId, nil
}

// start makes and starts a container.
func (p *pod) start(name string, command []string, edits ...func(*cri.ContainerConfig)) string {
	p.t.Helper()
	id, err := p.create(name, command, edits...)
	must(p.t, err)
	_, err = p.client.StartContainer(p.t.Context(), &cri.StartContainerRequest{ContainerId: id})
	must(p.t, err)
	return id
}

// exec is what a command in a container prints; it has to succeed.
func (p *pod) exec(id string, command ...string) string {
	p.t.Helper()
	r, err := p.client.ExecSync(p.t.Context(), &cri.ExecSyncRequest{ContainerId: id, Cmd: command, Timeout: 20})
	must(p.t, err)
	if r.ExitCode != 0 || len(r.Stderr) > 0 {
		p.t.Errorf("%v: exit code %d, %s", command, r.ExitCode, r.Stderr)
	}
	return strings.TrimSpace(string(r.Stdout))
}

// status is a container's.
func (p *pod) status(id string) *cri.ContainerStatus {
	p.t.Helper()
	r, err := p.client.ContainerStatus(p.t.Context(), &cri.ContainerStatusRequest{ContainerId: id})
	must(p.t, err)
	return r.Status
}

// exited waits for the end of a container.
func (p *pod) exited(id string) *cri.ContainerStatus {
	p.t.Helper()
	host.Await(p.t, "the end of the container", func() bool { return p.status(id).State == cri.ContainerState_CONTAINER_EXITED })
	return p.status(id)
}

// log is what a container has written, without times.
func (p *pod) log(name string) string {
	data, _ := os.ReadFile(filepath.Join(p.config.LogDirectory, name+".log"))
	var out strings.Builder
	for line := range strings.Lines(string(data)) {
		if _, rest, found := strings.Cut(line, " "); found {
			out.WriteString(rest)
		}
	}
	return out.String()
}

// shims counts the pod's: their command lines have its id.
func (p *pod) shims() (count int) {
	for _, line := range host.Shims(p.Dir) {
		if strings.Contains(line, p.id) {
			count++
		}
	}
	return count
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
