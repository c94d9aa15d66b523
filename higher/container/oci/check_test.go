package oci_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/containerd/errdefs"
	"github.com/dhow-containers/dhow/higher/config"
	"github.com/dhow-containers/dhow/higher/container/oci"
	"github.com/docker/go-units"
	types "github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"
)

// request is what a client may ask for.
type request struct {
	c *types.Config
	h *types.HostConfig
	n *network.NetworkingConfig
	d *oci.Defaults
}

func aRequest() *request {
	return &request{
		c: &types.Config{Cmd: []string{"sh"}}, h: &types.HostConfig{NetworkMode: "bridge"},
		n: &network.NetworkingConfig{}, d: someDefaults(),
	}
}

func (r *request) check() ([]string, error) { return oci.Check(r.c, r.h, r.n, r.d) }

func pointer[T any](v T) *T { return &v }

func TestCheckErrors(t *testing.T) {
	t.Cleanup(oci.FakeForwarding(true))
	for words, change := range map[string]func(*request){
		"no command specified":                            func(r *request) { r.c.Cmd = nil },
		"the working directory 'x' is invalid":            func(r *request) { r.c.WorkingDir = "x" },
		"invalid signal: SIGNOT":                          func(r *request) { r.c.StopSignal = "SIGNOT" },
		"is too long (maximum 64 bytes)":                  func(r *request) { r.c.Hostname = strings.Repeat("x", 65) },
		"invalid environment variable: =x":                func(r *request) { r.c.Env = []string{"A=1", "=x"} },
		`"a\x00b" contains a NUL character`:               func(r *request) { r.c.Cmd = []string{"a\x00b"} },
		"Interval in Healthcheck cannot be less than 1ms": func(r *request) { r.c.Healthcheck = &types.HealthConfig{Interval: 3} },
		"Retries in Healthcheck cannot be negative":       func(r *request) { r.c.Healthcheck = &types.HealthConfig{Retries: -1} },
		"can't create 'AutoRemove' container with restart policy": func(r *request) {
			r.h.AutoRemove, r.h.RestartPolicy.Name = true, "always"
		},
		"unknown policy 'never'":                func(r *request) { r.h.RestartPolicy.Name = "never" },
		"the empty string is not permitted":     func(r *request) { r.h.Annotations = map[string]string{"": ""} },
		`bad format for add-host: "x"`:          func(r *request) { r.h.ExtraHosts = []string{"x"} },
		`invalid IP address in add-host: "1.2"`: func(r *request) { r.h.ExtraHosts = []string{"ok:1.2.3.4", "gw:host-gateway", "x:1.2"} },
		`invalid port specification: "70000"`: func(r *request) {
			r.h.PortBindings = network.PortMap{network.MustParsePort("80/tcp"): {{HostPort: "70000"}}}
		},
		"invalid ulimit type: files":                          func(r *request) { r.h.Ulimits = []*units.Ulimit{{Name: "files"}} },
		"soft limit must be less than or equal to hard limit": func(r *request) { r.h.Ulimits = []*units.Ulimit{{Name: "nofile", Soft: -1, Hard: 1}} },
		"ulimit core is given twice":                          func(r *request) { r.h.Ulimits = []*units.Ulimit{{Name: "core"}, {Name: "core"}} },
		"invalid device mode: rx": func(r *request) {
			r.h.Devices = []types.DeviceMapping{{PathOnHost: "/dev/null", PathInContainer: "/x", CgroupPermissions: "rx"}}
		},
		"x is not an absolute path":                   func(r *request) { r.h.Devices = []types.DeviceMapping{{PathOnHost: "/dev/null", PathInContainer: "x"}} },
		"invalid device cgroup rule format: 'c 1 rw'": func(r *request) { r.h.DeviceCgroupRules = []string{"c 1 rw"} },
		`could not select device driver "" with capabilities: [[gpu]]`: func(r *request) {
			r.h.DeviceRequests = []types.DeviceRequest{{Count: -1, Capabilities: [][]string{{"gpu"}}}}
		},
		`could not select device driver "cdi"`:                               func(r *request) { r.h.DeviceRequests = []types.DeviceRequest{{Driver: "cdi"}} },
		`invalid tmpfs option "bind"`:                                        func(r *request) { r.h.Tmpfs = map[string]string{"/tmp": "bind"} },
		"destination can't be '/'":                                           func(r *request) { r.h.Tmpfs = map[string]string{"/": ""} },
		"--cpu-count is for Windows":                                         func(r *request) { r.h.CPUCount = 1 },
		"does not support Maximum IO Bandwidth":                              func(r *request) { r.h.IOMaximumBandwidth = 1 },
		"invalid isolation (hyperv): linux only supports 'default'":          func(r *request) { r.h.Isolation = "hyperv" },
		"--storage-opt is supported only for overlay over xfs with 'pquota'": func(r *request) { r.h.StorageOpt = map[string]string{"size": "1g"} },
		"control group of another container":                                 func(r *request) { r.h.Cgroup = "container:x" },
		"invalid umask 01000":                                                func(r *request) { r.h.Umask = pointer(uint32(0o1000)) },
		"EndpointsConfig is nil":                                             func(r *request) { r.n.EndpointsConfig = map[string]*network.EndpointSettings{"x": nil} },
		"Minimum memory limit allowed is 6MB":                                func(r *request) { r.h.Memory = 1 << 20 },
		"Minimum memoryswap limit should be larger than memory limit":        func(r *request) { r.h.Memory, r.h.MemorySwap = 64<<20, 32<<20 },
		"You should always set the Memory limit":                             func(r *request) { r.h.MemorySwap = 64 << 20 },
		"the memory swap limit is a number of bytes, or -1":                  func(r *request) { r.h.Memory, r.h.MemorySwap = 64<<20, -2 },
		"valid memory swappiness range is 0-100":                             func(r *request) { onV1(r.d); r.h.MemorySwappiness = pointer(int64(101)) },
		"Minimum memory reservation allowed is 6MB":                          func(r *request) { r.h.MemoryReservation = 1 },
		"can not be less than memory reservation limit":                      func(r *request) { r.h.Memory, r.h.MemoryReservation = 32<<20, 64<<20 },
		"Nano CPUs and CPU Period cannot both be set":                        func(r *request) { r.h.NanoCPUs, r.h.CPUPeriod = 1e9, 1000 },
		"Nano CPUs and CPU Quota cannot both be set":                         func(r *request) { r.h.NanoCPUs, r.h.CPUQuota = 1e9, 1000 },
		"NanoCPUs can not be set":                                            func(r *request) { r.h.NanoCPUs, r.d.Host.CPUCfs = 1e9, false },
		"range of CPUs is from 0.01 to 4.00":                                 func(r *request) { r.h.NanoCPUs = 5e9 },
		"invalid CPU shares (-1)":                                            func(r *request) { r.h.CPUShares = -1 },
		"CPU cfs period can not be less than 1ms":                            func(r *request) { r.h.CPUPeriod = 999 },
		"CPU cfs quota can not be less than 1ms":                             func(r *request) { r.h.CPUQuota = 999 },
		"does not support CPU real-time scheduler":                           func(r *request) { r.h.CPURealtimeRuntime = 1 },
		"runtime cannot be higher than cpu real-time period":                 func(r *request) { onV1(r.d); r.h.CPURealtimePeriod, r.h.CPURealtimeRuntime = 1, 2 },
		"Invalid value 0-x for cpuset cpus":                                  func(r *request) { r.h.CpusetCpus = "0-x" },
		"Requested CPUs are not available - requested 2-4, available: 0-3":   func(r *request) { r.h.CpusetCpus = "2-4" },
		"Requested memory nodes are not available":                           func(r *request) { r.h.CpusetMems = "1" },
		"Range of blkio weight is from 10 to 1000":                           func(r *request) { r.h.BlkioWeight = 5 },
		"invalid IPC mode: odd":                                              func(r *request) { r.h.IpcMode = "odd" },
		"invalid PID mode: container:":                                       func(r *request) { r.h.PidMode = "container:" },
		"SHM size can not be less than 0":                                    func(r *request) { r.h.ShmSize = -1 },
		"invalid UTS mode: odd":                                              func(r *request) { r.h.UTSMode = "odd" },
		"invalid user namespace mode: odd":                                   func(r *request) { r.h.UsernsMode = "odd" },
		"invalid cgroup namespace mode: odd":                                 func(r *request) { r.h.CgroupnsMode = "odd" },
		"range for oom score adj is [-1000, 1000]":                           func(r *request) { r.h.OomScoreAdj = 1001 },
		"should be a valid slice":                                            func(r *request) { r.d.SystemdCgroup = true; r.h.CgroupParent = "/x" },
		"leads out of the tree of control groups":                            func(r *request) { r.h.CgroupParent = "/x/../../y" },
		`sysctl "vm.swappiness" is not in a separate kernel namespace`:       func(r *request) { r.h.Sysctls = map[string]string{"vm.swappiness": "1"} },
		`sysctl "net.core.somaxconn" not allowed in host network namespace`: func(r *request) {
			r.h.NetworkMode, r.h.Sysctls = "host", map[string]string{"net.core.somaxconn": "1"}
		},
		`sysctl "fs.mqueue.msg_max" not allowed in host ipc namespace`: func(r *request) {
			r.h.IpcMode, r.h.Sysctls = "host", map[string]string{"fs.mqueue.msg_max": "1"}
		},
		"use --hostname":                                func(r *request) { r.h.Sysctls = map[string]string{"kernel.hostname": "x"} },
		"is not one line":                               func(r *request) { r.h.Sysctls = map[string]string{"net.core.somaxconn": "1\n2"} },
		"sysctl 'net..x' is not allowed":                func(r *request) { r.h.Sysctls = map[string]string{"net..x": "1"} },
		`invalid CapAdd: unknown capability: "CAP_FLY"`: func(r *request) { r.h.CapAdd = []string{"fly"} },
		`invalid CapDrop: unknown capability: "CAP_"`:   func(r *request) { r.h.CapDrop = []string{""} },
		`not available in the current environment: "CAP_SYS_RESOURCE"`: func(r *request) {
			r.d.Host.Capability, r.h.CapAdd = []string{"CAP_CHOWN"}, []string{"SYS_RESOURCE"}
		},
		"privileged mode is incompatible with user namespaces":                func(r *request) { remapped(r.d); r.h.Privileged = true },
		"cannot share the host's network namespace when user":                 func(r *request) { remapped(r.d); r.h.NetworkMode = "host" },
		"cannot share the host PID namespace when user":                       func(r *request) { remapped(r.d); r.h.PidMode = "host" },
		"WritableCgroups conflicts with user namespaces":                      func(r *request) { remapped(r.d); r.h.SecurityOpt = []string{"writable-cgroups"} },
		"unknown or invalid runtime name: odd":                                func(r *request) { r.h.Runtime = "odd" },
		`error looking up logging plugin fluentd: plugin "fluentd" not found`: func(r *request) { r.h.LogConfig.Type = "fluentd" },
		"unknown log opt 'labels' for local log driver": func(r *request) {
			r.h.LogConfig = types.LogConfig{Type: "local", Config: map[string]string{"labels": "x"}}
		},
		`invalid --security-opt 1: "odd"`:                            func(r *request) { r.h.SecurityOpt = []string{"odd"} },
		`invalid --security-opt 2: "odd=x"`:                          func(r *request) { r.h.SecurityOpt = []string{"odd=x"} },
		`invalid --security-opt 2: "no-new-privileges=maybe"`:        func(r *request) { r.h.SecurityOpt = []string{"no-new-privileges=maybe"} },
		"--security-opt apparmor=mine: AppArmor is not enabled":      func(r *request) { r.h.SecurityOpt = []string{"apparmor=mine"} },
		"cannot load the seccomp profile":                            func(r *request) { r.h.SecurityOpt = []string{"seccomp={"} },
		"seccomp is not enabled in your kernel, cannot run a custom": func(r *request) { r.d.Host.Seccomp, r.h.SecurityOpt = false, []string{"seccomp={}"} },
	} {
		r := aRequest()
		change(r)
		if _, err := r.check(); err == nil || !errdefs.IsInvalidArgument(err) || !strings.Contains(err.Error(), words) {
			t.Errorf("%v, want %q", err, words)
		}
	}
}

