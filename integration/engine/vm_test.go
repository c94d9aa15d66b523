package engine

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// The tests named TestVMEngine… need a host with nothing but version 2 control groups, where every controller limits.
// `make test-vm` has one.

const groups = "/sys/fs/cgroup"

// unifiedDaemon is the shared one, on a host with some controllers of version 2.
func unifiedDaemon(t *testing.T, controllers ...string) *daemon {
	t.Helper()
	needRoot(t)
	there, err := os.ReadFile(groups + "/cgroup.controllers")
	if err != nil {
		t.Skip("needs a unified host: make test-vm")
	}
	for _, c := range controllers {
		if !slices.Contains(strings.Fields(string(there)), c) {
			t.Skip("needs the v2 controller " + c + ": make test-vm")
		}
	}
	return sharedDaemon(t)
}

// group is the control group of a container that runs.
func (d *daemon) group(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile("/proc/" + d.state(t, name, "{{.State.Pid}}") + "/cgroup")
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimPrefix(strings.TrimSpace(string(text)), "0::")
}

// holds compares files of a group.
func holds(t *testing.T, group string, want map[string]string) {
	t.Helper()
	for file, value := range want {
		got, err := os.ReadFile(filepath.Join(groups, group, file))
		if err != nil || strings.TrimSpace(string(got)) != value {
			t.Errorf("%s is %q (%v), want %q", file, got, err, value)
		}
	}
}

func TestVMEngineInfo(t *testing.T) {
	d := unifiedDaemon(t, "memory", "cpu", "cpuset", "io", "pids")
	d.wants(t, "2 cgroupfs overlayfs []", 0, "info", "-f", "{{.CgroupVersion}} {{.CgroupDriver}} {{.Driver}} {{.Warnings}}")
}

func TestVMEngineLimits(t *testing.T) {
	d := unifiedDaemon(t, "memory", "cpu", "cpuset", "io", "pids")
	disk := os.Getenv("DHOW_TEST_DISK")
	remover(t, d, "limited")
	args := []string{"run", "-d", "--name", "limited", "-m", "64m", "--memory-swap", "96m", "--memory-reservation", "32m", "--cpus", "0.5",
		"--cpu-shares", "512", "--cpuset-cpus", "0", "--pids-limit", "20", "--blkio-weight", "300"}
	want := map[string]string{
		"memory.max": "67108864", "memory.swap.max": "33554432", "memory.low": "33554432", "cpu.max": "50000 100000",
		"cpuset.cpus": "0", "pids.max": "20", "cgroup.freeze": "0",
	}
	if disk != "" {
		want["io.bfq.weight"] = "default 300"
		args = append(args, "--device-write-bps", disk+":1mb", "--device-read-iops", disk+":100")
	}
	d.must(t, append(args, "busybox", "sleep", "1000")...)
	group := d.group(t, "limited")
	if want := "/dhow/" + d.state(t, "limited", "{{.Id}}"); group != want {
		t.Errorf("the group is %s, want %s", group, want)
	}
	holds(t, group, want)
	if disk != "" {
		text, err := os.ReadFile(groups + group + "/io.max")
		if err != nil || !strings.Contains(string(text), "wbps=1048576 riops=100") {
			t.Errorf("io.max: %q, %v", text, err)
		}
	}
	d.wants(t, "0::/", 0, "exec", "limited", "cat", "/proc/self/cgroup")
	d.must(t, "update", "-m", "96m", "--memory-swap", "96m", "--cpus", "1.5", "--pids-limit", "30", "--cpuset-cpus", "0-1", "limited")
	holds(t, group, map[string]string{
		"memory.max": "100663296", "memory.swap.max": "0", "cpu.max": "150000 100000", "pids.max": "30", "cpuset.cpus": "0-1",
	})
	stats := strings.Fields(d.must(t, "stats", "--no-stream", "--format", "{{.PIDs}} {{.MemUsage}}", "limited"))
	if len(stats) != 4 || stats[0] != "1" || stats[3] != "96MiB" || stats[1] == "0B" {
		t.Errorf("stats: %q", stats)
	}
	d.must(t, "pause", "limited")
	holds(t, group, map[string]string{"cgroup.freeze": "1"})
	d.wants(t, "paused", 0, "inspect", "-f", "{{.State.Status}}", "limited")
	d.must(t, "unpause", "limited")
	d.must(t, "kill", "limited")
	d.wants(t, "137 false", 0, "inspect", "-f", "{{.State.ExitCode}} {{.State.OOMKilled}}", "limited")
	if exists(groups + group) {
		t.Errorf("%s is left", group)
	}
}

