package cgroup_test

import (
	"strings"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"

	"github.com/dhow-containers/dhow/runtime/cgroup"
)

// TestAllowDenied: which groups a user's container does without.
func TestAllowDenied(t *testing.T) {
	limit := int64(5)
	pids := &specs.LinuxResources{Pids: &specs.LinuxPids{Limit: &limit}}
	devices := &specs.LinuxResources{Devices: []specs.LinuxDeviceCgroup{{Access: "rwm"}}}
	unified := cgroup.Host{Mode: cgroup.Unified, V2Root: "/sys/fs/cgroup", Available: []string{"pids"}, Own: map[string]string{"": "/user/shell"}}
	hybrid := cgroup.Host{Mode: cgroup.Hybrid, V2Root: "/sys/fs/cgroup/unified", V1: map[string]string{"pids": "/sys/fs/cgroup/pids",
		"devices": "/sys/fs/cgroup/devices"}, Available: []string{}, Own: map[string]string{"": "/", "pids": "/", "devices": "/"}}
	for name, c := range map[string]struct {
		host      cgroup.Host
		path      string
		resources *specs.LinuxResources
		without   string // controllers of the groups that may be left out, 2 for version 2
	}{
		"unified":                {unified, "", nil, "2"},
		"unified, placed":        {unified, "/a/b", nil, ""},
		"unified, limit":         {unified, "", pids, ""},
		"unified, devices":       {unified, "", devices, "2"},
		"hybrid":                 {hybrid, "", nil, "2 pids devices"},
		"hybrid, limit":          {hybrid, "", pids, "2 devices"},
		"hybrid, devices":        {hybrid, "", devices, "2 pids devices"},
		"none":                   {cgroup.Host{Mode: cgroup.Legacy, Rootless: true}, "", devices, ""},
		"none, without a config": {cgroup.Host{Mode: cgroup.Legacy, Rootless: true}, "", nil, ""},
	} {
		p, err := cgroup.Compile(&c.host, c.path, "c1", c.resources)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		p.AllowDenied(c.path != "")
		var without []string
		for controller, word := range map[string]string{"": "2", "pids": "pids", "devices": "devices"} {
			if p.MayBeDenied(controller) {
				without = append(without, word)
			}
		}
		if len(without) != len(strings.Fields(c.without)) {
			t.Errorf("%s: may go without %v, want %s", name, without, c.without)
		}
		for _, word := range without {
			if !strings.Contains(c.without, word) {
				t.Errorf("%s: may go without %s", name, word)
			}
		}
	}
}
