package engine

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dhow-containers/dhow/integration"
)

// runcDaemon is a daemon with Debian's runc for other runtimes, by several names.
func runcDaemon(t *testing.T, flags ...string) *daemon {
	t.Helper()
	runc, err := exec.LookPath("runc")
	if err != nil {
		t.Skip("needs Debian's runc")
	}
	dir := t.TempDir()
	if err := os.Chmod(filepath.Dir(dir), 0o711); err != nil { // a runtime goes through as a container's root
		t.Fatal(err)
	}
	broken := filepath.Join(dir, "broken")
	script(t, broken, "exit 3")
	wordy := filepath.Join(dir, "wordy")
	script(t, wordy, `[ "$1" = --log ] || exit 4; exec `+runc+` "$@"`)
	file := filepath.Join(dir, "daemon.json")
	text, err := json.Marshal(map[string]any{"runtimes": map[string]any{
		"runc": map[string]any{"path": runc}, "gone": map[string]any{"path": filepath.Join(dir, "gone")}, "broken": map[string]any{"path": broken},
		"wordy": map[string]any{"path": wordy, "runtimeArgs": []string{"--log", filepath.Join(dir, "wordy.log")}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	d := newDaemon(t, append(flags, "--config-file", file)...)
	d.load(t)
	return d
}

func script(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+text+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
}

// Containers of another runtime live as those of ours do.
func TestOtherRuntime(t *testing.T) {
	d := runcDaemon(t)
	d.wants(t, "hi", 0, "run", "--rm", "--runtime", "runc", "busybox", "echo", "hi")
	d.wants(t, "hi", 0, "run", "--rm", "--runtime", "wordy", "busybox", "echo", "hi")
	d.wants(t, "", 7, "run", "--rm", "--runtime", "runc", "busybox", "sh", "-c", "exit 7")
	d.wants(t, "/dev/pts/0", 0, "run", "--rm", "-t", "--runtime", "runc", "busybox", "tty")
	d.wants(t, "", 127, "run", "--rm", "--runtime", "runc", "busybox", "no-such-program")

	d.must(t, "run", "-d", "--name", "ctr", "--runtime", "runc", "--memory", "64m", "--restart", "on-failure:1", "busybox", "sh", "-c",
		"trap 'echo bye; exit 5' TERM; echo up; while :; do sleep 0.05; done")
	await(t, "the trap", func() bool { return d.must(t, "logs", "ctr") == "up" })
	if got := d.state(t, "ctr", "{{.HostConfig.Runtime}} {{.State.Status}}"); got != "runc running" {
		t.Errorf("inspect: %s", got)
	}
	if states, _ := filepath.Glob(filepath.Join(d.Dir, "*/runtimes/runc/*/*/state.json")); len(states) != 1 {
		t.Errorf("runc's states below the exec root: %v", states)
	}
	d.wants(t, "in", 0, "exec", "ctr", "echo", "in")
	d.wants(t, "", 9, "exec", "ctr", "sh", "-c", "exit 9")
	d.wants(t, "/dev/pts/0", 0, "exec", "-t", "ctr", "tty")
	d.must(t, "pause", "ctr")
	if got := d.state(t, "ctr", "{{.State.Status}}"); got != "paused" {
		t.Errorf("paused: %s", got)
	}
	d.must(t, "unpause", "ctr")
	d.must(t, "update", "--memory", "128m", "--memory-swap", "256m", "ctr")
	if got := d.must(t, "top", "ctr", "-o", "pid,args"); !strings.Contains(got, "trap") {
		t.Errorf("top: %s", got)
	}
	if got := d.must(t, "stats", "--no-stream", "--format", "{{.MemUsage}}", "ctr"); !strings.HasSuffix(got, "/ 128MiB") {
		t.Errorf("stats: %s", got)
	}

	pid := d.state(t, "ctr", "{{.State.Pid}}")
	d.Kill()
	if err := d.Start(); err != nil {
		t.Fatal(err)
	}
	d.wants(t, "again", 0, "exec", "ctr", "echo", "again")
	if r := (&integration.Client{Program: "/bin/kill"}).Run(nil, "-KILL", pid); r.Code != 0 {
		t.Fatal(r.Stderr)
	}
	await(t, "the restart", func() bool { return d.state(t, "ctr", "{{.RestartCount}} {{.State.Status}}") == "1 running" })
	await(t, "the trap", func() bool { return strings.HasSuffix(d.must(t, "logs", "ctr"), "up\nup") })
	d.must(t, "stop", "ctr")
	if got := d.state(t, "ctr", "{{.State.Status}} {{.State.ExitCode}}"); got != "exited 5" {
		t.Errorf("stopped: %s", got)
	}
	d.must(t, "rm", "ctr")
	d.wantsNothingHeld(t)
	if got := d.must(t, "info", "--format", "{{json .Runtimes}}"); !strings.Contains(got, `"wordy":{"path":`) || !strings.Contains(got, `"runtimeArgs":["--log"`) {
		t.Errorf("info: %s", got)
	}
}

// A shim that is killed takes the container along, whose runtime cleans up.
func TestOtherRuntimeKilledShim(t *testing.T) {
	d := runcDaemon(t)
	d.must(t, "run", "-d", "--name", "ctr", "--runtime", "runc", "busybox", "sleep", "1000")
	pid := d.state(t, "ctr", "{{.State.Pid}}")
	shim := parent(t, pid)
	if r := (&integration.Client{Program: "/bin/kill"}).Run(nil, "-KILL", shim); r.Code != 0 {
		t.Fatal(r.Stderr)
	}
	await(t, "the end", func() bool { return d.state(t, "ctr", "{{.State.Status}} {{.State.ExitCode}}") == "exited 137" })
	if text, err := os.ReadFile("/proc/" + pid + "/cmdline"); err == nil && len(text) > 0 { // a zombie has none
		t.Errorf("the container's process is there: %q", text)
	}
	if states, _ := filepath.Glob(filepath.Join(d.Dir, "*/runtimes/runc/*/*")); len(states) != 0 {
		t.Errorf("runc's states: %v", states)
	}
	d.must(t, "rm", "ctr")
	d.wantsNothingHeld(t)
}

// parent is the pid of a process's parent.
func parent(t *testing.T, pid string) string {
	t.Helper()
	text, err := os.ReadFile("/proc/" + pid + "/status")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "\nPPid:\t")
	ppid, _, _ := strings.Cut(rest, "\n")
	return ppid
}

// A runtime that is not there, or fails, is named, and leaves nothing.
func TestOtherRuntimeFails(t *testing.T) {
	d := runcDaemon(t)
	for _, c := range []struct {
		name string
		code int
		want string
	}{
		{"gone", 127, "no such file or directory"},
		{"broken", 125, "exit status 3"},
		{"nobody", 125, "unknown or invalid runtime name: nobody"},
		{"io.containerd.kata.v2", 125, "unknown or invalid runtime name: io.containerd.kata.v2"},
	} {
		r := d.docker.Run(nil, "run", "--rm", "--runtime", c.name, "busybox", "true")
		if r.Code != c.code || !strings.Contains(r.Stderr, c.want) || !strings.Contains(r.Stderr, c.name) {
			t.Errorf("%s: exit %d, %s", c.name, r.Code, r.Stderr)
		}
	}
	if got := d.must(t, "ps", "-aq"); got != "" {
		t.Errorf("left: %s", got)
	}
	d.wantsNothingHeld(t)
}

// Containers with ids of their own, too.
func TestOtherRuntimeRemapped(t *testing.T) {
	withRemapUser(t)
	d := runcDaemon(t, "--userns-remap", "default", "--default-runtime", "runc")
	d.wants(t, "0 100000 65536", 0, "run", "--rm", "-v", "data:/data", "busybox", "awk", "{print $1,$2,$3}", "/proc/self/uid_map")
	d.wants(t, "out", 0, "run", "--rm", "-u", "www", "busybox", "sh", "-c", "echo out > /dev/stdout")
	d.wantsNothingHeld(t)
}

// Subpaths of volumes and images are mounted by other runtimes, too; no link leads out of them, and the host keeps no mount.
func TestOtherRuntimeSubpaths(t *testing.T) {
	subpaths(t, runcDaemon(t, "--default-runtime", "runc"))
}

// So they are where the runtime goes to them as a user that is none on the host.
func TestOtherRuntimeSubpathsRemapped(t *testing.T) {
	withRemapUser(t)
	subpaths(t, runcDaemon(t, "--userns-remap", "default", "--default-runtime", "runc"))
}

func subpaths(t *testing.T, d *daemon) {
	t.Helper()
	d.must(t, "run", "--name", "maker", "-v", "vol:/vol", "busybox", "sh", "-c",
		"for d in /vol /img; do mkdir -p $d/a/b; echo one > $d/a/b/file; ln -s ../../../../etc $d/a/out; done")
	d.must(t, "commit", "maker", "data:1")
	d.must(t, "rm", "maker")
	volume, image := "type=volume,source=vol,target=/x,volume-subpath=", "type=image,source=data:1,target=/y,image-subpath=img/"
	d.wants(t, "one\none", 0, "run", "--rm", "--mount", volume+"a/b", "--mount", image+"a/b", "busybox", "sh", "-c", "cat /x/file /y/file; echo two > /x/file")
	d.wants(t, "two\none", 0, "run", "--rm", "--mount", volume+"a/b/file", "--mount", image+"a/b/file", "busybox", "cat", "/x", "/y")
	for _, c := range []struct{ mount, words string }{
		{volume + "a/out", "leads out of the volume"}, {volume + "none", "cannot access path"},
		{image + "a/out", "leads out of the volume"}, {image + "none", "cannot access path"},
	} {
		if r := d.docker.Run(nil, "run", "--rm", "--mount", c.mount, "busybox", "true"); r.Code == 0 || !strings.Contains(r.Stderr, c.words) {
			t.Errorf("%s: exit %d, %s", c.mount, r.Code, r.Stderr)
		}
	}
	if r := d.docker.Run(nil, "run", "--rm", "--mount", volume+"a/b,readonly", "busybox", "sh", "-c", "echo > /x/file"); !strings.Contains(r.Stderr, "Read-only file system") {
		t.Errorf("a subpath that is read-only: exit %d, %s", r.Code, r.Stderr)
	}

	d.must(t, "run", "-d", "--name", "ctr", "--mount", volume+"a/b", "--mount", image+"a/b", "busybox", "sleep", "1000")
	for _, held := range d.holdings(t) {
		if strings.Contains(held, "/mounts/") {
			t.Errorf("the host has a %s", held)
		}
	}
	d.wants(t, "two\none", 0, "exec", "ctr", "cat", "/x/file", "/y/file")
	d.must(t, "restart", "-t", "0", "ctr")
	d.wants(t, "two\none", 0, "exec", "ctr", "cat", "/x/file", "/y/file")
	d.wantsNothingHeld(t)
}
