package cri

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	cri "k8s.io/cri-api/pkg/apis/runtime/v1"

	"github.com/dhow-containers/dhow/integration"
	"github.com/dhow-containers/dhow/integration/containerd2/host"
)

// TestCheckpoint saves a container into an archive, as a kubelet does on demand.
func TestCheckpoint(t *testing.T) {
	criu, err := integration.CRIU()
	if err != nil {
		t.Skip(err)
	}
	t.Setenv("PATH", criu+":"+os.Getenv("PATH"))
	onNodes(t, func(t *testing.T, n *node) {
		if !n.new {
			t.Skip("containerd 1.6 has no checkpoints for CRI")
		}
		p := n.run(t)
		id := p.start("a", []string{"sh", "-c", "i=0; while sleep 0.05; do i=$((i+1)); echo n$i; done"})
		host.Await(t, "some output", func() bool { return strings.Contains(p.log("a"), "n5\n") })
		archive := filepath.Join(t.TempDir(), "a.tar")
		_, err := p.client.CheckpointContainer(t.Context(), &cri.CheckpointContainerRequest{ContainerId: id, Location: archive, Timeout: 30})
		must(t, err)
		if p.status(id).State != cri.ContainerState_CONTAINER_RUNNING {
			t.Error("the container has ended")
		}
		out, err := exec.Command("tar", "-tf", archive).CombinedOutput()
		must(t, err)
		if !strings.Contains(string(out), "checkpoint/inventory.img") {
			t.Errorf("the archive holds\n%s", out)
		}
	})
}
