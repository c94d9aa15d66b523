// Package client drives the shim as programs do that link containerd's client.
package client

import (
	"bytes"
	"context"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	containerd "github.com/containerd/containerd/v2/client"
	"github.com/containerd/containerd/v2/pkg/cio"
	"github.com/containerd/containerd/v2/pkg/namespaces"
	"github.com/containerd/containerd/v2/pkg/oci"

	"github.com/dhow-containers/dhow/integration"
	"github.com/dhow-containers/dhow/integration/containerd2/host"
)

// runtimeName is ours, or that of the peer in $DHOW_TEST_SHIM.
var runtimeName = func() string {
	if name := os.Getenv("DHOW_TEST_SHIM"); name != "" {
		return name
	}
	return integration.ShimRuntime
}()

// fixture is a containerd with an image, and a client.
type fixture struct {
	*host.Host
	programs host.Programs
	t        *testing.T
	ctx      context.Context
	client   *containerd.Client
	image    containerd.Image
}

// under runs a test under each containerd.
func under(t *testing.T, test func(*fixture)) {
	t.Parallel()
	for _, p := range host.Both(t) {
		t.Run(p.Name, func(t *testing.T) {
			t.Parallel()
			test(newFixture(t, p))
		})
	}
}

func newFixture(t *testing.T, p host.Programs) *fixture {
	t.Helper()
	config := integration.ContainerdConfig
	if p.New {
		config = integration.Containerd2Config
	}
	f := &fixture{programs: p, Host: host.Start(t, p, "", config), t: t}
	ctx, cancel := context.WithTimeout(t.Context(), 5*host.Patience)
	t.Cleanup(cancel)
	f.ctx = namespaces.WithNamespace(ctx, f.Namespace)
	f.connect()
	archive, err := os.Open(host.Archive(t, host.Image, "sleep", "1000"))
	f.must(err)
	defer archive.Close()
	images, err := f.client.Import(f.ctx, archive)
	f.must(err)
	if len(images) != 1 || images[0].Name != host.Image {
		t.Fatalf("imported %v", images)
	}
	f.image = containerd.NewImage(f.client, images[0])
	f.must(f.image.Unpack(f.ctx, snapshotter))
	return f
}

// snapshotter mounts an overlay on a layer.
const snapshotter = "overlayfs"

// connect makes a new client.
func (f *fixture) connect() {
	f.t.Helper()
	client, err := containerd.New(f.Socket())
	f.must(err)
	f.t.Cleanup(func() { client.Close() })
	f.client = client
}

func (f *fixture) must(err error) {
	f.t.Helper()
	if err != nil {
		f.t.Fatal(err)
	}
}

// container makes a container that runs a command, and removes it at the end.
func (f *fixture) container(id string, options []oci.SpecOpts, command ...string) containerd.Container {
	f.t.Helper()
	spec := append([]oci.SpecOpts{oci.WithImageConfig(f.image)}, options...)
	if len(command) > 0 {
		spec = append(spec, oci.WithProcessArgs(command...))
	}
	c, err := f.client.NewContainer(f.ctx, id, containerd.WithSnapshotter(snapshotter), containerd.WithNewSnapshot(id, f.image),
		containerd.WithNewSpec(spec...), containerd.WithRuntime(runtimeName, nil))
	f.must(err)
	return c
}

// start makes and starts a container, with its output.
func (f *fixture) start(id string, options []oci.SpecOpts, command ...string) (containerd.Task, *buffer) {
	f.t.Helper()
	c := f.container(id, options, command...)
	out := &buffer{}
	task, err := c.NewTask(f.ctx, cio.NewCreator(cio.WithStreams(nil, out, out)))
	f.must(err)
	f.must(task.Start(f.ctx))
	return task, out
}

// end is how a process ends, which it has to.
func (f *fixture) end(p containerd.Process) uint32 {
	f.t.Helper()
	wait, err := p.Wait(f.ctx)
	f.must(err)
	select {
	case status := <-wait:
		code, _, err := status.Result()
		f.must(err)
		return code
	case <-time.After(host.Patience):
		f.t.Fatalf("%s does not end", p.ID())
		return 0
	}
}

// finish kills a task, and removes it and its container.
func (f *fixture) finish(task containerd.Task) {
	f.t.Helper()
	_ = task.Kill(f.ctx, syscall.SIGKILL) // it may be over
	f.end(task)
	_, err := task.Delete(f.ctx)
	f.must(err)
	c, err := f.client.LoadContainer(f.ctx, task.ID())
	f.must(err)
	f.must(c.Delete(f.ctx, containerd.WithSnapshotCleanup))
}

// buffer is written and read at the same time.
type buffer struct {
	mu   sync.Mutex
	data bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.data.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.data.String()
}

func readFile(path string) (string, error) {
	data, err := os.ReadFile(path)
	return string(data), err
}

// number is the first word of a line.
func number(line string) int {
	word, _, _ := strings.Cut(line, " ")
	n, _ := strconv.Atoi(word)
	return n
}
