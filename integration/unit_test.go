package integration

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// systemdCLI is the runtime with --systemd-cgroup.
func systemdCLI(t *testing.T) *cli {
	r := newCLI(t)
	r.Flags = []string{"--systemd-cgroup"}
	return r
}

// show asks systemd for properties of a unit.
func show(t *testing.T, unit string, properties ...string) map[string]string {
	t.Helper()
	out, err := exec.Command("systemctl", "show", "--property", strings.Join(properties, ","), unit).Output()
	must(t, err)
	values := map[string]string{}
	for _, line := range lines(string(out)) {
		name, value, _ := strings.Cut(line, "=")
		if old := values[name]; old != "" {
			value = old + " " + value
		}
		values[name] = value
	}
	return values
}

// shows checks properties of a unit, given as NAME=VALUE.
func shows(t *testing.T, unit string, want ...string) {
	t.Helper()
	var names []string
	for _, w := range want {
		name, _, _ := strings.Cut(w, "=")
		names = append(names, name)
	}
	got := show(t, unit, names...)
	for _, w := range want {
		if name, value, _ := strings.Cut(w, "="); got[name] != value {
			t.Errorf("%s: %s is %q, want %q", unit, name, got[name], value)
		}
	}
}

// unitOf names the unit of a container whose config does not, and its group.
func unitOf(id string) (unit, group string) {
	unit = string(underTest.kind) + "-" + id + ".scope"
	return unit, "/system.slice/" + unit
}

func noOwnUnit(t *testing.T, id string) {
	t.Helper()
	unit, group := unitOf(id)
	noUnit(t, unit, group)
}

// noUnit checks that systemd has forgotten a unit, and its group is gone.
func noUnit(t *testing.T, unit, group string) {
	t.Helper()
	shows(t, unit, "LoadState=not-found", "ActiveState=inactive")
	if group != "" && exists("/sys/fs/cgroup"+group) {
		t.Errorf("%s is left", group)
	}
}

func TestSystemdLifecycle(t *testing.T) {
	if !underSystemd(t) {
		return
	}
	r := systemdCLI(t)
	id := r.Create(newBundle(t, Args("sleep", "1000"), Namespace(specs.CgroupNamespace, "")))
	unit, group := unitOf(id)
	shows(t, unit, "LoadState=loaded", "ActiveState=active", "ControlGroup="+group, "Slice=system.slice", "Delegate=yes", "DefaultDependencies=no",
		"MemoryAccounting=yes", "CPUAccounting=yes", "IOAccounting=yes", "TasksAccounting=yes", "DevicePolicy=strict", "Transient=yes")
	if underTest.kind == Dhow {
		shows(t, unit, "Description=container "+id, "NeedDaemonReload=no")
	}
	if got := groupOf(t, r.State(id).Pid); got != group {
		t.Errorf("the init is in %s", got)
	}
	r.Flags = nil // the record knows from here on
	r.Must("start", id)
	if out := r.Do("exec", id, "cat", "/proc/self/cgroup").Exited(0).Stdout; !strings.Contains(out, "0::/\n") {
		t.Errorf("an exec sees %q", out)
	}
	r.Must("pause", id)
	shows(t, unit, "ActiveState=active")
	r.Must("resume", id)
	r.Must("kill", id, "KILL")
	r.AwaitStatus(id, "stopped")
	r.Must("delete", id)
	noUnit(t, unit, group)
}

func TestSystemdRun(t *testing.T) {
	if !underSystemd(t) {
		return
	}
	r := systemdCLI(t)
	for range 3 { // of the same name, one right after the other
		id := "dhowtest-again"
		r.Do("run", "--bundle", newBundle(t, Shell("grep -q again /proc/self/cgroup && exit 7")).Dir, id).Exited(7)
		noOwnUnit(t, id)
	}
}

func cgroupsPath(path string) Edit { return Linux(func(l *specs.Linux) { l.CgroupsPath = path }) }

func annotation(name, value string) Edit {
	return func(b *Bundle) {
		if b.Spec.Annotations == nil {
			b.Spec.Annotations = map[string]string{}
		}
		b.Spec.Annotations[name] = value
	}
}

func TestSystemdSlicesAndProperties(t *testing.T) {
	if !underSystemd(t) {
		return
	}
	r := systemdCLI(t)
	id := r.Create(newBundle(t, Args("sleep", "1000"), cgroupsPath("dhowtest-a.slice:libpod:props"),
		annotation("org.systemd.property.TimeoutStopUSec", "uint64 7000000"), annotation("org.systemd.property.RuntimeMaxSec", "1000"),
		annotation("org.systemd.property.CollectMode", "'inactive-or-failed'"), annotation("org.systemd.property.Documentation", "['man:a(1)', 'man:b(2)']")))
	unit := "libpod-props.scope"
	shows(t, unit, "ControlGroup=/dhowtest.slice/dhowtest-a.slice/"+unit, "Slice=dhowtest-a.slice", "TimeoutStopUSec=7s", "RuntimeMaxUSec=16min 40s",
		"CollectMode=inactive-or-failed", `Documentation="man:a(1)" "man:b(2)"`)
	r.Must("delete", "--force", id)
	noUnit(t, unit, "/dhowtest.slice/dhowtest-a.slice/"+unit)
}

