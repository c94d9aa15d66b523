package integration

import (
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// The engines that users have, with the runtime under test in the place of runc: each does with it what it does with
// any runtime. They are Debian's packages docker.io, podman and containerd; make test-engines wants all of them.

// needEngines skips unless the slow engines were asked for.
func needEngines(t *testing.T) {
	if os.Getenv("DHOW_TEST_ENGINES") == "" {
		skip(t, "is for make test-engines")
	}
}

// needProgram finds a program, or skips.
func needProgram(t *testing.T, name string) string {
	t.Helper()
	needRoot(t)
	path, err := exec.LookPath(name)
	if err != nil {
		if os.Getenv("DHOW_TEST_ENGINES") != "" {
			t.Fatal(err)
		}
		skip(t, "needs "+name)
	}
	return path
}

// engine is a client's command line with what selects the engine under test.
type engine struct {
	t       *testing.T
	command []string
	env     []string
}

func (e *engine) do(stdin *os.File, args ...string) (stdout string, code int) {
	e.t.Helper()
	cmd := exec.Command(e.command[0], append(e.command[1:], args...)...)
	cmd.Env = append(os.Environ(), e.env...)
	cmd.Stdin = stdin
	var stderr strings.Builder
	cmd.Stderr = &stderr
	cmd.WaitDelay = patience
	out, err := cmd.Output()
	if err != nil && cmd.ProcessState == nil {
		e.t.Fatal(err)
	}
	if stderr.Len() > 0 {
		e.t.Logf("%s: %s", strings.Join(args, " "), clip(stderr.String()))
	}
	return strings.TrimSpace(string(out)), exitCode(cmd.ProcessState)
}

// wants runs a command that has to print and exit like that.
func (e *engine) wants(stdout string, code int, args ...string) {
	e.t.Helper()
	if got, n := e.do(nil, args...); got != stdout || n != code {
		e.t.Errorf("%s: printed %q, exit %d; want %q, %d", strings.Join(args, " "), got, n, stdout, code)
	}
}

func (e *engine) must(args ...string) string {
	e.t.Helper()
	out, code := e.do(nil, args...)
	if code != 0 {
		e.t.Fatalf("%s: exit %d: %s", strings.Join(args, " "), code, out)
	}
	return out
}

// importImage makes an image of busybox with the name bb.
func (e *engine) importImage(args ...string) {
	e.t.Helper()
	archive := filepath.Join(e.t.TempDir(), "bb.tar")
	cmd := exec.Command("tar", "-C", newBundle(e.t).Rootfs(), "-cf", archive, ".")
	if out, err := cmd.CombinedOutput(); err != nil {
		e.t.Fatalf("tar: %v: %s", err, out)
	}
	e.must(append(args, archive, "bb")...)
}

// drive does what docker and podman have in common.
func (e *engine) drive() {
	run := []string{"run", "--rm", "--network", "none"}
	with := func(args ...string) []string { return append(run[:len(run):len(run)], args...) }
	e.wants("hello", 0, with("bb", "echo", "hello")...)
	e.wants("", 7, with("bb", "sh", "-c", "exit 7")...)
	e.wants("", 127, with("bb", "nosuch")...)
	e.wants("", 126, with("bb", "/etc/passwd")...)
	e.wants("x", 0, with("--read-only", "--tmpfs", "/tmp", "--cap-drop", "all", "--security-opt", "no-new-privileges", "bb", "sh", "-c", "echo x > /tmp/a && cat /tmp/a")...)
	e.wants("5", 0, with("-u", "5", "bb", "id", "-u")...)
	e.wants("20", 0, with("--pids-limit", "20", "bb", "sh", "-c", "cat /sys/fs/cgroup/pids.max 2>/dev/null || cat /sys/fs/cgroup/pids/pids.max")...)
	e.wants("0", 0, with("--privileged", "bb", "id", "-u")...)

	e.must("run", "-d", "--name", "c1", "--network", "none", "bb", "sleep", "1000")
	e.wants("in", 0, "exec", "c1", "echo", "in")
	e.wants("", 9, "exec", "c1", "sh", "-c", "exit 9")
	if top := e.must("top", "c1"); !strings.Contains(top, "sleep 1000") {
		e.t.Errorf("top: %s", top)
	}
	e.must("pause", "c1")
	e.wants("paused", 0, "inspect", "--format", "{{.State.Status}}", "c1")
	e.must("unpause", "c1")
	e.must("stop", "-t", "1", "c1")
	e.wants("137", 0, "inspect", "--format", "{{.State.ExitCode}}", "c1")
	e.must("start", "c1")
	e.must("kill", "c1")
	e.must("rm", "-f", "c1")
}

// ownGroups removes, at the end, the groups that an engine makes at the top of each hierarchy and leaves there.
func ownGroups(t *testing.T, names ...string) {
	before := map[string]bool{}
	for _, root := range cgroupMounts() {
		for _, name := range names {
			before[filepath.Join(root, name)] = exists(filepath.Join(root, name))
		}
	}
	t.Cleanup(func() {
		for dir, was := range before {
			if !was {
				_ = unix.Rmdir(filepath.Join(dir, "conmon")) // podman's own
				_ = unix.Rmdir(dir)
			}
		}
	})
}

// daemon starts a program and ends it with the test.
func daemon(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	log, err := os.Create(filepath.Join(t.TempDir(), "log"))
	must(t, err)
	cmd.Stdout, cmd.Stderr = log, log
	must(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Signal(unix.SIGTERM)
		timer := time.AfterFunc(patience, func() { _ = cmd.Process.Kill() })
		_ = cmd.Wait()
		timer.Stop()
		if t.Failed() {
			t.Logf("%s: %s", cmd.Args[0], clip(readFile(t, log.Name())))
		}
	})
}

