package cgroup_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dhow-containers/dhow/runtime/cgroup"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

var update = flag.Bool("update", false, "write the golden files")

// unifiedHost has every version 2 controller.
func unifiedHost() *cgroup.Host {
	return &cgroup.Host{
		Mode: cgroup.Unified, V2Root: "/sys/fs/cgroup",
		Available: []string{"cpuset", "cpu", "io", "memory", "hugetlb", "pids", "rdma", "misc"},
		Own:       map[string]string{"": "/user.slice/session-1.scope"},
	}
}

// hybridHost has cpu and cpuacct in one hierarchy and hugetlb in version 2.
func hybridHost() *cgroup.Host {
	h := &cgroup.Host{
		Mode: cgroup.Hybrid, V2Root: "/sys/fs/cgroup/unified", Available: []string{"hugetlb"},
		V1:  map[string]string{"cpu": "/sys/fs/cgroup/cpu,cpuacct", "cpuacct": "/sys/fs/cgroup/cpu,cpuacct", "name=systemd": "/sys/fs/cgroup/systemd"},
		Own: map[string]string{"memory": "/outer", "cpu": "/", "": "/outer/session"},
	}
	for _, c := range []string{"cpuset", "memory", "devices", "freezer", "blkio", "pids", "net_cls", "net_prio", "rdma"} {
		h.V1[c] = "/sys/fs/cgroup/" + c
	}
	return h
}

// bareHosts have no controllers to speak of.
func bareUnified() *cgroup.Host {
	return &cgroup.Host{Mode: cgroup.Unified, V2Root: "/sys/fs/cgroup", Available: []string{"hugetlb"}, Own: map[string]string{}}
}

func legacyHost() *cgroup.Host {
	h := hybridHost()
	h.Mode, h.V2Root, h.Available = cgroup.Legacy, "", nil
	return h
}

// planCase is the content of testdata/plan/NAME.json.
type planCase struct {
	CgroupsPath string                `json:"cgroupsPath"`
	Resources   *specs.LinuxResources `json:"resources"`
}

// TestPlan compares the plan, or the error, of every case on every host with a
// golden file.
func TestPlan(t *testing.T) {
	cases, err := filepath.Glob("testdata/plan/*.json")
	if err != nil || len(cases) == 0 {
		t.Fatal("no cases:", err)
	}
	hosts := map[string]func() *cgroup.Host{
		"unified": unifiedHost, "hybrid": hybridHost, "bare": bareUnified, "legacy": legacyHost,
	}
	for _, file := range cases {
		name := strings.TrimSuffix(file, ".json")
		for host, newHost := range hosts {
			t.Run(filepath.Base(name)+"/"+host, func(t *testing.T) {
				golden(t, name+"."+host+".txt", planText(t, file, newHost()))
			})
		}
	}
}

func planText(t *testing.T, file string, h *cgroup.Host) string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var c planCase
	if err := json.Unmarshal(data, &c); err != nil {
		t.Fatal(err)
	}
	p, err := cgroup.Compile(h, c.CgroupsPath, "c1", c.Resources)
	if err != nil {
		return "error: " + err.Error() + "\n"
	}
	if _, err := json.Marshal(p); err != nil {
		t.Error("plan as JSON:", err)
	}
	return p.String()
}

func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s (rerun with -update if this is meant):\ngot\n%swant\n%s", file, got, want)
	}
}

func TestAccounting(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		mode      cgroup.Mode
		available []string
		want      string
	}{
		{cgroup.Unified, []string{"cpuset", "cpu", "io", "memory", "hugetlb", "pids"}, "[cpu io memory pids]"},
		{cgroup.Unified, []string{"pids"}, "[pids]"},
		{cgroup.Unified, []string{}, "[]"},
		{cgroup.Hybrid, []string{"memory"}, "[]"},
	} {
		h := &cgroup.Host{Mode: c.mode, V2Root: "/sys/fs/cgroup", Available: c.available}
		if got, err := h.Accounting(); err != nil || fmt.Sprint(got) != c.want {
			t.Errorf("%v with %v: %v, %v, want %s", c.mode, c.available, got, err, c.want)
		}
	}
}