func TestSystemdWrongPathsAndProperties(t *testing.T) {
	if !underSystemd(t) {
		return
	}
	r := systemdCLI(t)
	onlyDhow(t, "the words are ours")
	for name, c := range map[string]struct {
		edit  Edit
		words []string
	}{
		"path":        {cgroupsPath("/foo"), []string{`expected cgroupsPath to be of format "slice:prefix:name" for systemd cgroups, got "/foo" instead`}},
		"slice":       {cgroupsPath("foo:a:b"), []string{"linux.cgroupsPath", `"foo"`}},
		"text":        {annotation("org.systemd.property.Foo", "bar"), []string{"org.systemd.property.Foo", "GVariant"}},
		"no property": {annotation("org.systemd.property.NoSuchThing", "1"), []string{"org.systemd.property.NoSuchThing", "systemd unit"}},
		"wrong type":  {annotation("org.systemd.property.TasksMax", "'x'"), []string{"systemd unit"}},
	} {
		t.Run(name, func(t *testing.T) {
			r, id := systemdCLI(t), r.ID()
			r.Detached("create", "--bundle", newBundle(t, c.edit).Dir, id).Exited(1).Failed(c.words...)
			noOwnUnit(t, id)
			r.Do("state", id).Failed("does not exist")
		})
	}
	r.Flags = nil
	r.Detached("create", "--bundle", newBundle(t, cgroupsPath("a.slice:b:c")).Dir, r.ID()).Failed("needs --systemd-cgroup")
}

// A unit of the same name that is somebody else's is left alone, also by the clean-up.
func TestSystemdUnitInUse(t *testing.T) {
	if !underSystemd(t) {
		return
	}
	path := cgroupsPath(":taken:x")
	r, other := systemdCLI(t), systemdCLI(t)
	first := r.Started(newBundle(t, Args("sleep", "1000"), path))
	id := other.ID()
	other.Detached("create", "--bundle", newBundle(t, path).Dir, id).Exited(1)
	other.Must("delete", "--force", id)
	if s := r.State(first); s.Status != "running" {
		t.Errorf("the first container is %s", s.Status)
	}
	shows(t, "taken-x.scope", "ActiveState=active")
}

// What fails after the unit was started takes the unit back.
func TestSystemdFailureLeavesNoUnit(t *testing.T) {
	if !underSystemd(t) {
		return
	}
	r := systemdCLI(t)
	for name, edit := range map[string]Edit{
		"program": Args("/no/such/program"),
		"mount":   Mount("nosuchfs", "nosuchfs", "/mnt"),
		"hook": func(b *Bundle) {
			b.Spec.Hooks = &specs.Hooks{CreateRuntime: []specs.Hook{{Path: "/bin/false"}}}
		},
	} {
		t.Run(name, func(t *testing.T) {
			id := r.ID()
			r.Detached("run", "--detach", "--bundle", newBundle(t, edit).Dir, id).Exited(1)
			noOwnUnit(t, id)
		})
	}
}

// A limit whose controller the host lacks is an error here too, and not silence.
func TestSystemdLimitWithoutItsController(t *testing.T) {
	if !underSystemd(t) {
		return
	}
	onlyDhow(t, "peers leave it to systemd, which says nothing")
	needV2Lacks(t, "memory")
	r := systemdCLI(t)
	id := r.ID()
	r.Detached("create", "--bundle", newBundle(t, memoryLimit(64<<20)).Dir, id).Exited(1).Failed("memory")
	noOwnUnit(t, id)
}

func TestSystemdUpdateOfDevices(t *testing.T) {
	if !underSystemd(t) {
		return
	}
	onlyDhow(t, "peers change no devices")
	r := systemdCLI(t)
	id := r.Started(newBundle(t, Args("sleep", "1000"), allowed("c", 1, 11)))
	unit, _ := unitOf(id)
	if allow := show(t, unit, "DeviceAllow")["DeviceAllow"]; !strings.Contains(allow, "/dev/char/1:11 r") {
		t.Errorf("DeviceAllow: %s", allow)
	}
	file := filepath.Join(t.TempDir(), "resources")
	must(t, os.WriteFile(file, []byte(`{"devices":[{"allow":false,"access":"rwm"},{"allow":true,"type":"c","major":10,"minor":229,"access":"rw"}]}`), 0o644))
	r.Must("update", "--resources", file, id)
	allow := show(t, unit, "DeviceAllow")["DeviceAllow"]
	if strings.Contains(allow, "1:11") || !strings.Contains(allow, "/dev/char/10:229 rw") {
		t.Errorf("DeviceAllow after the update: %s", allow)
	}
}