// TestCheckWarnings: what the kernel has no means for is taken away, and said.
func TestCheckWarnings(t *testing.T) {
	on := false
	t.Cleanup(oci.FakeForwarding(on))
	r := aRequest()
	r.d.Host = &oci.Facts{NumCPU: 1, Capability: r.d.Host.Capability, Seccomp: true}
	r.h.Memory, r.h.MemorySwappiness, r.h.MemoryReservation = 64<<20, pointer(int64(10)), 32<<20
	r.h.OomKillDisable, r.h.PidsLimit = pointer(true), pointer(int64(10))
	r.h.CPUShares, r.h.CPUQuota, r.h.CpusetCpus, r.h.CPUPercent = 10, 10000, "0", 5
	r.h.BlkioWeight = 100
	r.h.SecurityOpt = []string{"label=type:x"}
	warnings, err := r.check()
	if err != nil {
		t.Fatal(err)
	}
	for i, words := range []string{
		"memory limit", "swappiness", "soft limit", "OomKillDisable", "PIDs limit", "CPU shares", "CPU CFS", "CPU percent",
		"cpuset", "Block I/O weight", "IPv4 forwarding is disabled", "label=type:x",
	} {
		if i >= len(warnings) || !strings.Contains(warnings[i], words) {
			t.Fatalf("%d: no %q in %q", i, words, warnings)
		}
	}
	resources, err := oci.Resources(r.h)
	if err != nil || resources.CPU != nil || resources.Pids != nil || resources.BlockIO != nil || resources.Memory != nil {
		t.Error(resources, err)
	}
	r = aRequest()
	onV1(r.d)
	r.d.Host.SwapLimit = false
	r.h.Memory, r.h.NetworkMode, r.h.OomKillDisable = 64<<20, "host", pointer(true)
	r.h.PortBindings = network.PortMap{network.MustParsePort("80/tcp"): {{}}}
	if warnings, err = r.check(); err != nil || len(warnings) != 2 || r.h.MemorySwap != -1 || !strings.Contains(warnings[1], "Published ports are discarded") {
		t.Error(warnings, err)
	}
}

