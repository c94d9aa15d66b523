package engine

import (
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dhow-containers/dhow/integration"
)

const composeFile = `version: "3.8"
services:
  web:
    image: busybox
    command: sh -c 'echo page > /data/index.html; exec httpd -f -p 80 -h /data'
    volumes: ["data:/data"]
    ports: ["127.0.0.1:18090:80"]
  app:
    image: busybox
    depends_on: [web]
    command: sh -c 'until wget -q -O /tmp/x http://web/; do sleep 0.1; done; cat /tmp/x; exec sleep 1000'
volumes: {data: {}}
`

// Debian's docker-compose brings up two services that find each other.
func TestCompose(t *testing.T) {
	program, err := exec.LookPath("docker-compose")
	if err != nil {
		t.Skip("needs Debian's package docker-compose")
	}
	d := sharedDaemon(t)
	dir := filepath.Join(t.TempDir(), "project")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "docker-compose.yml"), []byte(composeFile), 0o644); err != nil {
		t.Fatal(err)
	}
	compose := d.client(program)
	compose.Dir = dir
	do := func(args ...string) string {
		t.Helper()
		out, err := compose.Do(args...)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	t.Cleanup(func() { compose.Run(nil, "down", "-v", "-t", "0") })
	do("up", "-d")
	await(t, "the page in the app's log", func() bool { return strings.Contains(do("logs", "app"), "page") })
	answer, err := http.Get("http://127.0.0.1:18090/")
	if err != nil {
		t.Fatal(err)
	}
	page, _ := io.ReadAll(answer.Body)
	answer.Body.Close()
	if string(page) != "page\n" {
		t.Errorf("the published port answers %q", page)
	}
	if ps := do("ps"); strings.Count(ps, "Up") != 2 {
		t.Errorf("ps: %s", ps)
	}
	if out := do("exec", "-T", "web", "cat", "/data/index.html"); out != "page" {
		t.Errorf("exec: %q", out)
	}
	do("up", "-d") // changes nothing
	do("restart", "-t", "0", "app")
	do("down", "-v", "-t", "0")
	if left := d.must(t, "ps", "-aq", "--filter", "name=project"); left != "" {
		t.Errorf("containers are left: %s", left)
	}
	if left := d.must(t, "volume", "ls", "-q", "--filter", "name=project"); left != "" {
		t.Errorf("volumes are left: %s", left)
	}
}

const pythonClient = `
import docker, sys
c = docker.from_env()
assert c.ping()
out = c.containers.run("busybox", ["echo", "hello"], remove=True)
assert out == b"hello\n", out
x = c.containers.run("busybox", ["sh", "-c", "echo a; exec sleep 1000"], detach=True, name="py", labels={"by": "py"})
assert [k.name for k in c.containers.list(filters={"label": "by=py"})] == ["py"]
code, out = x.exec_run(["sh", "-c", "echo in; exit 3"])
assert (code, out) == (3, b"in\n"), (code, out)
lines = x.logs(stream=True, follow=True)
assert next(lines) == b"a\n"
x.reload()
assert x.status == "running"
stats = x.stats(stream=False)
assert stats["pids_stats"]["current"] >= 1, stats
x.stop(timeout=0)
assert x.wait()["StatusCode"] == 137
x.remove()
try:
    c.containers.run("busybox", ["nosuch"], remove=True)
    sys.exit("no error")
except docker.errors.APIError as e:
    assert "executable file not found" in str(e), e
assert "busybox:latest" in [t for i in c.images.list() for t in i.tags]
n = c.networks.create("pynet"); n.remove()
v = c.volumes.create("pyvol"); v.remove()
print("ok")
`

// docker-py lists, runs, execs and reads logs.
func TestDockerPy(t *testing.T) {
	if exec.Command("/usr/bin/python3", "-c", "import docker").Run() != nil {
		t.Skip("needs Debian's package python3-docker")
	}
	d := sharedDaemon(t)
	remover(t, d, "py")
	if r := d.client("/usr/bin/python3").Run(nil, "-c", pythonClient); strings.TrimSpace(r.Stdout) != "ok" {
		t.Errorf("exit %d: %s%s", r.Code, r.Stdout, r.Stderr)
	}
}

// What is pushed to a registry comes back the same; a second pull has nothing to do.
func TestRegistry(t *testing.T) {
	d := sharedDaemon(t)
	r, err := integration.StartRegistry(t.TempDir(), "")
	if err != nil {
		t.Skipf("needs Debian's package docker-registry: %v", err)
	}
	defer r.Close()
	ref := r.Address + "/test/nine:1"
	if err := integration.PushLayers(d.docker, ref, 9); err != nil {
		t.Fatal(err)
	}
	id := d.must(t, "image", "inspect", "-f", "{{.Id}} {{len .RootFS.Layers}}", ref)
	if !strings.HasSuffix(id, " 9") {
		t.Errorf("layers: %s", id)
	}
	d.must(t, "rmi", ref)
	d.must(t, "image", "prune", "-f") // what the commits have left
	out := d.must(t, "pull", ref)
	if !strings.Contains(out, "Status: Downloaded newer image for "+ref) || strings.Count(out, "Pull complete") < 8 {
		t.Errorf("pull: %s", out)
	}
	if again := d.must(t, "image", "inspect", "-f", "{{.Id}} {{len .RootFS.Layers}}", ref); again != id {
		t.Errorf("what was pulled is %s, what was pushed %s", again, id)
	}
	if out := d.must(t, "pull", ref); !strings.Contains(out, "Status: Image is up to date for "+ref) {
		t.Errorf("a second pull: %s", out)
	}
	d.wants(t, "8", 0, "run", "--rm", ref, "sh", "-c", "ls /noise* | wc -l")
	if out := d.must(t, "push", ref); !strings.Contains(out, "Layer already exists") {
		t.Errorf("a second push: %s", out)
	}
	d.must(t, "rmi", ref)
}