// shortDir is a directory with a path that leaves room for the names of sockets in it.
func shortDir(t *testing.T) string {
	dir, err := os.MkdirTemp("/tmp", "dhow")
	must(t, err)
	t.Cleanup(func() {
		unmountAll(t, dir)
		must(t, os.RemoveAll(dir))
	})
	return dir
}

// unmountAll takes away what an engine left mounted below dir.
func unmountAll(t *testing.T, dir string) {
	for _, point := range mountsOf(dir) {
		_ = unix.Unmount(strings.TrimPrefix(point, "mount "), unix.MNT_DETACH)
	}
}

func jsonFile(t *testing.T, path string, v any) string {
	data, err := json.Marshal(v)
	must(t, err)
	must(t, os.WriteFile(path, data, 0o644))
	return path
}

func TestUnderDocker(t *testing.T) {
	e := newDocker(t, map[string]any{
		"runtimes": map[string]any{"tested": map[string]string{"path": underTest.runtime}}, "default-runtime": "tested",
	})
	e.driveDocker()
}

// TestShimUnderDocker has a newer dockerd, over containerd 2, run our shim, without runc or a program in its place.
func TestShimUnderDocker(t *testing.T) {
	needEngines(t)
	onlyDhow(t, "the shim is ours")
	dir, err := DockerdProgram()
	must(t, err)
	e := startDocker(t, filepath.Join(dir, "dockerd"), needContainerd2(t), map[string]any{
		"runtimes": map[string]any{"dhow": map[string]string{"runtimeType": ShimRuntime}}, "default-runtime": "dhow",
		"min-api-version": "1.24", "features": map[string]bool{"containerd-snapshotter": false}, // for Debian's client, and for vfs
	})
	e.driveDocker()
	e.must("run", "-d", "--name", "c3", "--network", "none", "bb", "sh", "-c", "echo out; echo err >&2; exit 3")
	e.wants("3", 0, "wait", "c3")
	e.wants("out", 0, "logs", "c3")
	e.wants("dhow", 0, "inspect", "--format", "{{.HostConfig.Runtime}}", "c3")
	e.must("rm", "c3")
}

// newDocker starts Debian's dockerd.
func newDocker(t *testing.T, config map[string]any) *engine {
	needEngines(t)
	return startDocker(t, needProgram(t, "dockerd"), "", config)
}

// startDocker starts a dockerd that has everything of its own and no network. It finds our shim and the programs in the
// directory programs, if there is one, before all others.
func startDocker(t *testing.T, dockerd, programs string, more map[string]any) *engine {
	docker := needProgram(t, "docker")
	dir := shortDir(t)
	ownGroups(t, "docker")
	socket := "unix://" + dir + "/docker.sock"
	config := map[string]any{
		"data-root": dir + "/data", "exec-root": dir + "/exec", "pidfile": dir + "/pid", "hosts": []string{socket},
		"bridge": "none", "iptables": false, "ip6tables": false, "storage-driver": "vfs",
	}
	maps.Copy(config, more)
	cmd := exec.Command(dockerd, "--config-file", jsonFile(t, dir+"/daemon.json", config))
	path := filepath.Dir(underTest.runtime) + ":" + os.Getenv("PATH")
	if programs != "" {
		path = programs + ":" + path
	}
	cmd.Env = append(os.Environ(), "PATH="+path)
	daemon(t, cmd)
	e := &engine{t: t, command: []string{docker, "-H", socket}}
	await(t, "dockerd to answer", func() bool { _, code := e.do(nil, "version"); return code == 0 })
	e.importImage("import")
	return e
}

// driveDocker is drive, and what only docker has.
func (e *engine) driveDocker() {
	e.drive()
	e.wants("console\nfd\nfull", 0, "run", "-t", "--rm", "--network", "none", "bb", "sh", "-c", "stty -onlcr; ls -1 /dev | head -3")
	e.must("run", "-d", "--name", "c2", "--network", "none", "--init", "-m", "64m", "bb", "sleep", "1000")
	e.must("update", "-m", "100m", "--memory-swap", "200m", "c2")
	if stats := e.must("stats", "--no-stream", "--format", "{{.MemUsage}}", "c2"); !strings.Contains(stats, "/ 100MiB") {
		e.t.Errorf("stats: %s", stats)
	}
	e.must("restart", "-t", "0", "c2")
	e.must("rm", "-f", "c2")
}