func TestDefaultsAreFilledIn(t *testing.T) {
	t.Cleanup(oci.FakeForwarding(true))
	r := aRequest()
	r.d.LogOpts = map[string]string{"max-size": "1m", "max-file": "2"}
	r.h.LogConfig.Config = map[string]string{"max-size": "5m"}
	r.c.WorkingDir, r.h.Memory = "/a/../b/", 10<<20
	if _, err := r.check(); err != nil {
		t.Fatal(err)
	}
	h := r.h
	if h.RestartPolicy.Name != "no" || h.MemorySwap != 20<<20 || h.ShmSize != 64<<20 || h.IpcMode != "private" || h.CgroupnsMode != "private" ||
		h.Runtime != "dhow" || h.LogConfig.Type != "json-file" || h.LogConfig.Config["max-size"] != "5m" || h.LogConfig.Config["max-file"] != "2" ||
		len(h.MaskedPaths) == 0 || len(h.ReadonlyPaths) == 0 || r.c.WorkingDir != "/b" || h.OomKillDisable != nil {
		t.Errorf("%+v", h)
	}
	r = aRequest()
	r.h.Privileged, r.d.Host.Unified = true, false
	if _, err := r.check(); err != nil || r.h.CgroupnsMode != "host" || r.h.MaskedPaths != nil || strings.Join(r.h.SecurityOpt, " ") != "label=disable" {
		t.Errorf("%+v %v", r.h, err)
	}
	r = aRequest()
	r.h.LogConfig = types.LogConfig{Type: "none", Config: map[string]string{"any": "thing"}}
	if _, err := r.check(); err != nil {
		t.Error(err)
	}
}

