package engine

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/dhow-containers/dhow/integration"
)

// A machine has systemd for its init: the virtual one of `make test-vm`, or a Debian on this kernel in namespaces of its own.
type machine struct {
	t       *testing.T
	root    string // of its first process
	command func(args ...string) *exec.Cmd
}

// bootedMachine has dhowd installed as README.md says.
func bootedMachine(t *testing.T) *machine {
	t.Helper()
	needRoot(t)
	m := &machine{t: t, root: "/proc/1/root", command: func(args ...string) *exec.Cmd {
		return exec.Command("nsenter", append([]string{"--target", "1", "--mount", "--net", "--"}, args...)...)
	}}
	if os.Getenv("DHOW_TEST_VM") != "systemd" {
		rootfs, err := integration.SystemdRootfs()
		if errors.Is(err, integration.ErrNoDebootstrap) {
			t.Skip(err)
		}
		if err != nil {
			t.Fatal(err)
		}
		debian, err := integration.Boot(rootfs, t.TempDir(), map[string]string{"dhow": filepath.Join(programs, "dhow")})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(debian.ShutDown)
		m.root, m.command = debian.Root(), debian.Command
	}
	m.install()
	return m
}

const unitsDir = "higher/cmd/dhowd/systemd"

func (m *machine) install() {
	m.t.Helper()
	tree, err := integration.Tree()
	if err != nil {
		m.t.Fatal(err)
	}
	for _, f := range []struct {
		from, to string
		mode     os.FileMode
	}{
		{filepath.Join(programs, "dhowd"), "/usr/local/bin/dhowd", 0o755},
		{filepath.Join(programs, "dhow"), "/usr/local/bin/dhow", 0o755},
		{filepath.Join(programs, "containerd-shim-dhow-v2"), "/usr/local/bin/containerd-shim-dhow-v2", 0o755},
		{filepath.Join(programs, "dhow-init"), "/usr/local/bin/dhow-init", 0o755},
		{filepath.Join(tree, unitsDir, "dhow.service"), "/etc/systemd/system/dhow.service", 0o644},
		{filepath.Join(tree, unitsDir, "dhow.socket"), "/etc/systemd/system/dhow.socket", 0o644},
		{busybox, "/root/busybox.tar", 0o644},
	} {
		if err := integration.CopyFile(m.root+f.to, f.from); err != nil {
			m.t.Fatal(err)
		}
		if err := os.Chmod(m.root+f.to, f.mode); err != nil {
			m.t.Fatal(err)
		}
	}
	m.must("groupadd", "--force", "--system", "docker")
}