func allowed(typ string, major, minor int64) Edit {
	return Resources(func(r *specs.LinuxResources) {
		r.Devices = append(r.Devices, specs.LinuxDeviceCgroup{Allow: true, Type: typ, Major: &major, Minor: &minor, Access: "r"})
	})
}

// The device rules hold after systemd has written its units' files again.
func TestSystemdDeviceRulesAfterDaemonReload(t *testing.T) {
	if !underSystemd(t) {
		return
	}
	r := systemdCLI(t)
	id := r.Started(newBundle(t, Args("sleep", "1000")))
	for _, when := range []string{"at first", "after a daemon-reload"} {
		r.Do("exec", id, "sh", "-c", "head -c 1 /dev/zero >/dev/null").Exited(0)
		r.Do("exec", id, "sh", "-c", "mknod /tmp/kmsg-"+when[:2]+" c 1 11 && head -c 1 /tmp/kmsg-"+when[:2]).Failed("not permitted")
		must(t, exec.Command("systemctl", "daemon-reload").Run())
	}
}

// The container ends with its unit, and systemd's words for it are not an error of delete.
func TestSystemdStopsTheUnitItself(t *testing.T) {
	if !underSystemd(t) {
		return
	}
	r := systemdCLI(t)
	id := r.Started(newBundle(t, Shell("trap '' TERM; while :; do sleep 1; done"), annotation("org.systemd.property.TimeoutStopUSec", "uint64 200000")))
	unit, _ := unitOf(id)
	must(t, exec.Command("systemctl", "stop", unit).Run())
	r.AwaitStatus(id, "stopped")
	r.Must("delete", id)
	noUnit(t, unit, "")
}

// The mounts of the container's own group, which does not exist before the unit does.
func TestSystemdCgroupMount(t *testing.T) {
	if !underSystemd(t) {
		return
	}
	mount := Mount("cgroup", "cgroup", "/sys/fs/cgroup", "nosuid", "noexec", "nodev", "ro")
	for name, edit := range map[string]Edit{
		"shared": mount, "shared, user namespace": both(mount, MappedUser), "namespace": both(mount, Namespace(specs.CgroupNamespace, "")),
	} {
		t.Run(name, func(t *testing.T) {
			r := systemdCLI(t)
			r.Run(newBundle(t, Shell("grep -c . /sys/fs/cgroup/cgroup.procs; cat /sys/fs/cgroup/cgroup.type"), edit)).Exited(0).Printed("2\ndomain")
		})
	}
}

// A systemd crash-safe record: SIGKILL of the runtime around the start of the unit leaves what delete --force
// removes.
func TestSystemdKilledRuntime(t *testing.T) {
	const name = "runtime-failpoint"
	if CurrentStage() != Systemd {
		path := failpointRuntime(t)
		m, err := bootMachine()
		if err == nil {
			err = m.Add(name, path)
		}
		if !errors.Is(err, ErrNoDebootstrap) {
			must(t, err)
		}
	}
	if !underSystemd(t) {
		return
	}
	for _, point := range []string{"parent:clone", "parent:unit", "parent:unit-started", "parent:record", "step:5", "step:50"} {
		r := systemdCLI(t)
		r.Path = machineFiles + "/" + name
		if inVM() {
			r.Path = failpointRuntime(t)
		}
		id := fmt.Sprintf("dhowtest-kill-%s", strings.ReplaceAll(point, ":", "-"))
		r.Env = append(os.Environ(), "DHOW_FAILPOINT="+point)
		r.Detached("create", "--bundle", newBundle(t, Args("sleep", "1000")).Dir, id).Exited(137)
		r.Env = nil
		r.Must("delete", "--force", id)
		noOwnUnit(t, id)
	}
}

// A host where systemd does not run is told so, and keeps nothing: no slice, no group, no record.
func TestSystemdThatDoesNotRun(t *testing.T) {
	needRoot(t)
	if exists("/run/systemd/private") {
		skip(t, "systemd runs here")
	}
	r := systemdCLI(t)
	id := r.ID()
	r.Detached("create", "--bundle", newBundle(t, cgroupsPath("dhowtestslice.slice:a:b")).Dir, id).Exited(1).Failed("systemd")
	for _, pattern := range []string{"/sys/fs/cgroup/dhowtestslice.slice", "/sys/fs/cgroup/*/dhowtestslice.slice"} {
		if left, _ := filepath.Glob(pattern); len(left) > 0 {
			t.Errorf("left behind: %v", left)
		}
	}
	if underTest.kind == Dhow {
		r.Do("state", id).Failed("does not exist")
	}
}