func TestCheckUpdate(t *testing.T) {
	has := func(change func(*types.HostConfig)) *types.HostConfig {
		h := &types.HostConfig{Resources: types.Resources{Memory: 64 << 20, MemorySwap: 128 << 20, CPUShares: 7}}
		change(h)
		return h
	}
	same := func(*types.HostConfig) {}
	for words, c := range map[string]struct {
		h *types.HostConfig
		u types.UpdateConfig
	}{
		"Nano CPUs cannot be updated as CPU Period": {has(func(h *types.HostConfig) { h.CPUPeriod = 1000 }), types.UpdateConfig{Resources: types.Resources{NanoCPUs: 1e9}}},
		"Nano CPUs cannot be updated as CPU Quota":  {has(func(h *types.HostConfig) { h.CPUQuota = 1000 }), types.UpdateConfig{Resources: types.Resources{NanoCPUs: 1e9}}},
		"CPU Period cannot be updated as NanoCPUs":  {has(func(h *types.HostConfig) { h.NanoCPUs = 1 }), types.UpdateConfig{Resources: types.Resources{CPUPeriod: 1000}}},
		"CPU Quota cannot be updated as NanoCPUs":   {has(func(h *types.HostConfig) { h.NanoCPUs = 1 }), types.UpdateConfig{Resources: types.Resources{CPUQuota: 1000}}},
		"update the memoryswap at the same time":    {has(same), types.UpdateConfig{Resources: types.Resources{Memory: 256 << 20}}},
		"AutoRemove is enabled for the container":   {has(func(h *types.HostConfig) { h.AutoRemove = true }), types.UpdateConfig{RestartPolicy: types.RestartPolicy{Name: "always"}}},
	} {
		if _, _, err := oci.CheckUpdate(c.h, &c.u, someDefaults()); err == nil || !errdefs.IsConflict(err) || !strings.Contains(err.Error(), words) {
			t.Errorf("%v, want %q", err, words)
		}
	}
	for words, u := range map[string]types.UpdateConfig{
		"Minimum memory limit": {Resources: types.Resources{Memory: 1}},
		"unknown policy":       {RestartPolicy: types.RestartPolicy{Name: "never"}},
	} {
		if _, _, err := oci.CheckUpdate(has(same), &u, someDefaults()); err == nil || !errdefs.IsInvalidArgument(err) || !strings.Contains(err.Error(), words) {
			t.Errorf("%v, want %q", err, words)
		}
	}
	old := has(same)
	u := types.UpdateConfig{Resources: types.Resources{Memory: 256 << 20, MemorySwap: -1, PidsLimit: pointer(int64(0))}, RestartPolicy: types.RestartPolicy{Name: "always"}}
	h, _, err := oci.CheckUpdate(old, &u, someDefaults())
	if err != nil || h.Memory != 256<<20 || h.MemorySwap != -1 || h.CPUShares != 7 || h.RestartPolicy.Name != "always" || old.Memory != 64<<20 {
		t.Errorf("%+v %v", h, err)
	}
	r, err := oci.Resources(h)
	if err != nil || *r.Memory.Swap != -1 || *r.Pids.Limit != -1 {
		t.Error(r, err)
	}
}