// try runs a command in the machine.
func (m *machine) try(args ...string) (string, error) {
	cmd := m.command(args...)
	cmd.Env = append(slices.Clone(cmd.Env), "PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root")
	out, err := cmd.CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

func (m *machine) must(args ...string) string {
	m.t.Helper()
	out, err := m.try(args...)
	if err != nil {
		m.t.Fatalf("%s: %v: %s\n%s", strings.Join(args, " "), err, out, m.log())
	}
	return out
}

func (m *machine) log() string {
	out, _ := m.try("journalctl", "--no-pager", "-n", "40", "-u", "dhow.service", "-u", "dhow.socket")
	return out
}

// wants runs a command that has to print this.
func (m *machine) wants(want string, args ...string) {
	m.t.Helper()
	if got := m.must(args...); got != want {
		m.t.Errorf("%s: %q, want %q", strings.Join(args, " "), got, want)
	}
}

// is compares a property of a unit.
func (m *machine) is(unit, property, want string) {
	m.t.Helper()
	m.wants(want, "systemctl", "show", "--value", "-p", property, unit)
}

// flags writes the EnvironmentFile.
func (m *machine) flags(flags string) {
	m.t.Helper()
	if err := os.WriteFile(m.root+"/etc/default/dhow", []byte("DHOW_OPTS=\""+flags+"\"\n"), 0o644); err != nil {
		m.t.Fatal(err)
	}
}

// The units as they are shipped: started by the first client, ready when it says so, restarted and killed without a
// container noticing. Containers are systemd's scopes, unless somebody says otherwise.
func TestSystemdEngine(t *testing.T) {
	m := bootedMachine(t)
	m.wants("", "systemd-analyze", "verify", "dhow.service", "dhow.socket")
	const own = "--data-root /tmp/dhow --label from=default "
	m.flags(own)
	m.must("systemctl", "start", "dhow.socket")
	m.is("dhow.service", "ActiveState", "inactive")
	m.wants("2 systemd [from=default]", "dhow", "info", "-f", "{{.CgroupVersion}} {{.CgroupDriver}} {{.Labels}}")
	m.is("dhow.service", "ActiveState", "active")
	m.is("dhow.service", "SubState", "running")
	m.must("dhow", "load", "-q", "-i", "/root/busybox.tar")
	m.giveParser()
	m.must("dhow", "run", "-d", "--name", "one", "--stop-timeout", "7", "--stop-signal", "QUIT", "busybox", "sleep", "1000")
	m.must("dhow", "run", "-d", "--name", "two", "--cgroup-parent", "mine.slice", "busybox", "sleep", "1000")
	id := m.must("dhow", "inspect", "-f", "{{.Id}}", "one")
	scope := "dhow-" + id + ".scope"
	m.is(scope, "ActiveState", "active")
	m.wants("TimeoutStopUSec=7s\nSlice=system.slice\nKillSignal=3", "systemctl", "show", "-p", "TimeoutStopUSec,Slice,KillSignal", scope)
	m.is("dhow-"+m.must("dhow", "inspect", "-f", "{{.Id}}", "two")+".scope", "Slice", "mine.slice")
	// What systemd gives the daemon, and not what that has made of it for itself; and the kernel may pick a container first.
	m.wants("1024 0", "dhow", "exec", "one", "sh", "-c", "echo $(ulimit -n) $(cat /proc/1/oom_score_adj)")
	m.limits()
	pid := m.must("dhow", "inspect", "-f", "{{.State.Pid}}", "one")
	lives := func(when string) {
		t.Helper()
		if got := m.must("dhow", "inspect", "-f", "{{.State.Status}} {{.State.Pid}}", "one"); got != "running "+pid {
			t.Errorf("%s: the container is %s, was running %s", when, got, pid)
		}
		m.wants("here", "dhow", "exec", "one", "echo", "here")
	}
	m.must("systemctl", "restart", "dhow.service")
	lives("after a restart")
	m.must("sh", "-c", "kill -KILL $(systemctl show --value -p MainPID dhow.service)")
	lives("after a kill")
	m.must("systemctl", "stop", "dhow.socket", "dhow.service")
	m.must("systemctl", "start", "dhow.socket")
	lives("after a stop")
	m.flags(own + "--exec-opt native.cgroupdriver=cgroupfs")
	m.must("systemctl", "restart", "dhow.service")
	m.wants("cgroupfs", "dhow", "info", "-f", "{{.CgroupDriver}}")
	lives("with another driver")
	m.wants("0::/", "dhow", "run", "--rm", "busybox", "grep", "0::", "/proc/self/cgroup")
	m.must("dhow", "rm", "-f", "one", "two")
	m.is(scope, "ActiveState", "inactive")
	m.must("systemctl", "stop", "dhow.socket", "dhow.service")
}

// limits looks at what systemd makes of limits, where there are any.
func (m *machine) limits() {
	m.t.Helper()
	if m.must("dhow", "info", "-f", "{{.MemoryLimit}} {{.CPUCfsQuota}} {{.PidsLimit}}") != "true true true" {
		m.t.Log("no controllers of version 2 on this host: make test-vm")
		return
	}
	id := m.must("dhow", "run", "-d", "-m", "64m", "--cpus", "0.5", "--pids-limit", "20", "busybox", "sleep", "1000")
	scope := "dhow-" + id + ".scope"
	show := func(want string) {
		m.t.Helper()
		m.wants(want, "systemctl", "show", "-p", "MemoryMax,CPUQuotaPerSecUSec,TasksMax", scope)
	}
	show("CPUQuotaPerSecUSec=500ms\nMemoryMax=67108864\nTasksMax=20")
	m.must("dhow", "update", "-m", "96m", "--memory-swap", "-1", "--cpus", "1", "--pids-limit", "30", id)
	show("CPUQuotaPerSecUSec=1s\nMemoryMax=100663296\nTasksMax=30")
	m.wants("100663296", "dhow", "exec", id, "cat", "/sys/fs/cgroup/memory.max")
	m.must("dhow", "rm", "-f", id)
}

// giveParser has apparmor_parser installed, where there is AppArmor. Without it there is no container that runs under no
// profile unawares.
func (m *machine) giveParser() {
	m.t.Helper()
	const parser = "/dhow/bin/apparmor_parser"
	if !strings.Contains(m.must("dhow", "info", "-f", "{{.SecurityOptions}}"), "name=apparmor") || !exists(parser) {
		return
	}
	out, err := m.try("dhow", "run", "--rm", "busybox", "true")
	if err == nil || !strings.Contains(out, "docker-default profile could not be loaded: apparmor_parser is not installed") {
		m.t.Errorf("without apparmor_parser: %q, %v", out, err)
	}
	if err := os.Symlink(parser, m.root+"/usr/sbin/apparmor_parser"); err != nil {
		m.t.Fatal(err)
	}
}
