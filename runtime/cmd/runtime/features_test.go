package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"github.com/opencontainers/runtime-spec/specs-go/features"

	"github.com/dhow-containers/dhow/runtime/plan"
	"github.com/dhow-containers/dhow/runtime/seccomp"
	"github.com/dhow-containers/dhow/spec"
)

func TestFeatures(t *testing.T) {
	code, out, errs := invoke(nil, "features")
	if code != 0 {
		t.Fatal(errs)
	}
	var f features.Features
	if err := json.Unmarshal([]byte(out), &f); err != nil {
		t.Fatal(err)
	}
	if f.OCIVersionMax != "1.3.0" || len(f.Linux.Capabilities) != 41 || len(f.Hooks) != 6 || len(f.MountOptions) == 0 {
		t.Errorf("got %s", out)
	}
	if c := f.Linux.Cgroup; !*c.V1 || !*c.V2 || !*c.Systemd || !*c.SystemdUser || !*c.Rdma {
		t.Errorf("cgroup: %s", out)
	}
	if m := f.Linux.MemoryPolicy; len(m.Modes) != 7 || len(m.Flags) != 3 {
		t.Errorf("memory policy: %s", out)
	}
	if !*f.Linux.Apparmor.Enabled || !*f.Linux.Selinux.Enabled {
		t.Errorf("security modules: %s", out)
	}
}

// refuses tells whether package plan says of a config that it is not supported.
func refuses(change func(*specs.Spec)) bool {
	c := &specs.Spec{
		Root:    &specs.Root{Path: "rootfs"},
		Process: &specs.Process{Args: []string{"true"}, Cwd: "/"},
		Linux:   &specs.Linux{Namespaces: []specs.LinuxNamespace{{Type: specs.MountNamespace}}},
	}
	change(c)
	_, err := plan.Compile(&plan.Input{ID: "x", Bundle: "/b", Rootfs: "/b/rootfs", Config: c})
	return err != nil && strings.Contains(err.Error(), "not supported yet")
}

// TestFeaturesArePlans holds the features against what package plan compiles.
func TestFeaturesArePlans(t *testing.T) {
	listed := supported().MountOptions
	for _, name := range spec.MountOptionNames() {
		refused := refuses(func(c *specs.Spec) {
			c.Mounts = []specs.Mount{{Destination: "/x", Type: "tmpfs", Source: "tmpfs", Options: []string{name}}}
		})
		if refused == slices.Contains(listed, name) {
			t.Errorf("mount option %s: refused %v, listed %v", name, refused, !refused)
		}
	}
	for what, change := range map[string]func(*specs.Spec){
		"memoryPolicy": func(c *specs.Spec) { c.Linux.MemoryPolicy = &specs.LinuxMemoryPolicy{Mode: specs.MpolDefault} },
		"netDevices":   func(c *specs.Spec) { c.Linux.NetDevices = map[string]specs.LinuxNetDevice{"eth0": {}} },
		"intelRdt":     func(c *specs.Spec) { c.Linux.IntelRdt = &specs.LinuxIntelRdt{} },
		"idmap": func(c *specs.Spec) {
			m := []specs.LinuxIDMapping{{Size: 1}}
			c.Mounts = []specs.Mount{{Destination: "/x", Source: "/y", Options: []string{"bind"}, UIDMappings: m, GIDMappings: m}}
		},
	} {
		if refuses(change) {
			t.Errorf("%s is refused, and the features say that it is supported", what)
		}
	}
}

// TestFeaturesCompile holds the lists of seccomp against libseccomp.
func TestFeaturesCompile(t *testing.T) {
	if seccomp.Version() == "" {
		t.Skip("needs libseccomp: build with -tags embedseccomp, or with cgo")
	}
	load := func(more string) error {
		const rule = `"syscalls":[{"names":["mount"],"action":"SCMP_ACT_ERRNO"}]`
		_, err := seccomp.Load([]byte(`{"defaultAction":"SCMP_ACT_ALLOW",`+more+rule+`}`), "")
		return err
	}
	f := supportedSeccomp()
	for _, arch := range f.Archs {
		// One filter cannot be for machines of both byte orders: that is no lack of knowledge.
		err := load(fmt.Sprintf(`"architectures":[%q],`, arch))
		if err != nil && !strings.HasSuffix(err.Error(), "numerical argument out of domain") {
			t.Error(err)
		}
	}
	for _, flag := range f.KnownFlags {
		const profile = `{"defaultAction":"SCMP_ACT_ALLOW","flags":[%q],"syscalls":[{"names":["mount"],"action":"SCMP_ACT_NOTIFY"}]}`
		if _, err := seccomp.Load(fmt.Appendf(nil, profile, flag), ""); err != nil {
			t.Errorf("%s: %v", flag, err)
		}
	}
	for _, action := range f.Actions {
		if _, err := seccomp.Load(fmt.Appendf(nil, `{"defaultAction":%q}`, action), ""); err != nil {
			t.Error(err)
		}
	}
	for _, op := range f.Operators {
		const profile = `{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["mount"],"action":"SCMP_ACT_ERRNO","args":[{"index":0,"value":1,"op":%q}]}]}`
		if _, err := seccomp.Load(fmt.Appendf(nil, profile, op), ""); err != nil {
			t.Error(err)
		}
	}
	for _, list := range [][]string{f.Actions, f.Operators, f.Archs, supported().MountOptions} {
		if !slices.IsSorted(list) {
			t.Errorf("not sorted: %v", list)
		}
	}
}
