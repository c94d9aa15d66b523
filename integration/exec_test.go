package integration

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/creack/pty"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// sleeper is a running container that holds the probe.
func sleeper(t *testing.T, edits ...Edit) (*cli, string) {
	t.Helper()
	r := newCLI(t)
	b := newBundle(t, append([]Edit{Args("sleep", "1000"), withProbe}, edits...)...)
	return r, r.Started(b)
}

func TestExecExitCodes(t *testing.T) {
	t.Parallel()
	r, id := sleeper(t)
	r.Do("exec", id, "true").Exited(0)
	r.Do("exec", id, "sh", "-c", "exit 3").Exited(3)
	r.Do("exec", id, "sh", "-c", "kill -TERM $$").Exited(143)
	r.Do("exec", id, "sh", "-c", "kill -KILL $$").Exited(137)
}

func TestExecStreams(t *testing.T) {
	t.Parallel()
	r, id := sleeper(t)
	cmd := r.Command("exec", id, "sh", "-c", "tr a-z A-Z; echo err >&2")
	cmd.Stdin = strings.NewReader("in\n")
	if res := r.DoCommand(cmd).Exited(0).Printed("IN"); res.Stderr != "err\n" {
		t.Errorf("stderr %q", res.Stderr)
	}
}

func TestExecJoinsTheContainer(t *testing.T) {
	t.Parallel()
	r, id := sleeper(t, Namespace(specs.CgroupNamespace, ""))
	pid := r.State(id).Pid
	f := r.Do("exec", id, "/probe", "dump").Facts()
	for kind, got := range f.Namespaces {
		want, err := os.Readlink("/proc/" + itoa(pid) + "/ns/" + kind)
		must(t, err)
		if got != want {
			t.Errorf("%s namespace %s, the container's is %s", kind, got, want)
		}
	}
	if f.Pid == 1 || f.Hostname != "box" || f.Status["NoNewPrivs"] != "1" {
		t.Errorf("pid %d hostname %q no_new_privs %s", f.Pid, f.Hostname, f.Status["NoNewPrivs"])
	}
	init := readFile(t, "/proc/"+itoa(pid)+"/cgroup")
	started := r.Command("exec", "--detach", id, "sleep", "1000")
	r.DoCommand(started).Exited(0)
	for _, p := range r.processes(id) {
		if got := readFile(t, "/proc/"+itoa(p)+"/cgroup"); got != init {
			t.Errorf("pid %d is in cgroups\n%s\nthe container's are\n%s", p, got, init)
		}
	}
}

// processes asks ps for the pids of a container.
func (r *cli) processes(id string) []int {
	r.t.Helper()
	var pids []int
	decode(r.t, r.Must("ps", "--format", "json", id).Stdout, &pids)
	return pids
}

func TestExecUserCwdEnv(t *testing.T) {
	t.Parallel()
	r, id := sleeper(t, Dir("srv"), Env("FROM=config"))
	f := r.Do("exec", "--user", "1000:50", "--additional-gids", "7", "--additional-gids", "8", "--cwd", "/srv",
		"--env", "A=1", "--env", "B=two words", id, "/probe", "dump").Facts()
	groups := slices.DeleteFunc(f.Groups, func(g int) bool { return g == 50 })
	if f.UID != 1000 || f.GID != 50 || !slices.Contains(groups, 7) || !slices.Contains(groups, 8) || f.Cwd != "/srv" {
		t.Errorf("uid %d gid %d groups %v cwd %s", f.UID, f.GID, f.Groups, f.Cwd)
	}
	for _, want := range []string{"A=1", "B=two words", "FROM=config"} {
		if !slices.Contains(f.Env, want) {
			t.Errorf("environment lacks %s: %v", want, f.Env)
		}
	}
}

func TestExecCapabilities(t *testing.T) {
	t.Parallel()
	r, id := sleeper(t)
	before := r.Do("exec", id, "/probe", "dump").Facts().Status["CapEff"]
	f := r.Do("exec", "--cap", "CAP_SYS_ADMIN", id, "/probe", "dump").Facts()
	if f.Status["CapEff"] == before || f.Status["CapBnd"] == before {
		t.Errorf("with CAP_SYS_ADMIN: effective %s, bounding %s; without: %s", f.Status["CapEff"], f.Status["CapBnd"], before)
	}
}

func TestExecProcessFile(t *testing.T) {
	t.Parallel()
	r, id := sleeper(t)
	data, err := json.Marshal(specs.Process{
		Args: []string{"/probe", "dump"}, Cwd: "/tmp", Env: []string{"ONLY=this"}, User: specs.User{UID: 5, GID: 6},
	})
	must(t, err)
	path := filepath.Join(t.TempDir(), "process.json")
	must(t, os.WriteFile(path, data, 0o644))
	f := r.Do("exec", "--process", path, id).Facts()
	env := slices.DeleteFunc(f.Env, func(v string) bool { return strings.HasPrefix(v, "HOME=") })
	if f.UID != 5 || f.GID != 6 || f.Cwd != "/tmp" || !slices.Equal(env, []string{"ONLY=this"}) || f.Status["NoNewPrivs"] != "0" {
		t.Errorf("uid %d gid %d cwd %s env %v no_new_privs %s", f.UID, f.GID, f.Cwd, f.Env, f.Status["NoNewPrivs"])
	}
}

