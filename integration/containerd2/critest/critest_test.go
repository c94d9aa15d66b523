// Package critest runs cri-tools' critest, containerd's CRI seen from a kubelet, with containerd's own shim and runc, and with
// ours: what passes with the former must pass with the latter.
package critest

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dhow-containers/dhow/integration"
	"github.com/dhow-containers/dhow/integration/containerd2/host"
)

func TestMain(m *testing.M) { host.Main(m) }

const critest = "sigs.k8s.io/cri-tools/cmd/critest"

func TestCritest(t *testing.T) {
	program := filepath.Join(t.TempDir(), "critest")
	if out, err := exec.Command("go", "test", "-c", "-o", program, critest).CombinedOutput(); err != nil {
		t.Fatalf("cannot build %s: %v: %s", critest, err, out)
	}
	host.Registry(t, archive(t), "registry.k8s.io", "k8s.gcr.io", "gcr.io")
	for _, p := range host.Both(t) {
		t.Run(p.Name, func(t *testing.T) {
			peer, ours := run(t, program, p, "runc"), run(t, program, p, "dhow")
			for name, state := range peer {
				if state == "passed" && ours[name] != "passed" {
					t.Errorf("%s: %s", name, ours[name])
				}
			}
		})
	}
}

// archive is the image that stands for all that critest pulls: busybox, as the web server that some of them are.
func archive(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	bundle, err := integration.NewBundle(dir)
	must(t, err)
	for name, text := range map[string]string{"etc/passwd": "root:x:0:0:root:/root:/bin/sh\nwww-data:x:33:33:www-data:/var:/bin/false\n", "etc/group": "root:x:0:\nwww-data:x:33:\n",
		"www/index.html": "<title>Welcome to nginx!</title>\n"} {
		path := filepath.Join(bundle.Rootfs(), name)
		must(t, os.MkdirAll(filepath.Dir(path), 0o755))
		must(t, os.WriteFile(path, []byte(text), 0o644))
	}
	path := filepath.Join(dir, "image.tar")
	must(t, integration.ImageArchive(path, "bb", bundle.Rootfs(), "busybox", "httpd", "-f", "-p", "80", "-h", "/www"))
	return path
}

// config is that of the tests beside this, package cri, with our runtime class.
func config(new bool) string {
	version, plugin := "version = 2", "io.containerd.grpc.v1.cri"
	if new {
		version, plugin = "version = 3", "io.containerd.cri.v1.runtime"
	}
	return version + host.CRIBefore + host.CRISettings(new) + `[plugins."` + plugin + `".containerd.runtimes.dhow]
  runtime_type = "io.containerd.dhow.v2"
`
}

// portmap is for ports of the host.
const portmap = `,
  {"type": "portmap", "capabilities": {"portMappings": true}}`

// run gives each spec's state.
func run(t *testing.T, program string, p host.Programs, handler string) map[string]string {
	t.Helper()
	h := host.Start(t, p, "k8s.io", config(p.New), func(dir string) {
		must(t, os.Mkdir(dir+"/cni", 0o755))
		must(t, os.WriteFile(dir+"/cni/10-bridge.conflist", []byte(strings.ReplaceAll(host.CRINetwork(portmap), "DIR", dir)), 0o644))
	})
	defer h.Close()
	pause := host.Archive(t, "docker.io/library/pause:latest", "tail", "-f", "/dev/null")
	if out, err := h.Ctr("images", "import", pause).CombinedOutput(); err != nil {
		t.Fatalf("import: %v: %s", err, out)
	}
	socket := h.Socket()
	if !p.New {
		socket = h.Dir + "/proxy.sock"
		newProxy(t, socket, h.Socket())
	}
	report := filepath.Join(t.TempDir(), "report.json")
	args := []string{"-runtime-endpoint=unix://" + socket, "-runtime-handler=" + handler, "-ginkgo.json-report=" + report, "-ginkgo.v", "-ginkgo.skip=Image Manager"}
	if only := os.Getenv("DHOW_TEST_CRITEST"); only != "" {
		args = append(args, "-ginkgo.focus="+only)
	}
	cmd := exec.Command(program, args...)
	cmd.Dir = t.TempDir()
	log := filepath.Join(os.TempDir(), fmt.Sprintf("critest-%s-%s.log", p.Name, handler))
	f, err := os.Create(log)
	must(t, err)
	defer f.Close()
	cmd.Stdout, cmd.Stderr = f, f
	err = cmd.Run()
	states, count := read(t, report), map[string]int{}
	for _, state := range states {
		count[state]++
	}
	t.Logf("%s: %v, %v; log: %s", handler, count, err, log)
	if count["passed"] == 0 {
		t.Fatalf("%s: nothing passed", handler)
	}
	return states
}

// read reads a report as ginkgo writes it.
func read(t *testing.T, path string) map[string]string {
	t.Helper()
	text, err := os.ReadFile(path)
	must(t, err)
	var reports []struct {
		SpecReports []struct {
			ContainerHierarchyTexts []string
			LeafNodeText, State     string
		}
	}
	must(t, json.Unmarshal(text, &reports))
	states := map[string]string{}
	for _, r := range reports {
		for _, s := range r.SpecReports {
			if s.LeafNodeText != "" {
				states[strings.Join(append(s.ContainerHierarchyTexts, s.LeafNodeText), " ")] = s.State
			}
		}
	}
	return states
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
