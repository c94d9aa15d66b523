package integration

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// needCPUs skips on a machine where this process may not run on CPU 0 and CPU 1.
func needCPUs(t *testing.T) {
	t.Helper()
	var set unix.CPUSet
	must(t, unix.SchedGetaffinity(0, &set))
	if !set.IsSet(0) || !set.IsSet(1) {
		t.Skip("needs the CPUs 0 and 1")
	}
}

// allowedOf reads the CPUs that a process may run on.
func allowedOf(t *testing.T, pid string) string {
	t.Helper()
	_, text, _ := strings.Cut(readFile(t, "/proc/"+pid+"/status"), "Cpus_allowed_list:")
	return strings.TrimSpace(strings.SplitN(text, "\n", 2)[0])
}

const allowedCPUs = "grep Cpus_allowed_list /proc/self/status | cut -f 2"

func TestExecAffinity(t *testing.T) {
	onlyDhow(t, "1.1 does not know it")
	t.Parallel()
	needCPUs(t)
	all := allowedOf(t, "self")
	for _, c := range []struct {
		name           string
		initial, final string
		want           string
	}{
		{"both", "0", "1", "1"},
		{"initial alone", "1", "", "1"},
		{"final alone", "", "1", "1"},
		{"a range", "1", "0-1", "0-1"},
		{"neither", "", "", all},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, id := sleeper(t, Process(func(p *specs.Process) {
				p.ExecCPUAffinity = &specs.CPUAffinity{Initial: c.initial, Final: c.final}
			}))
			if c.final == "" && exists("/sys/fs/cgroup"+groupOf(t, r.State(id).Pid)+"/cpuset.cpus") {
				c.want = all // entering a group with a cpuset of its own takes all CPUs of that
			}
			r.Do("exec", id, "sh", "-c", allowedCPUs).Exited(0).Printed(c.want)
			if got := allowedOf(t, itoa(r.State(id).Pid)); got != all {
				t.Errorf("the init runs on the CPUs %s, want %s", got, all)
			}
		})
	}
}

func TestExecAffinityMistakes(t *testing.T) {
	onlyDhow(t, "1.1 does not know it")
	t.Parallel()
	r, id := sleeper(t)
	for list, words := range map[string][]string{
		"x":     {"/execCPUAffinity/", `"x" is not a list`},
		"2-1":   {"/execCPUAffinity/", "runs backwards"},
		"99999": {"/execCPUAffinity/", "99999"},
		"8000":  {"process.execCPUAffinity", "sched_setaffinity"},
	} {
		for _, field := range []string{"initial", "final"} {
			file := filepath.Join(t.TempDir(), "process.json")
			must(t, os.WriteFile(file, []byte(`{"args":["true"],"cwd":"/","execCPUAffinity":{"`+field+`":"`+list+`"}}`), 0o644))
			r.Do("exec", "--process", file, id).Failed(append(words, field)...)
		}
	}
}

// What the runtime is restricted to is not meant for the container.
func TestAffinityIsNotInherited(t *testing.T) {
	onlyDhow(t, "1.1 does not reset it")
	t.Parallel()
	needCPUs(t)
	all := allowedOf(t, "self")
	r := newCLI(t)
	restricted := func(args ...string) *result {
		cmd := r.Command(args...)
		path, err := exec.LookPath("taskset")
		must(t, err)
		cmd.Args = append([]string{path, "-c", "0", cmd.Path}, cmd.Args[1:]...)
		cmd.Path = path
		return r.DoCommand(cmd)
	}
	b := newBundle(t, Shell(allowedCPUs))
	restricted("run", "--bundle", b.Dir, r.ID()).Exited(0).Printed(all)
	id := r.Started(newBundle(t, Args("sleep", "1000")))
	restricted("exec", id, "sh", "-c", allowedCPUs).Exited(0).Printed(all)
}

func TestMemoryPolicy(t *testing.T) {
	onlyDhow(t, "1.1 does not know it")
	t.Parallel()
	r, id := sleeper(t, Linux(func(l *specs.Linux) {
		l.MemoryPolicy = &specs.LinuxMemoryPolicy{Mode: specs.MpolBind, Nodes: "0", Flags: []specs.MemoryPolicyFlagType{specs.MpolFStaticNodes}}
	}))
	for _, pid := range []string{itoa(r.State(id).Pid), ""} {
		maps := ""
		if pid == "" {
			maps = r.Do("exec", id, "cat", "/proc/self/numa_maps").Exited(0).Stdout
		} else {
			maps = readFile(t, "/proc/"+pid+"/numa_maps")
		}
		if maps == "" {
			t.Skip("needs a kernel with NUMA")
		}
		if !strings.Contains(maps, "bind=static:0") {
			t.Errorf("the memory policy is not bind=static:0:\n%s", clip(maps))
		}
	}
	b := newBundle(t, Args("true"), Linux(func(l *specs.Linux) {
		l.MemoryPolicy = &specs.LinuxMemoryPolicy{Mode: specs.MpolBind, Nodes: "900"}
	}))
	r.Run(b).Failed("linux.memoryPolicy", "set_mempolicy")
}
