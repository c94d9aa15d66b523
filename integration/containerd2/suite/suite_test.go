// Package suite runs the tests that containerd has of its client, with containerd's own shim and with ours: what passes with the
// former must pass with the latter.
package suite

import (
	"bufio"
	"bytes"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/integration"
	"github.com/dhow-containers/dhow/integration/containerd2/host"
)

func TestMain(m *testing.M) { host.Main(m) }

const clientTests = "github.com/containerd/containerd/v2/integration/client"

func TestContainerdSuite(t *testing.T) {
	if os.Getenv("DHOW_TEST_SUITE") == "" {
		t.Skip("is for make test-containerd")
	}
	runtime, err := integration.RuntimePath()
	must(t, err)
	programs := host.Two(t).Dir
	criu, err := integration.CRIU()
	must(t, err)
	t.Setenv("PATH", filepath.Dir(runtime)+":"+programs+":"+criu+":"+os.Getenv("PATH"))
	host.Registry(t, archive(t), "ghcr.io", "registry.k8s.io", "cplatpublic.azurecr.io")
	program := filepath.Join(t.TempDir(), "client.test")
	out, err := exec.Command("go", "test", "-c", "-o", program, clientTests).CombinedOutput()
	if err != nil {
		t.Fatalf("cannot build %s: %v: %s", clientTests, err, out)
	}
	s := &suite{t: t, program: program}
	peer, ours := s.run(integration.RuncRuntime), s.run(integration.ShimRuntime)
	for name, verdict := range peer {
		if verdict == "PASS" && ours[name] != "PASS" && exceptions[name] == "" {
			t.Errorf("%s: %s here", name, ours[name])
		}
		if exceptions[name] != "" && ours[name] == "PASS" {
			t.Errorf("%s passes, and is in the list of exceptions", name)
		}
	}
}

// archive is an image of busybox with the users that containerd's tests look for.
func archive(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	bundle, err := integration.NewBundle(dir)
	must(t, err)
	must(t, os.WriteFile(bundle.Rootfs()+"/etc/passwd", []byte("root:x:0:0:root:/root:/bin/sh\nsys:x:3:3:sys:/dev:/bin/false\nsync:x:4:100:sync:/bin:/bin/sync\nsquid:x:31:31:squid:/var:/bin/false\nwww-data:x:33:33:www-data:/var:/bin/false\n"), 0o644))
	must(t, os.WriteFile(bundle.Rootfs()+"/etc/group", []byte("root:x:0:\ndaemon:x:1:\nbin:x:2:\nsys:x:3:\nadm:x:4:\nusers:x:100:\nsquid:x:31:\nwww-data:x:33:\n"), 0o644))
	path := filepath.Join(dir, "image.tar")
	must(t, integration.ImageArchive(path, "bb", bundle.Rootfs(), "sh"))
	return path
}

type suite struct {
	t       *testing.T
	program string
}

var verdict = regexp.MustCompile(`^\s*--- (PASS|FAIL|SKIP): (\S+)`)

// unsuitable is a test that waits for an nc to end by SIGTERM, which Debian's does not do as process 1.
const unsuitable = "^TestBindLowPortNonOpt$"

// run gives each test's verdict. The tests run in a pid namespace, so that nothing outlives them.
func (s *suite) run(runtimeName string) map[string]string {
	s.t.Helper()
	for _, dir := range []string{"/run", "/var/lib/containerd-test"} {
		must(s.t, os.MkdirAll(dir, 0o755))
		must(s.t, unix.Mount("tmpfs", dir, "tmpfs", 0, "mode=755"))
		defer unix.Unmount(dir, unix.MNT_DETACH)
	}
	defer removeGroups(s.t, groups())
	args := []string{"--pid", "--fork", "--kill-child", "--mount-proc", s.program, "-test.root", "-test.v", "-test.timeout", "8m", "-test.skip", unsuitable}
	if only := os.Getenv("DHOW_TEST_SUITE"); only != "1" {
		args = append(args, "-test.run", only)
	}
	cmd := exec.Command("unshare", args...)
	cmd.Dir = s.t.TempDir()
	cmd.Env = append(os.Environ(), "TEST_RUNTIME="+runtimeName)
	log := filepath.Join(os.TempDir(), "containerd-suite-"+runtimeName+".log")
	f, err := os.Create(log)
	must(s.t, err)
	defer f.Close()
	cmd.Stdout, cmd.Stderr = f, f
	err = cmd.Run()
	out, e := os.ReadFile(log)
	must(s.t, e)
	found, count := map[string]string{}, map[string]int{}
	for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); {
		if m := verdict.FindStringSubmatch(lines.Text()); m != nil {
			found[m[2]] = m[1]
			count[m[1]]++
		}
	}
	s.t.Logf("%s: %v, %v; log: %s", runtimeName, count, err, log)
	if count["PASS"] == 0 {
		s.t.Fatalf("%s: no test passed", runtimeName)
	}
	return found
}

// groups are the control groups of the namespace that containerd's tests use.
func groups() (list []string) {
	tops, _ := filepath.Glob("/sys/fs/cgroup/*/testing*")
	for _, top := range tops {
		filepath.WalkDir(top, func(path string, d fs.DirEntry, err error) error {
			if err == nil && d.IsDir() {
				list = append(list, path)
			}
			return nil
		})
	}
	return list
}

// removeGroups removes those that were not there before: containerd's tests leave them.
func removeGroups(t *testing.T, before []string) {
	now := groups()
	for _, dir := range slices.Backward(now) { // the innermost first
		if !slices.Contains(before, dir) {
			if err := os.Remove(dir); err != nil {
				t.Log(err)
			}
		}
	}
}

// exceptions are tests that want what containerd's own shim has and ours does not, with the reason.
var exceptions = map[string]string{
	"TestKillContainerDeletedByRunc": "has runc delete a container by runc's state, behind the shim's back; here there is no runc",
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