func TestUsers(t *testing.T) {
	t.Cleanup(oci.FakeForwarding(true))
	try := func(dir, user string, groups ...string) error {
		r := aRequest()
		r.c.User, r.h.GroupAdd = user, groups
		if _, err := r.check(); err != nil {
			t.Fatal(err)
		}
		in := (&create{Config: r.c, HostConfig: r.h}).input(r.d)
		in.Root = func() (*os.File, error) { return os.Open(dir) }
		_, err := oci.Spec(in)
		return err
	}
	for words, user := range map[string]string{
		"unable to find user nobody: no matching entries in passwd file": "nobody",
		"unable to find group none: no matching entries in group file":   "0:none",
	} {
		if err := try("testdata/root", user); err == nil || !errdefs.IsInvalidArgument(err) || !strings.Contains(err.Error(), words) {
			t.Errorf("%v, want %q", err, words)
		}
	}
	if err := try("testdata/root", "0", "none"); err == nil || !strings.Contains(err.Error(), "unable to find group none") {
		t.Error(err)
	}
	r := aRequest()
	r.c.WorkingDir = "/etc/passwd"
	in := (&create{Config: r.c, HostConfig: r.h}).input(r.d)
	if _, err := oci.Spec(in); err == nil || !strings.Contains(err.Error(), "Cannot mkdir: /etc/passwd is not a directory") {
		t.Error(err)
	}
	// A link of the image's does not have names of the host looked up.
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "etc"), 0o700); err != nil {
		t.Fatal(err)
	}
	outside, err := filepath.Abs("testdata/root/etc/passwd")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, filepath.Join(dir, "etc/passwd")); err != nil {
		t.Fatal(err)
	}
	if err := try(dir, "web"); err == nil {
		t.Error("a user of the host's was found")
	}
	if err := try(dir, "1000:1001"); err != nil {
		t.Error(err)
	}
}