func TestUnderPodman(t *testing.T) {
	needEngines(t)
	podman := needProgram(t, "podman")
	needProgram(t, "conmon")
	dir := shortDir(t)
	ownGroups(t, "libpod_parent")
	storage := "[storage]\ndriver=\"vfs\"\ngraphroot=\"" + dir + "/storage\"\nrunroot=\"" + dir + "/run\"\n"
	must(t, os.WriteFile(dir+"/storage.conf", []byte(storage), 0o644))
	containers := "[containers]\ndefault_ulimits=[\"nofile=1024:1024\",\"nproc=1000:1000\"]\n" +
		"[engine]\ncgroup_manager=\"cgroupfs\"\nevents_logger=\"file\"\nruntime=\"tested\"\ntmp_dir=\"" + dir + "/tmp\"\n" +
		"[engine.runtimes]\ntested=[\"" + underTest.runtime + "\"]\n"
	must(t, os.WriteFile(dir+"/containers.conf", []byte(containers), 0o644))
	policy := jsonFile(t, dir+"/policy.json", map[string]any{"default": []any{map[string]string{"type": "insecureAcceptAnything"}}})
	e := &engine{t: t, command: []string{podman}, env: []string{"CONTAINERS_STORAGE_CONF=" + dir + "/storage.conf", "CONTAINERS_CONF=" + dir + "/containers.conf"}}
	unmounted := unmountedControllers(t) // podman makes directories for them, which are nobody's
	t.Cleanup(func() {
		e.must("rm", "-af")
		for _, name := range unmounted {
			must(t, os.RemoveAll("/sys/fs/cgroup/"+name))
		}
	})
	e.importImage("import", "--signature-policy", policy)
	e.drive()
	e.wants("console\nfd\nfull", 0, "run", "-t", "--rm", "--network", "none", "bb", "sh", "-c", "stty -onlcr; ls -1 /dev | head -3")
	e.wants("0     100000      65536", 0, "run", "--rm", "--network", "none", "--uidmap", "0:100000:65536", "bb", "cat", "/proc/self/uid_map")
}

// unmountedControllers are controllers of cgroup v1 without a directory, which podman will make one for.
func unmountedControllers(t *testing.T) []string {
	var list []string
	for _, line := range lines(readFile(t, "/proc/cgroups"))[1:] {
		if name := strings.Fields(line)[0]; !exists("/sys/fs/cgroup/" + name) {
			list = append(list, name)
		}
	}
	return list
}

func TestUnderContainerd(t *testing.T) {
	containerd := needProgram(t, "containerd")
	ctr := needProgram(t, "ctr")
	dir := shortDir(t)
	namespace := "dhow-" + itoa(os.Getpid())
	ownGroups(t, namespace)
	config := "version = 2\ndisabled_plugins = [\"io.containerd.grpc.v1.cri\"]\nroot = \"" + dir + "/root\"\nstate = \"" + dir + "/state\"\n[grpc]\naddress = \"" + dir + "/sock\"\n"
	must(t, os.WriteFile(dir+"/config.toml", []byte(config), 0o644))
	daemon(t, exec.Command(containerd, "--config", dir+"/config.toml"))
	e := &engine{t: t, command: []string{ctr, "-a", dir + "/sock", "-n", namespace}}
	await(t, "containerd to answer", func() bool { _, code := e.do(nil, "version"); return code == 0 })
	rootfs := newBundle(t).Rootfs()
	run := func(args ...string) []string {
		return append([]string{"run", "--runc-binary", underTest.runtime, "--rootfs"}, args...)
	}
	e.wants("hello", 0, run("--rm", rootfs, "c1", "/bin/echo", "hello")...)
	e.wants("", 7, run("--rm", rootfs, "c2", "/bin/sh", "-c", "exit 7")...)
	e.must(run("-d", rootfs, "c3", "/bin/sleep", "1000")...)
	e.wants("in", 0, "task", "exec", "--exec-id", "e1", "c3", "/bin/echo", "in")
	e.wants("", 9, "task", "exec", "--exec-id", "e2", "c3", "/bin/sh", "-c", "exit 9")
	e.must("task", "pause", "c3")
	e.must("task", "resume", "c3")
	if metrics := e.must("task", "metrics", "c3"); !strings.Contains(metrics, "c3") {
		t.Errorf("metrics: %s", metrics)
	}
	if ps := e.must("task", "ps", "c3"); len(lines(ps)) != 2 {
		t.Errorf("ps: %s", ps)
	}
	e.must("task", "kill", "-s", "KILL", "c3")
	await(t, "the task to stop", func() bool { return strings.Contains(e.must("task", "ls"), "STOPPED") })
	e.must("task", "delete", "c3")
	e.must("container", "rm", "c3")
}
