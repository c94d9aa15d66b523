package integration

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// sessionCLI is the runtime of a user whose systemd runs.
func sessionCLI(t *testing.T) *cli {
	t.Helper()
	if exec.Command("getent", "passwd", itoa(userID)).Run() != nil {
		out, err := exec.Command("useradd", "--uid", itoa(userID), "--user-group", "dhowtest").CombinedOutput()
		if err != nil {
			t.Fatalf("useradd: %v: %s", err, out)
		}
	}
	if out, err := exec.Command("systemctl", "start", fmt.Sprintf("user@%d.service", userID)).CombinedOutput(); err != nil {
		t.Fatalf("the user's systemd does not start: %v: %s", err, out)
	}
	dir := fmt.Sprintf("/run/user/%d", userID)
	await(t, "the user's systemd", func() bool { return exists(dir + "/systemd/private") })
	r := newUserCLI(t)
	r.Env = append(r.Env, "XDG_RUNTIME_DIR="+dir)
	r.Flags = []string{"--systemd-cgroup"}
	return r
}

// showUser is show for the user's systemd.
func (r *cli) showUser(unit, property string) string {
	r.t.Helper()
	cmd := exec.Command("systemctl", "--user", "show", "--value", "--property", property, unit)
	cmd.SysProcAttr = r.Command().SysProcAttr
	cmd.Env = r.Env
	out, err := cmd.Output()
	must(r.t, err)
	return strings.TrimSpace(string(out))
}

// A user's containers are units of the user's systemd, however the runtime is called: by its socket or by the bus.
func TestSystemdUser(t *testing.T) {
	if !underSystemd(t) {
		return
	}
	r := sessionCLI(t)
	bus := fmt.Sprintf("DBUS_SESSION_BUS_ADDRESS=unix:path=/run/user/%d/bus", userID)
	for name, env := range map[string][]string{"socket": r.Env, "bus": append([]string{bus}, r.Env...)} {
		if name == "bus" && !exists(fmt.Sprintf("/run/user/%d/bus", userID)) {
			continue
		}
		t.Run(name, func(t *testing.T) {
			r.Env = env
			testUserUnit(t, r)
		})
	}
}

func testUserUnit(t *testing.T, r *cli) {
	id := r.Create(newBundle(t, Rootless, Args("sleep", "1000"), Namespace(specs.CgroupNamespace, ""),
		annotation("org.systemd.property.TimeoutStopUSec", "uint64 7000000")))
	unit, _ := unitOf(id)
	group := fmt.Sprintf("/user.slice/user-%d.slice/user@%d.service/user.slice/%s", userID, userID, unit)
	if got := groupOf(t, r.State(id).Pid); got != group {
		t.Errorf("the init is in %s, want %s", got, group)
	}
	for name, want := range map[string]string{"ControlGroup": group, "ActiveState": "active", "Slice": "user.slice", "TimeoutStopUSec": "7s", "Delegate": "yes"} {
		if got := r.showUser(unit, name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	r.Must("start", id)
	r.Must("exec", id, "sh", "-c", "sleep 0; grep -c . /proc/self/cgroup; grep -o 0::.* /proc/self/cgroup").Exited(0)
	pidFile := filepath.Join(r.Root, "pid")
	r.Detached("exec", "--detach", "--pid-file", pidFile, id, "sleep", "1000").Exited(0)
	pid, err := strconv.Atoi(readFile(t, pidFile))
	must(t, err)
	if got := groupOf(t, pid); got != group {
		t.Errorf("the exec is in %s, want %s", got, group)
	}
	r.Must("delete", "--force", id)
	if got := r.showUser(unit, "LoadState"); got != "not-found" || exists("/sys/fs/cgroup"+group) {
		t.Errorf("left behind: %s %s", unit, got)
	}
}

// Without a session there is nobody to ask.
func TestSystemdUserWithoutASession(t *testing.T) {
	if !underSystemd(t) {
		return
	}
	onlyDhow(t, "the words are ours")
	r := newUserCLI(t)
	r.Flags = []string{"--systemd-cgroup"}
	r.Detached("create", "--bundle", newBundle(t, Rootless).Dir, r.ID()).Exited(1).Failed("--systemd-cgroup", "XDG_RUNTIME_DIR")
}

// A user's limits bind where the user's systemd has the controllers.
func TestSystemdUserLimits(t *testing.T) {
	if !underSystemd(t) {
		return
	}
	needV2(t, "memory", "pids")
	r := sessionCLI(t)
	limits := limited(&specs.LinuxResources{Memory: &specs.LinuxMemory{Limit: new(int64(64 << 20))}, Pids: &specs.LinuxPids{Limit: new(int64(20))}})
	id := r.Started(newBundle(t, Rootless, limits, Args("sleep", "1000")))
	unit, _ := unitOf(id)
	if got := r.showUser(unit, "MemoryMax") + " " + r.showUser(unit, "TasksMax"); got != "67108864 20" {
		t.Errorf("MemoryMax and TasksMax are %s", got)
	}
	group := groupOf(t, r.State(id).Pid)
	inGroup(t, group, "memory.max=67108864", "pids.max=20")
	r.Must("update", "--pids-limit", "30", id)
	inGroup(t, group, "pids.max=30")
	if got := r.showUser(unit, "TasksMax"); got != "30" {
		t.Errorf("TasksMax is %s", got)
	}
}
