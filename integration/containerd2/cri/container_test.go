package cri

import (
	"bytes"
	"io"
	"net/url"
	"strings"
	"testing"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/remotecommand"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1"

	"github.com/dhow-containers/dhow/integration/containerd2/host"
)

func containerLife(t *testing.T, n *node) {
	p := n.run(t, onHost)
	id, err := p.create("a", []string{"sh", "-c", "exit 7"})
	must(t, err)
	if s := p.status(id); s.State != cri.ContainerState_CONTAINER_CREATED {
		t.Errorf("after create it is %s", s.State)
	}
	_, err = n.client.StartContainer(t.Context(), &cri.StartContainerRequest{ContainerId: id})
	must(t, err)
	if s := p.exited(id); s.ExitCode != 7 || s.Reason != "Error" {
		t.Errorf("the end: %v", s)
	}
	if s := p.exited(p.start("b", []string{"true"})); s.ExitCode != 0 || s.Reason != "Completed" {
		t.Errorf("the end: %v", s)
	}
	if _, err := n.client.StartContainer(t.Context(), &cri.StartContainerRequest{ContainerId: id}); err == nil {
		t.Error("it starts twice")
	}
	for range 2 {
		_, err = n.client.RemoveContainer(t.Context(), &cri.RemoveContainerRequest{ContainerId: id})
		must(t, err)
	}
	list, err := n.client.ListContainers(t.Context(), &cri.ListContainersRequest{Filter: &cri.ContainerFilter{PodSandboxId: p.id}})
	must(t, err)
	if len(list.Containers) != 1 {
		t.Errorf("the list has %v", list.Containers)
	}
}

func containerFailures(t *testing.T, n *node) {
	p := n.run(t, onHost)
	id, err := p.create("a", []string{"no-such-program"})
	must(t, err)
	_, err = n.client.StartContainer(t.Context(), &cri.StartContainerRequest{ContainerId: id})
	if err == nil || !strings.Contains(err.Error(), "executable file not found in $PATH") {
		t.Errorf("a program that does not exist: %v", err)
	}
	if s := p.status(id); s.State != cri.ContainerState_CONTAINER_EXITED || s.Reason != "StartError" || s.ExitCode != 128 {
		t.Errorf("the end: %v", s)
	}
}

// containerLog reopens the log, as a kubelet does that rotates it.
func containerLog(t *testing.T, n *node) {
	p := n.run(t, onHost)
	id := p.start("a", []string{"sh", "-c", "echo out; echo err >&2; until [ -e /go ]; do sleep 0.05; done; echo later"})
	host.Await(t, "the log", func() bool {
		return p.log("a") == "stdout F out\nstderr F err\n" || p.log("a") == "stderr F err\nstdout F out\n"
	})
	_, err := n.client.ReopenContainerLog(t.Context(), &cri.ReopenContainerLogRequest{ContainerId: id})
	must(t, err)
	p.exec(id, "touch", "/go")
	p.exited(id)
	host.Await(t, "the rest of the log", func() bool { return strings.HasSuffix(p.log("a"), "stdout F later\n") })
}

func containerExec(t *testing.T, n *node) {
	p := n.run(t, onHost)
	id := p.start("a", nil)
	run := func(timeout int64, command ...string) (*cri.ExecSyncResponse, error) {
		return n.client.ExecSync(t.Context(), &cri.ExecSyncRequest{ContainerId: id, Cmd: command, Timeout: timeout})
	}
	r, err := run(20, "sh", "-c", "echo out; echo err >&2; exit 3")
	must(t, err)
	if string(r.Stdout) != "out\n" || string(r.Stderr) != "err\n" || r.ExitCode != 3 {
		t.Errorf("got %v", r)
	}
	if _, err := run(1, "sleep", "1000"); err == nil || !strings.Contains(err.Error(), "timeout") {
		t.Errorf("an exec that takes too long: %v", err)
	}
	if _, err := run(20, "no-such-program"); err == nil || !strings.Contains(err.Error(), "executable file not found") {
		t.Errorf("a program that does not exist: %v", err)
	}
	if out := p.exec(id, "ps"); strings.Contains(out, "sleep 1000") && strings.Count(out, "sleep 1000") > 1 {
		t.Errorf("what took too long is still there: %s", out)
	}
}

// executor connects to the address that containerd gives for streams.
func executor(t *testing.T, address string) remotecommand.Executor {
	t.Helper()
	u, err := url.Parse(address)
	must(t, err)
	e, err := remotecommand.NewSPDYExecutor(&rest.Config{}, "POST", u)
	must(t, err)
	return e
}

// sizes is a terminal's size that does not change.
type sizes chan remotecommand.TerminalSize

func (s sizes) Next() *remotecommand.TerminalSize {
	size, open := <-s
	if !open {
		return nil
	}
	return &size
}

