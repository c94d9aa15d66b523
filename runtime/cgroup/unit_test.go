package cgroup

import (
	"strings"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

func unifiedHost() *Host {
	return &Host{Mode: Unified, V2Root: "/sys/fs/cgroup", Available: []string{"cpuset", "cpu", "io", "memory", "hugetlb", "pids"}}
}

func hybridHost() *Host {
	return &Host{Mode: Hybrid, V2Root: "/sys/fs/cgroup/unified", Available: []string{}, V1: map[string]string{
		"cpu": "/sys/fs/cgroup/cpu", "memory": "/sys/fs/cgroup/memory", "devices": "/sys/fs/cgroup/devices", "pids": "/sys/fs/cgroup/pids",
		"blkio": "/sys/fs/cgroup/blkio", "name=systemd": "/sys/fs/cgroup/systemd",
	}}
}

func TestUnitNames(t *testing.T) {
	for path, want := range map[string]struct{ unit, slice, dir string }{
		"":                          {"dhow-c1.scope", "system.slice", "system.slice/dhow-c1.scope"},
		"system.slice:docker:f3a":   {"docker-f3a.scope", "system.slice", "system.slice/docker-f3a.scope"},
		"::x":                       {"-x.scope", "system.slice", "system.slice/-x.scope"},
		"machine.slice:libpod:x":    {"libpod-x.scope", "machine.slice", "machine.slice/libpod-x.scope"},
		"a-b-c.slice:crio:x":        {"crio-x.scope", "a-b-c.slice", "a.slice/a-b.slice/a-b-c.slice/crio-x.scope"},
		"-:p:x":                     {"p-x.scope", "-", "p-x.scope"},
		"-.slice:p:x":               {"p-x.scope", "-.slice", "p-x.scope"},
		"kubepods.slice:p:kp.slice": {"kp.slice", "kubepods.slice", "kubepods.slice/kp.slice"},
	} {
		p, err := CompileUnit(unifiedHost(), UnitOptions{ID: "c1", CgroupsPath: path}, nil)
		if err != nil {
			t.Errorf("%q: %v", path, err)
			continue
		}
		if p.Unit.Name != want.unit || p.Unit.Slice != want.slice || p.Dirs[0].Path != "/sys/fs/cgroup/"+want.dir || !p.Dirs[0].Unit {
			t.Errorf("%q: %s in %s, %+v; want %+v", path, p.Unit.Name, p.Unit.Slice, p.Dirs[0], want)
		}
	}
}

func TestUnitNamesThatAreWrong(t *testing.T) {
	for path, want := range map[string]string{
		"/foo":                         `expected cgroupsPath to be of format "slice:prefix:name" for systemd cgroups, got "/foo" instead`,
		"a:b":                          "expected cgroupsPath",
		"a:b:c:d":                      "expected cgroupsPath",
		"system.slice:a:":              "the name is empty",
		"user.slice/u-1.slice:a:b":     "not the name of a slice",
		"system:a:b":                   "not the name of a slice",
		".slice:a:b":                   "not the name of a slice",
		"a--b.slice:a:b":               "empty part",
		"-a.slice:a:b":                 "empty part",
		"system.slice:a:b/c":           "no unit name",
		"system.slice:a:../../x":       "no unit name",
		"..slice:a:b":                  "",
		"a.slice:" + longName() + ":b": "no unit name",
	} {
		_, err := CompileUnit(unifiedHost(), UnitOptions{ID: "c1", CgroupsPath: path}, nil)
		if want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%q: %v, want %q", path, err, want)
		}
	}
	if _, err := CompileUnit(unifiedHost(), UnitOptions{ID: "a+b"}, nil); err == nil {
		t.Error("an id that is no unit name was accepted")
	}
}

func longName() string { return strings.Repeat("x", 256) }

// lines of a plan's unit but those that every unit has.
func propertiesOf(t *testing.T, h *Host, o UnitOptions, r *specs.LinuxResources) string {
	t.Helper()
	o.ID = "c1"
	p, err := CompileUnit(h, o, r)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, p := range p.Unit.Properties {
		switch {
		case strings.HasPrefix(p.Name, "Device"), p.Field == "" || p.Field == "linux.cgroupsPath":
			continue
		}
		b.WriteString(p.Name + "=" + p.Value.String() + "\n")
	}
	return strings.TrimSpace(b.String())
}

