package client

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/containerd/cgroups/v3/cgroup1/stats"
	containerd "github.com/containerd/containerd/v2/client"
	"github.com/containerd/containerd/v2/core/sandbox"
	"github.com/containerd/containerd/v2/pkg/cio"
	"github.com/containerd/containerd/v2/pkg/oci"
	"github.com/containerd/errdefs"
	"github.com/containerd/typeurl/v2"
	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/integration"
	"github.com/dhow-containers/dhow/integration/containerd2/host"
)

// newSandbox makes a sandbox whose own container runs a command, with containerd's controller "shim".
func (f *fixture) newSandbox(id string, command ...string) (containerd.Sandbox, sandbox.Controller) {
	f.t.Helper()
	bundle, err := integration.NewBundle(f.t.TempDir())
	f.must(err)
	spec := bundle.Spec
	spec.Process.Args, spec.Root.Path = command, bundle.Rootfs()
	spec.Linux.CgroupsPath = "/" + f.Namespace + "/" + id
	s, err := f.client.NewSandbox(f.ctx, id, containerd.WithSandboxRuntime(runtimeName, nil), containerd.WithSandboxSpec(spec))
	f.must(err)
	return s, f.client.SandboxController("shim")
}

// inSandbox starts a container in a sandbox, with its namespaces ipc and pid.
func (f *fixture) inSandbox(id, sandbox string, pid uint32) containerd.Task {
	f.t.Helper()
	join := func(name specs.LinuxNamespaceType) oci.SpecOpts {
		return oci.WithLinuxNamespace(specs.LinuxNamespace{Type: name, Path: fmt.Sprintf("/proc/%d/ns/%s", pid, name)})
	}
	c, err := f.client.NewContainer(f.ctx, id, containerd.WithSnapshotter(snapshotter), containerd.WithNewSnapshot(id, f.image),
		containerd.WithNewSpec(oci.WithImageConfig(f.image), join("ipc"), join("pid")),
		containerd.WithSandbox(sandbox), containerd.WithRuntime(runtimeName, nil))
	f.must(err)
	task, err := c.NewTask(f.ctx, cio.NullIO)
	f.must(err)
	f.must(task.Start(f.ctx))
	return task
}

// TestSandbox makes the calls of the sandbox API. containerd-shim-runc-v2 has no such service.
func TestSandbox(t *testing.T) {
	t.Parallel()
	if runtimeName != integration.ShimRuntime {
		t.Skip("the peer has no sandbox service")
	}
	f := newFixture(t, host.Two(t))
	s, control := f.newSandbox("box", "sh", "-c", "trap 'exit 5' TERM; while :; do sleep 0.05; done")
	status, err := control.Status(f.ctx, "box", false)
	f.must(err)
	if status.State != "SANDBOX_NOTREADY" || status.Pid == 0 {
		t.Errorf("before the start: %+v", status)
	}
	f.must(s.Start(f.ctx))
	status, err = control.Status(f.ctx, "box", false)
	f.must(err)
	if status.State != "SANDBOX_READY" || status.CreatedAt.IsZero() {
		t.Errorf("after the start: %+v", status)
	}
	f.sandboxMetrics(control)
	task := f.inSandbox("a", "box", status.Pid)
	f.sameNamespaces(task, status.Pid)
	if shims := host.Shims(f.Dir); len(shims) != 1 {
		t.Errorf("shims: %v", shims)
	}
	f.finish(task)

	f.Stop(unix.SIGKILL)
	f.must(f.Containerd.Start())
	f.connect()
	control = f.client.SandboxController("shim")
	s, err = f.client.LoadSandbox(f.ctx, "box")
	f.must(err)
	again, err := control.Status(f.ctx, "box", false)
	f.must(err)
	if again.State != "SANDBOX_READY" || again.Pid != status.Pid {
		t.Errorf("after a restart of containerd: %+v", again)
	}
	task = f.inSandbox("b", "box", status.Pid)
	wait, err := s.Wait(f.ctx)
	f.must(err)
	f.must(control.Stop(f.ctx, "box", sandbox.WithTimeout(host.Patience)))
	if end := <-wait; end.ExitCode() != 5 || end.ExitTime().IsZero() {
		t.Errorf("the sandbox ends with %d, %v", end.ExitCode(), end.Error())
	}
	if code := f.end(task); code != 137 {
		t.Errorf("what is in the sandbox ends with %d", code)
	}
	f.finish(task)
	f.must(s.Shutdown(f.ctx))
	host.Await(t, "the shim to end", func() bool { return len(host.Shims(f.Dir)) == 0 })
	if status, err := control.Status(f.ctx, "box", false); err == nil && status.State != "" {
		t.Errorf("after the shutdown: %+v", status)
	}
}

func (f *fixture) sandboxMetrics(control sandbox.Controller) {
	f.t.Helper()
	metric, err := control.Metrics(f.ctx, "box")
	f.must(err)
	m, err := typeurl.UnmarshalAny(metric.Data)
	f.must(err)
	if m, ok := m.(*stats.Metrics); metric.ID != "box" || ok && m.Pids.Current == 0 {
		f.t.Errorf("metrics: %v", metric)
	}
}

func (f *fixture) sameNamespaces(task containerd.Task, pid uint32) {
	f.t.Helper()
	for _, name := range []string{"ipc", "pid"} {
		a, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/%s", pid, name))
		f.must(err)
		if b, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/%s", task.Pid(), name)); err != nil || a != b {
			f.t.Errorf("%s: %s and %s, %v", name, a, b, err)
		}
	}
}

// TestSandboxRefused has sandboxes that do not come about: nothing is left of them.
func TestSandboxRefused(t *testing.T) {
	t.Parallel()
	if runtimeName != integration.ShimRuntime {
		t.Skip("the peer has no sandbox service")
	}
	f := newFixture(t, host.Two(t))
	_, err := f.client.NewSandbox(f.ctx, "none", containerd.WithSandboxRuntime(runtimeName, nil))
	if !errdefs.IsInvalidArgument(err) || !strings.Contains(err.Error(), "no config") {
		t.Errorf("a sandbox without a config: %v", err)
	}
	control := f.client.SandboxController("shim")
	pod := sandbox.Sandbox{ID: "pod", Runtime: sandbox.RuntimeOpts{Name: runtimeName}, Sandboxer: "shim"}
	err = control.Create(f.ctx, pod, sandbox.WithNetNSPath("/proc/self/ns/net"))
	if !errdefs.IsNotImplemented(err) || !strings.Contains(err.Error(), "podsandbox") {
		t.Errorf("a pod: %v", err)
	}
	host.Await(t, "the shims to end", func() bool { return len(host.Shims(f.Dir)) == 0 })
}
