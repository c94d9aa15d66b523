package client

import (
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	v1 "github.com/containerd/cgroups/v3/cgroup1/stats"
	v2 "github.com/containerd/cgroups/v3/cgroup2/stats"
	eventtypes "github.com/containerd/containerd/api/events"
	containerd "github.com/containerd/containerd/v2/client"
	"github.com/containerd/containerd/v2/core/events"
	"github.com/containerd/containerd/v2/pkg/cio"
	"github.com/containerd/containerd/v2/pkg/oci"
	"github.com/containerd/errdefs"
	"github.com/containerd/typeurl/v2"
	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/integration/containerd2/host"
)

// recorder keeps the events of tasks.
type recorder struct {
	mu   sync.Mutex
	list []string
	last map[string]any // by topic
}

// record begins with the next event. Nobody is told when a subscription holds: so there are other events until one arrives.
func (f *fixture) record() *recorder {
	f.t.Helper()
	r := &recorder{last: map[string]any{}}
	subscribed := make(chan struct{})
	envelopes, _ := f.client.Subscribe(f.ctx, `topic~="/tasks/"`, `topic~="/namespaces/"`)
	go func() {
		once := sync.OnceFunc(func() { close(subscribed) })
		for e := range envelopes {
			once()
			if strings.HasPrefix(e.Topic, "/tasks/") {
				r.add(e)
			}
		}
	}()
	n := 0
	host.Await(f.t, "the subscription", func() bool {
		n++
		f.must(f.client.NamespaceService().SetLabel(f.ctx, f.Namespace, "x", strconv.Itoa(n)))
		select {
		case <-subscribed:
			return true
		default:
			return false
		}
	})
	return r
}

func (r *recorder) add(e *events.Envelope) {
	r.mu.Lock()
	defer r.mu.Unlock()
	topic := strings.TrimPrefix(e.Topic, "/tasks/")
	r.list = append(r.list, topic)
	if v, err := typeurl.UnmarshalAny(e.Event); err == nil {
		r.last[topic] = v
	}
}

func (r *recorder) topics() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return strings.Join(r.list, " ")
}

func (r *recorder) event(topic string) any {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.last[topic]
}

func TestEvents(t *testing.T) {
	under(t, func(f *fixture) {
		got := f.record()
		task, _ := f.start("a", nil)
		pid := task.Pid()
		p, err := task.Exec(f.ctx, "e", f.processSpec(task, "sh", "-c", "exit 5"), cio.NullIO)
		f.must(err)
		f.must(p.Start(f.ctx))
		f.end(p)
		host.Await(f.t, "the exec's end", func() bool { return got.event("exit") != nil })
		if e := got.event("exit").(*eventtypes.TaskExit); e.ContainerID != "a" || e.ID != "e" || e.ExitStatus != 5 || e.Pid != p.Pid() {
			f.t.Errorf("the exec's end: %v", e)
		}
		f.must(task.Pause(f.ctx))
		f.must(task.Resume(f.ctx))
		f.finish(task)
		host.Await(f.t, "the end", func() bool { return got.event("delete") != nil })
		if want := "create start exec-added exec-started exit paused resumed exit delete"; got.topics() != want {
			f.t.Errorf("got  %s\nwant %s", got.topics(), want)
		}
		if e := got.event("exit").(*eventtypes.TaskExit); e.ContainerID != "a" || e.ID != "a" || e.ExitStatus != 137 || e.Pid != pid {
			f.t.Errorf("the end: %v", e)
		}
		if e := got.event("create").(*eventtypes.TaskCreate); e.Pid != pid || len(e.Rootfs) != 1 || e.Bundle == "" {
			f.t.Errorf("create: %v", e)
		}
	})
}

// needMemory skips where there is no memory controller, or where one of version 2 is not delegated to us.
func needMemory(t *testing.T) {
	t.Helper()
	data, err := readFile("/proc/self/cgroup")
	if err != nil || !strings.Contains(data, ":memory:") {
		t.Skip("needs the memory controller of version 1")
	}
}

func TestOOM(t *testing.T) {
	needMemory(t)
	under(t, func(f *fixture) {
		got := f.record()
		task, _ := f.start("a", []oci.SpecOpts{oci.WithMemoryLimit(16 << 20), oci.WithMemorySwap(16 << 20)}, "dd", "if=/dev/zero", "of=/dev/null", "bs=64M")
		if code := f.end(task); code != 137 {
			f.t.Errorf("exit code %d", code)
		}
		f.finish(task)
		host.Await(f.t, "the end", func() bool { return got.event("delete") != nil })
		topics := strings.Join(slices.Compact(strings.Fields(got.topics())), " ") // version 1 may tell of one kill many times
		if want := "create start oom exit delete"; topics != want {
			f.t.Errorf("got  %s\nwant %s", topics, want)
		}
	})
}