func TestUnitLimits(t *testing.T) {
	r := func(f func(*specs.LinuxResources)) *specs.LinuxResources {
		r := &specs.LinuxResources{}
		f(r)
		return r
	}
	const inf = "uint64 18446744073709551615"
	for name, c := range map[string]struct {
		host *Host
		r    *specs.LinuxResources
		want string
	}{
		"memory": {unifiedHost(), r(func(r *specs.LinuxResources) {
			r.Memory = &specs.LinuxMemory{Limit: new(int64(1000)), Reservation: new(int64(500)), Swap: new(int64(1600))}
		}), "MemoryMax=uint64 1000\nMemoryLow=uint64 500\nMemorySwapMax=uint64 600"},
		"memory without limit": {unifiedHost(), r(func(r *specs.LinuxResources) {
			r.Memory = &specs.LinuxMemory{Limit: new(int64(-1))}
		}), "MemoryMax=" + inf + "\nMemorySwapMax=" + inf},
		"memory v1": {hybridHost(), r(func(r *specs.LinuxResources) {
			r.Memory = &specs.LinuxMemory{Limit: new(int64(1000)), Swap: new(int64(1600))}
		}), "MemoryLimit=uint64 1000"},
		"cpu": {unifiedHost(), r(func(r *specs.LinuxResources) {
			r.CPU = &specs.LinuxCPU{Shares: new(uint64(1024)), Quota: new(int64(50000)), Period: new(uint64(100000))}
		}), "CPUWeight=uint64 100\nCPUQuotaPeriodUSec=uint64 100000\nCPUQuotaPerSecUSec=uint64 500000"},
		"cpu quota of odd size": {unifiedHost(), r(func(r *specs.LinuxResources) {
			r.CPU = &specs.LinuxCPU{Quota: new(int64(12345))}
		}), "CPUQuotaPerSecUSec=uint64 130000"},
		"cpu without quota": {unifiedHost(), r(func(r *specs.LinuxResources) {
			r.CPU = &specs.LinuxCPU{Quota: new(int64(-1))}
		}), "CPUQuotaPerSecUSec=" + inf},
		"cpu idle": {unifiedHost(), r(func(r *specs.LinuxResources) {
			r.CPU = &specs.LinuxCPU{Idle: new(int64(1)), Shares: new(uint64(1024))}
		}), "CPUWeight=uint64 0"},
		"cpu v1": {hybridHost(), r(func(r *specs.LinuxResources) {
			r.CPU = &specs.LinuxCPU{Shares: new(uint64(512))}
		}), "CPUShares=uint64 512"},
		"cpuset": {unifiedHost(), r(func(r *specs.LinuxResources) {
			r.CPU = &specs.LinuxCPU{Cpus: "0-2,9", Mems: "0"}
		}), "AllowedCPUs=[byte 7, 2]\nAllowedMemoryNodes=[byte 1]"},
		"pids": {unifiedHost(), r(func(r *specs.LinuxResources) {
			r.Pids = &specs.LinuxPids{Limit: new(int64(0))}
		}), "TasksMax=uint64 1"},
		"pids without limit": {hybridHost(), r(func(r *specs.LinuxResources) {
			r.Pids = &specs.LinuxPids{Limit: new(int64(-1))}
		}), "TasksMax=" + inf},
		"io": {unifiedHost(), r(func(r *specs.LinuxResources) {
			r.BlockIO = &specs.LinuxBlockIO{Weight: new(uint16(500))}
		}), "IOWeight=uint64 4950"},
		"io v1": {hybridHost(), r(func(r *specs.LinuxResources) {
			r.BlockIO = &specs.LinuxBlockIO{Weight: new(uint16(500))}
		}), "BlockIOWeight=uint64 500"},
		"unified": {unifiedHost(), r(func(r *specs.LinuxResources) {
			r.Unified = map[string]string{"memory.min": "1", "memory.low": "2", "memory.high": "3", "memory.max": "max", "memory.swap.max": "4",
				"pids.max": "0", "cpu.weight": "42", "cpu.max": "10000 50000", "cpuset.cpus": "1", "cpuset.mems": "0", "memory.oom.group": "1"}
		}), "CPUQuotaPeriodUSec=uint64 50000\nCPUQuotaPerSecUSec=uint64 200000\nCPUWeight=uint64 42\nAllowedCPUs=[byte 2]\n" +
			"AllowedMemoryNodes=[byte 1]\nMemoryHigh=uint64 3\nMemoryLow=uint64 2\nMemoryMax=" + inf + "\nMemoryMin=uint64 1\n" +
			"MemorySwapMax=uint64 4\nTasksMax=uint64 1"},
		"unified idle": {unifiedHost(), r(func(r *specs.LinuxResources) {
			r.Unified = map[string]string{"cpu.weight": "42", "cpu.idle": "1"}
		}), "CPUWeight=uint64 0"},
	} {
		if got := propertiesOf(t, c.host, UnitOptions{}, c.r); got != c.want {
			t.Errorf("%s:\n%s\nwant\n%s", name, got, c.want)
		}
	}
}