func TestFromConfig(t *testing.T) {
	host := someDefaults().Host
	c := config.Default()
	d, err := oci.FromConfig(c, host)
	if err != nil || d.SystemdCgroup || d.Seccomp != "" || d.ShmSize != 64<<20 || d.IpcMode != "private" {
		t.Error(d, err)
	}
	host.Systemd = true
	c.SeccompProfile = filepath.Join(t.TempDir(), "profile")
	if _, err = oci.FromConfig(c, host); err == nil {
		t.Error("no error for a profile that is not there")
	}
	if err := os.WriteFile(c.SeccompProfile, []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	if d, err = oci.FromConfig(c, host); err != nil || !d.SystemdCgroup || d.Seccomp != "{}" {
		t.Error(d, err)
	}
	c.CgroupParent = "/not/a/slice"
	if _, err = oci.FromConfig(c, host); err == nil || !strings.Contains(err.Error(), "should be a valid slice") {
		t.Error(err)
	}
	c.ExecOpts = []string{"native.cgroupdriver=cgroupfs"}
	if d, err = oci.FromConfig(c, host); err != nil || d.SystemdCgroup {
		t.Error(d, err)
	}
	host.Systemd, c.CgroupParent, c.ExecOpts = false, "", []string{"native.cgroupdriver=systemd"}
	if _, err = oci.FromConfig(c, host); err == nil || !strings.Contains(err.Error(), "systemd is not the init") {
		t.Error(err)
	}
}

func TestReadFacts(t *testing.T) {
	f, err := oci.ReadFacts()
	if err != nil {
		t.Skip("this host has no control groups:", err)
	}
	if f.NumCPU == 0 || f.Cpuset && f.CPUs == "" {
		t.Errorf("%+v", f)
	}
}

// FuzzCheck: whatever a client sends, there is an error or a configuration that the runtime takes.
func FuzzCheck(f *testing.F) {
	files, err := filepath.Glob("testdata/*/create.json")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Cleanup(oci.FakeForwarding(true))
	f.Fuzz(func(t *testing.T, text []byte) {
		var c create
		if json.Unmarshal(text, &c) != nil || c.Config == nil || c.HostConfig == nil || c.Mounts != nil {
			return
		}
		c.NetNS, c.IpcNS, c.PidNS, c.ShmDir, c.Env = "", "", "", "", nil
		d := someDefaults()
		if _, err := oci.Check(c.Config, c.HostConfig, nil, d); err != nil {
			return
		}
		s, err := oci.Spec(c.input(d))
		if err != nil {
			return
		}
		s.Linux.Seccomp = nil
		runnable(t, s)
	})
}