func containerTerminal(t *testing.T, n *node) {
	p := n.run(t, onHost)
	id := p.start("a", nil)
	command := []string{"sh", "-c", "until stty size | grep '22 77'; do sleep 0.05; done; read x; echo got $x; exit 4"}
	r, err := n.client.Exec(t.Context(), &cri.ExecRequest{ContainerId: id, Cmd: command, Tty: true, Stdin: true, Stdout: true})
	must(t, err)
	var out bytes.Buffer
	in, client := io.Pipe()
	go io.WriteString(client, "words\n")
	size := make(sizes, 1)
	size <- remotecommand.TerminalSize{Width: 77, Height: 22}
	defer close(size)
	err = executor(t, r.Url).StreamWithContext(t.Context(), remotecommand.StreamOptions{Stdin: in, Stdout: &out, Tty: true, TerminalSizeQueue: size})
	if err == nil || !strings.Contains(err.Error(), "exit code 4") || !strings.Contains(out.String(), "got words") {
		t.Errorf("printed %q, %v", out.String(), err)
	}
}

func containerAttach(t *testing.T, n *node) {
	p := n.run(t, onHost)
	id := p.start("a", []string{"sh", "-c", "read x; echo got $x"}, func(c *cri.ContainerConfig) { c.Stdin, c.StdinOnce = true, true })
	r, err := n.client.Attach(t.Context(), &cri.AttachRequest{ContainerId: id, Stdin: true, Stdout: true, Stderr: true})
	must(t, err)
	var out, problems bytes.Buffer
	options := remotecommand.StreamOptions{Stdin: strings.NewReader("words\n"), Stdout: &out, Stderr: &problems}
	must(t, executor(t, r.Url).StreamWithContext(t.Context(), options))
	if s := p.exited(id); s.ExitCode != 0 || out.String() != "got words\n" || problems.Len() > 0 {
		t.Errorf("exit code %d, printed %q and %q", s.ExitCode, out.String(), problems.String())
	}
}

// containerLimits reads limits inside, in either layout of control groups.
func containerLimits(t *testing.T, n *node) {
	p := n.run(t, onHost)
	limits := &cri.LinuxContainerResources{MemoryLimitInBytes: 64 << 20, CpuPeriod: 100000, CpuQuota: 50000, CpuShares: 512}
	id := p.start("a", nil, func(c *cri.ContainerConfig) { c.Linux.Resources = limits })
	memory := func() string {
		return p.exec(id, "sh", "-c", "cat /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null || cat /sys/fs/cgroup/memory.max")
	}
	if got := memory(); got != "67108864" {
		t.Errorf("memory limit %s", got)
	}
	if got := p.exec(id, "sh", "-c", "cat /sys/fs/cgroup/cpu/cpu.cfs_quota_us 2>/dev/null || cat /sys/fs/cgroup/cpu.max"); !strings.HasPrefix(got, "50000") {
		t.Errorf("quota %s", got)
	}
	limits.MemoryLimitInBytes = 96 << 20
	_, err := n.client.UpdateContainerResources(t.Context(), &cri.UpdateContainerResourcesRequest{ContainerId: id, Linux: limits})
	must(t, err)
	if got := memory(); got != "100663296" {
		t.Errorf("memory limit after the update %s", got)
	}
	s, err := n.client.ContainerStats(t.Context(), &cri.ContainerStatsRequest{ContainerId: id})
	must(t, err)
	if s.Stats.Memory.GetWorkingSetBytes().GetValue() == 0 || s.Stats.Cpu.GetUsageCoreNanoSeconds().GetValue() == 0 {
		t.Errorf("stats: %v", s.Stats)
	}
	of, err := n.client.PodSandboxStats(t.Context(), &cri.PodSandboxStatsRequest{PodSandboxId: p.id})
	must(t, err)
	if of.Stats.Linux == nil || len(of.Stats.Linux.Containers) != 1 {
		t.Errorf("stats of the pod: %v", of.Stats)
	}
}

func containerOOM(t *testing.T, n *node) {
	p := n.run(t, onHost)
	id := p.start("a", []string{"dd", "if=/dev/zero", "of=/dev/null", "bs=128M"}, func(c *cri.ContainerConfig) {
		c.Linux.Resources.MemoryLimitInBytes, c.Linux.Resources.MemorySwapLimitInBytes = 32<<20, 32<<20
	})
	if s := p.exited(id); s.ExitCode != 137 || s.Reason != "OOMKilled" {
		t.Errorf("the end: %v", s)
	}
}

func containerStop(t *testing.T, n *node) {
	p := n.run(t, onHost)
	stop := func(id string, timeout int64) time.Duration {
		begin := time.Now()
		_, err := n.client.StopContainer(t.Context(), &cri.StopContainerRequest{ContainerId: id, Timeout: timeout})
		must(t, err)
		return time.Since(begin)
	}
	a := p.start("a", []string{"sh", "-c", "trap 'exit 3' TERM; echo ready; while :; do sleep 0.05; done"})
	host.Await(t, "the trap", func() bool { return strings.Contains(p.log("a"), "ready") })
	stop(a, 30)
	if s := p.exited(a); s.ExitCode != 3 {
		t.Errorf("exit code %d", s.ExitCode)
	}
	b := p.start("b", []string{"sh", "-c", "trap '' TERM; sleep 1000"})
	if took := stop(b, 1); took < time.Second {
		t.Errorf("stopped after %v", took)
	}
	if s := p.exited(b); s.ExitCode != 137 {
		t.Errorf("exit code %d", s.ExitCode)
	}
}