// Both systemd and the runtime write the quota; it must be the same.
func TestUnitRoundsTheQuotaOfItsFilesToo(t *testing.T) {
	r := &specs.LinuxResources{CPU: &specs.LinuxCPU{Quota: new(int64(12345))}}
	p, err := CompileUnit(unifiedHost(), UnitOptions{ID: "c1"}, r)
	if err != nil || len(p.Writes) != 1 || p.Writes[0].Value != "13000" || *r.CPU.Quota != 12345 {
		t.Errorf("%+v, %v; the config now says %d", p, err, *r.CPU.Quota)
	}
}

func TestUnitAnnotations(t *testing.T) {
	got := propertiesOf(t, unifiedHost(), UnitOptions{Annotations: map[string]string{
		"org.systemd.property.TimeoutStopUSec": "uint64 123456789", "org.systemd.property.CollectMode": "'inactive-or-failed'",
		"org.systemd.property.RuntimeMaxSec": "2", "org.systemd.property.TimeoutStopSec": "double 1.5",
		"org.systemd.property.CPUQuotaPerSecUSec": "uint64 7", "other": "x", "org.systemd.property.Wants": "['a.service']",
	}}, nil)
	want := "CPUQuotaPerSecUSec=uint64 7\nCollectMode='inactive-or-failed'\nRuntimeMaxUSec=uint64 2000000\n" +
		"TimeoutStopUSec=uint64 1500000\nTimeoutStopUSec=uint64 123456789\nWants=['a.service']"
	if got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
	for key, value := range map[string]string{"ab": "1", "A.B": "1", "": "1", "Foo": "bar", "FooSec": "'x'", "FoSec": "-1", "Bar": "[]"} {
		_, err := CompileUnit(unifiedHost(), UnitOptions{ID: "c1", Annotations: map[string]string{annotationPrefix + key: value}}, nil)
		if err == nil || !strings.Contains(err.Error(), annotationPrefix+key) {
			t.Errorf("%s=%s: %v", key, value, err)
		}
	}
}

func TestUnitDevices(t *testing.T) {
	device := func(allow bool, typ string, major, minor int64, access string) specs.LinuxDeviceCgroup {
		return specs.LinuxDeviceCgroup{Allow: allow, Type: typ, Major: &major, Minor: &minor, Access: access}
	}
	deny := device(false, "a", -1, -1, "rwm")
	for name, c := range map[string]struct {
		host  *Host
		rules []specs.LinuxDeviceCgroup
		want  string // the policy and some entry, "" for no entries
		entry string
	}{
		"defaults":           {unifiedHost(), nil, "strict", "('/dev/char/1:3', 'rwm')"},
		"a group":            {unifiedHost(), []specs.LinuxDeviceCgroup{deny, device(true, "b", 8, -1, "r")}, "strict", "('block-8', 'rm')"},
		"all":                {unifiedHost(), []specs.LinuxDeviceCgroup{device(true, "a", -1, -1, "rwm")}, "auto", ""},
		"all but one":        {unifiedHost(), []specs.LinuxDeviceCgroup{device(true, "a", -1, -1, "rwm"), device(false, "c", 1, 11, "rw")}, "auto", ""},
		"a minor number":     {unifiedHost(), []specs.LinuxDeviceCgroup{deny, device(true, "c", -1, 77, "rw")}, "auto", ""},
		"a minor number, v1": {hybridHost(), []specs.LinuxDeviceCgroup{deny, device(true, "c", -1, 77, "rw")}, "strict", "('/dev/char/1:3', 'rwm')"},
		"all but one, v1":    {hybridHost(), []specs.LinuxDeviceCgroup{device(true, "a", -1, -1, "rwm"), device(false, "b", 8, 0, "rw")}, "strict", ""},
	} {
		p, err := CompileUnit(c.host, UnitOptions{ID: "c1"}, &specs.LinuxResources{Devices: c.rules})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		policy, entries := "", ""
		for _, p := range p.Unit.Properties {
			switch p.Name {
			case "DevicePolicy":
				policy = p.Value.Text()
			case "DeviceAllow":
				entries = p.Value.String()
			}
		}
		empty := entries == "@a(ss) []"
		if policy != c.want || c.entry == "" && !empty || !strings.Contains(entries, c.entry) {
			t.Errorf("%s: %s %s, want %s %s", name, policy, entries, c.want, c.entry)
		}
	}
}

// On a hybrid host systemd makes the group in its own hierarchy, and the runtime those of the controllers.
func TestUnitOnAHybridHost(t *testing.T) {
	p, err := CompileUnit(hybridHost(), UnitOptions{ID: "c1"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range p.Dirs {
		systemds := len(d.Controllers) == 1 && d.Controllers[0] == "name=systemd"
		if d.Unit != systemds || !strings.HasSuffix(d.Path, "/system.slice/dhow-c1.scope") {
			t.Errorf("%+v", d)
		}
	}
	if _, err := CompileUnit(hybridHost(), UnitOptions{ID: "c1", User: true}, nil); err == nil {
		t.Error("a user's unit on a hybrid host was accepted")
	}
}