func TestMetrics(t *testing.T) {
	under(t, func(f *fixture) {
		task, _ := f.start("a", []oci.SpecOpts{oci.WithPidsLimit(50)})
		var m any
		host.Await(f.t, "metrics of one process", func() bool {
			metric, err := task.Metrics(f.ctx)
			f.must(err)
			m, err = typeurl.UnmarshalAny(metric.Data)
			f.must(err)
			switch m := m.(type) {
			case *v1.Metrics:
				return m.Pids.Current == 1 && m.Pids.Limit == 50 && m.Memory.Usage.Usage > 0
			case *v2.Metrics:
				return m.Pids.Current == 1 && m.Pids.Limit == 50
			}
			f.t.Fatalf("metrics are a %T", m)
			return false
		})
		limit := int64(60)
		f.must(task.Update(f.ctx, containerd.WithResources(&specs.LinuxResources{Pids: &specs.LinuxPids{Limit: &limit}})))
		metric, err := task.Metrics(f.ctx)
		f.must(err)
		m, err = typeurl.UnmarshalAny(metric.Data)
		f.must(err)
		if m, ok := m.(*v1.Metrics); ok && m.Pids.Limit != 60 {
			f.t.Errorf("limit after the update: %d", m.Pids.Limit)
		}
		f.finish(task)
	})
}

// TestRestart kills containerd, has one container end meanwhile, and starts it again.
func TestRestart(t *testing.T) {
	under(t, func(f *fixture) {
		_, out := f.start("stays", nil, "sh", "-c", "echo first; until [ -e /go ]; do sleep 0.05; done; echo last; exit 6")
		ends, ready := f.start("ends", nil, "sh", "-c", "trap 'exit 9' TERM; echo ready; while :; do sleep 0.05; done")
		host.Await(f.t, "the first line", func() bool { return out.String() == "first\n" })
		host.Await(f.t, "the trap", func() bool { return ready.String() == "ready\n" })
		pid := int(ends.Pid())
		f.Stop(unix.SIGKILL)
		f.must(unix.Kill(pid, unix.SIGTERM))
		host.Await(f.t, "the end", func() bool { return unix.Kill(pid, 0) == unix.ESRCH })
		f.must(f.Containerd.Start())
		f.connect()
		got := f.record()

		c, err := f.client.LoadContainer(f.ctx, "stays")
		f.must(err)
		var again buffer
		stays, err := c.Task(f.ctx, cio.NewAttach(cio.WithStreams(nil, &again, &again)))
		f.must(err)
		p, err := stays.Exec(f.ctx, "e", f.processSpec(stays, "touch", "/go"), cio.NullIO)
		f.must(err)
		f.must(p.Start(f.ctx))
		if code := f.end(stays); code != 6 {
			f.t.Errorf("what stayed: exit code %d", code)
		}
		_, err = p.Delete(f.ctx)
		f.must(err)
		f.finish(stays) // and its output
		if out.String()+again.String() != "first\nlast\n" {
			f.t.Errorf("printed %q, then %q", out.String(), again.String())
		}
		host.Await(f.t, "its events", func() bool { return strings.Contains(got.topics(), "exit delete") })

		c, err = f.client.LoadContainer(f.ctx, "ends")
		f.must(err)
		ends, err = c.Task(f.ctx, nil)
		if f.programs.New && errdefs.IsNotFound(err) { // 2.x deletes, when it starts, what has no process any more
			f.must(c.Delete(f.ctx, containerd.WithSnapshotCleanup))
			return
		}
		f.must(err)
		if code := f.end(ends); code != 9 {
			f.t.Errorf("what ended meanwhile: exit code %d", code)
		}
		_, err = ends.Delete(f.ctx)
		f.must(err)
		f.must(c.Delete(f.ctx, containerd.WithSnapshotCleanup))
	})
}

// TestShimKilled kills the shim: containerd has what is left taken away, and tells of it.
func TestShimKilled(t *testing.T) {
	under(t, func(f *fixture) {
		got := f.record()
		task, _ := f.start("a", nil)
		wait, err := task.Wait(f.ctx)
		f.must(err)
		shims := host.Shims(f.Dir)
		if len(shims) != 1 {
			f.t.Fatalf("shims: %v", shims)
		}
		f.must(unix.Kill(number(shims[0]), syscall.SIGKILL))
		if status := <-wait; status.Error() == nil && status.ExitCode() != 137 {
			f.t.Errorf("exit code %d", status.ExitCode())
		}
		host.Await(f.t, "the events", func() bool { return got.topics() == "create start exit delete" })
		if e := got.event("exit").(*eventtypes.TaskExit); e.ExitStatus != 137 || e.Pid != task.Pid() {
			f.t.Errorf("the end: %v", e)
		}
		host.Await(f.t, "the process to end", func() bool { return unix.Kill(int(task.Pid()), 0) == unix.ESRCH })
		c, err := f.client.LoadContainer(f.ctx, "a")
		f.must(err)
		task, err = c.NewTask(f.ctx, cio.NullIO)
		f.must(err)
		f.must(task.Start(f.ctx))
		f.finish(task)
	})
}