func TestExecDetached(t *testing.T) {
	t.Parallel()
	r, id := sleeper(t)
	pidFile := filepath.Join(t.TempDir(), "pid")
	r.Detached("exec", "--detach", "--pid-file", pidFile, id, "sleep", "777").Exited(0)
	pid := readFile(t, pidFile)
	await(t, "sleep to run", func() bool { return strings.Contains(readFile(t, "/proc/"+pid+"/cmdline"), "777") })
	if !slices.ContainsFunc(r.processes(id), func(p int) bool { return itoa(p) == pid }) {
		t.Errorf("ps does not list %s", pid)
	}
}

func TestExecTerminal(t *testing.T) {
	t.Parallel()
	r, id := sleeper(t)
	out := newWatcher("")
	_, wait := onPty(t, r, out, pty.Winsize{Rows: 31, Cols: 99}, "exec", "--tty", id, "sh", "-c", "tty; stty size; exit 6")
	if code := wait(); code != 6 || !strings.Contains(out.String(), "/dev/pts/0") || !strings.Contains(out.String(), "31 99") {
		t.Errorf("exit %d, printed %q", code, out.String())
	}
}

func TestExecDetachedTerminal(t *testing.T) {
	t.Parallel()
	r, id := sleeper(t)
	path, receive := consoleSocket(t)
	r.Detached("exec", "--detach", "--tty", "--console-socket", path, id, "sh", "-c", "echo hello; read x").Exited(0)
	out := newWatcher("hello")
	go out.drain(receive())
	out.await(t)
}

func TestExecMissingCommand(t *testing.T) {
	t.Parallel()
	r, id := sleeper(t)
	res := r.Do("exec", id, "foo").Failed(`exec: "foo": executable file not found in $PATH`)
	want := 1
	if underTest.kind == Runc {
		want = 255 // what runc's exec exits with for its own errors
	}
	if res.Code != want && res.Code != 255 {
		t.Errorf("exit %d, want %d", res.Code, want)
	}
	r.Do("exec", id).Failed()
	r.Do("exec", "--cwd", "relative", id, "true").Failed()
}

func TestExecInACreatedContainer(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	id := r.Create(newBundle(t))
	r.Do("exec", id, "hostname").Exited(0).Printed("box")
}

func TestExecInAUserNamespace(t *testing.T) {
	t.Parallel()
	r, id := sleeper(t, MappedUser)
	f := r.Do("exec", id, "/probe", "dump").Facts()
	if f.UID != 0 || strings.Join(strings.Fields(f.UIDMap), " ") != "0 100000 65536" {
		t.Errorf("uid %d map %q", f.UID, f.UIDMap)
	}
}

func TestExecPreservesFDs(t *testing.T) {
	t.Parallel()
	r, id := sleeper(t)
	cmd := r.Command("exec", "--preserve-fds", "1", id, "/probe", "dump")
	cmd.ExtraFiles = someFiles(t, 2)
	f := r.DoCommand(cmd).Facts()
	if len(f.FDs) != 4 || !strings.HasSuffix(f.FDs[3], "/0") {
		t.Errorf("descriptors inside: %v", f.FDs)
	}
}

func TestExecForwardsSignals(t *testing.T) {
	t.Parallel()
	r, id := sleeper(t)
	cmd := r.Command("exec", id, "sh", "-c", "trap 'exit 9' TERM; echo ready; while :; do sleep 0.05; done")
	out := newWatcher("ready")
	cmd.Stdout = out
	go func() {
		<-out.seen
		_ = cmd.Process.Signal(syscall.SIGTERM)
	}()
	r.DoCommand(cmd).Exited(9)
}

func TestExecSubgroup(t *testing.T) {
	onlyDhow(t, "1.1 has other rules for several flags")
	needV1(t, "cpu")
	t.Parallel()
	r, id := sleeper(t)
	place := func(pid string) map[string]string {
		groups := map[string]string{}
		for _, line := range lines(readFile(t, "/proc/"+pid+"/cgroup")) {
			parts := strings.SplitN(line, ":", 3)
			groups[parts[1]] = parts[2]
		}
		return groups
	}
	own := place(itoa(r.State(id).Pid))
	for controllers, group := range own { // the same directories in all hierarchies, so that any may be chosen
		hierarchy := filepath.Join("/sys/fs/cgroup", strings.TrimPrefix(controllers, "name="))
		if controllers != "" && exists(hierarchy) && strings.Contains(group, id) {
			must(t, os.MkdirAll(filepath.Join(hierarchy, group, "x/y"), 0o755))
		}
	}
	for name, flags := range map[string][]string{"once": {"cpu:x"}, "twice": {"cpu:x", "cpu:x"}, "the last counts": {"cpu:x/y", "cpu:/x"}} {
		pidFile := filepath.Join(t.TempDir(), "pid")
		args := []string{"exec", "--detach", "--pid-file", pidFile}
		for _, flag := range flags {
			args = append(args, "--cgroup", flag)
		}
		r.Detached(append(args, id, "sleep", "1000")...).Exited(0)
		for controllers, group := range place(readFile(t, pidFile)) {
			want := own[controllers]
			if slices.Contains(strings.Split(controllers, ","), "cpu") {
				want += "/x"
			}
			if group != want {
				t.Errorf("%s: %q is %s, want %s", name, controllers, group, want)
			}
		}
	}
	for _, flag := range []string{"..", "cpu:..", "cpu:x/../..", "/..", "cpu:/../x"} {
		r.Do("exec", "--cgroup", flag, id, "true").Failed("cannot use --cgroup " + flag)
	}
}