// The container is killed, and an exec that goes too far alone is not the container's end.
func TestVMEngineOOM(t *testing.T) {
	d := unifiedDaemon(t, "memory")
	testOOM(t, d)
	remover(t, d, "survivor")
	d.must(t, "run", "-d", "--name", "survivor", "-m", "16m", "--memory-swap", "16m", "busybox", "sleep", "1000")
	if r := d.docker.Run(nil, "exec", "survivor", "sh", "-c", hog); r.Code != 137 {
		t.Errorf("the hog: exit %d, %s", r.Code, r.Stderr)
	}
	d.wants(t, "running", 0, "inspect", "-f", "{{.State.Status}}", "survivor")
	for _, name := range []string{"greedy", "survivor"} {
		d.wants(t, name, 0, "events", "--since", "1", "--until", strconv.FormatInt(time.Now().Unix()+1, 10),
			"--filter", "event=oom", "--filter", "container="+name, "--format", "{{.Actor.Attributes.name}}")
	}
}

func TestVMEngineCgroups(t *testing.T) {
	d := unifiedDaemon(t, "memory", "pids")
	const look = "cat /proc/self/cgroup; mkdir /sys/fs/cgroup/sub 2>/dev/null && echo writable"
	id := func(s string) string { return s[strings.LastIndex(s, "/")+1:] }
	own := d.must(t, "run", "--rm", "busybox", "sh", "-c", look+"; true")
	if own != "0::/" {
		t.Errorf("a namespace of its own: %q", own)
	}
	host := d.must(t, "run", "--rm", "--cgroupns", "host", "--cgroup-parent", "/mine/deep", "-m", "32m", "busybox", "sh", "-c", "cat /proc/self/cgroup /sys/fs/cgroup/memory.max")
	path, limit, _ := strings.Cut(host, "\n")
	if !strings.HasPrefix(path, "0::/mine/deep/") || len(id(path)) != 64 || limit != "33554432" {
		t.Errorf("in the host's namespace: %q", host)
	}
	for _, dir := range []string{"/mine/deep", "/mine"} {
		if err := os.Remove(groups + dir); err != nil {
			t.Errorf("something is left: %v", err)
		}
	}
	d.wants(t, "0::/\nwritable", 0, "run", "--rm", "--privileged", "--cgroupns", "private", "busybox", "sh", "-c", look)
}

func TestVMEngineDevices(t *testing.T) {
	d := unifiedDaemon(t)
	disk := os.Getenv("DHOW_TEST_DISK")
	if disk == "" {
		t.Skip("needs a disk of its own: make test-vm")
	}
	const read, write = "dd if=/dev/x of=/dev/null count=1 2>/dev/null", "dd if=/dev/zero of=/dev/x count=1 conv=notrunc 2>/dev/null"
	const script = read + " && echo read; " + write + " && echo written; true"
	for want, flags := range map[string][]string{
		"read\nwritten": {"--device", disk + ":/dev/x"},
		"read":          {"--device", disk + ":/dev/x:r"},
		"":              {"-v", disk + ":/dev/x"}, // there, but not allowed
	} {
		args := append(append([]string{"run", "--rm"}, flags...), "busybox", "sh", "-c", script)
		d.wants(t, want, 0, args...)
	}
	d.wants(t, "read\nwritten", 0, "run", "--rm", "--privileged", "-v", disk+":/dev/x", "busybox", "sh", "-c", script)
}

// A published port, names, and both ways through the kernel's own translation.
func TestVMEngineNetwork(t *testing.T) {
	d := unifiedDaemon(t)
	remover(t, d, "web")
	d.must(t, "network", "create", "vmnet")
	t.Cleanup(func() { d.docker.Run(nil, "network", "rm", "vmnet") })
	d.must(t, "run", "-d", "--name", "web", "--network", "vmnet", "-p", "127.0.0.1:8099:80", "busybox", "sh", "-c", "echo hello > /tmp/index.html; exec httpd -f -p 80 -h /tmp")
	await(t, "the port", func() bool { return fetch("http://127.0.0.1:8099/") == "hello\n" })
	d.wants(t, "hello", 0, "run", "--rm", "--network", "vmnet", "busybox", "wget", "-q", "-O-", "http://web/")
}

// A daemon that is killed changes nothing for its containers, and the next one can do all with them.
func TestVMEngineKilled(t *testing.T) {
	unifiedDaemon(t, "memory", "pids")
	d := newDaemon(t, "--bridge", "none", "--iptables=false") // the table is the shared one's
	d.load(t)
	d.must(t, "run", "-d", "--name", "lives", "--network", "none", "-m", "64m", "busybox", "sh", "-c", "trap 'exit 7' TERM; while :; do sleep 1; done")
	group := d.group(t, "lives")
	d.Kill()
	holds(t, group, map[string]string{"memory.max": "67108864"})
	if err := d.Start(); err != nil {
		t.Fatal(err)
	}
	d.must(t, "update", "--pids-limit", "40", "lives")
	holds(t, group, map[string]string{"pids.max": "40"})
	d.must(t, "stop", "lives")
	d.wants(t, "7", 0, "inspect", "-f", "{{.State.ExitCode}}", "lives")
}

// fetch is what a web server answers, "" while there is none.
func fetch(url string) string {
	answer, err := http.Get(url)
	if err != nil {
		return ""
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return ""
	}
	return string(body)
}
