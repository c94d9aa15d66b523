package oci_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/dhow-containers/dhow/higher/container/oci"
	"github.com/dhow-containers/dhow/higher/userns"
	"github.com/dhow-containers/dhow/higher/volume"
	"github.com/dhow-containers/dhow/runtime/plan"
	"github.com/dhow-containers/dhow/spec"
	"github.com/dhow-containers/dhow/spec/docker"
	"github.com/docker/go-units"
	types "github.com/moby/moby/api/types/container"
	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

var update = flag.Bool("update", false, "rewrite testdata/*/config.json")

// create is a case: what a client asked for, and what the engine has made ready.
type create struct {
	Config                      *types.Config
	HostConfig                  *types.HostConfig
	Env                         []string
	Mounts                      []volume.Mount
	NetNS, IpcNS, PidNS, ShmDir string
	Files                       bool // those in /etc
}

// someDefaults is a daemon without flags on a host with everything.
func someDefaults() *oci.Defaults {
	var all []string
	for bit := range uint(41) {
		all = append(all, spec.CapabilityName(bit))
	}
	return &oci.Defaults{
		Runtime: "dhow", ShmSize: 64 << 20, IpcMode: types.IPCModePrivate, LogDriver: "json-file",
		Host: &oci.Facts{
			Unified: true, MemoryLimit: true, SwapLimit: true, MemoryReservation: true, CPUShares: true, CPUCfs: true,
			BlkioWeight: true, BlkioWeightDevice: true, BlkioReadBps: true, BlkioWriteBps: true, BlkioReadIOps: true,
			BlkioWriteIOps: true, Cpuset: true, PidsLimit: true, CPUs: "0-3", Mems: "0", NumCPU: 4, Seccomp: true,
			CgroupNS: true, Capability: all, PingGroupRange: true, UnprivilegedPorts: true,
		},
	}
}

// onV1 makes it a host with cgroup v1.
func onV1(d *oci.Defaults) {
	d.Host.Unified = false
	d.Host.MemorySwappiness, d.Host.OomKillDisable, d.Host.CPURealtime = true, true, true
}

func remapped(d *oci.Defaults) {
	maps := []specs.LinuxIDMapping{{ContainerID: 0, HostID: 100000, Size: 65536}}
	d.IDs = &userns.Map{UIDs: maps, GIDs: maps}
}

// daemons are what differs from someDefaults, by case.
var daemons = map[string]func(*oci.Defaults){
	"v1":            onV1,
	"resources-v1":  onV1,
	"privileged":    func(d *oci.Defaults) { onV1(d); d.Host.Thermal = []string{"/sys/x"} },
	"remapped":      remapped,
	"remapped-host": remapped,
	"systemd":       func(d *oci.Defaults) { d.SystemdCgroup = true },
	"user": func(d *oci.Defaults) {
		d.Ulimits = map[string]*units.Ulimit{"nofile": {Name: "nofile", Soft: 10, Hard: 20}}
		d.NoNewPrivileges, d.Host.OOMScore, d.Host.Capability = true, 100, docker.Capabilities()
	},
	"resources": func(d *oci.Defaults) {
		d.Ulimits = map[string]*units.Ulimit{"nofile": {Name: "nofile", Soft: 10, Hard: 20}, "nproc": {Name: "nproc", Soft: 30, Hard: 30}}
	},
	"apparmor":            func(d *oci.Defaults) { d.Host.AppArmor = true },
	"apparmor-privileged": func(d *oci.Defaults) { d.Host.AppArmor = true },
	"apparmor-other":      func(d *oci.Defaults) { d.Host.AppArmor = true },
	"default":             func(d *oci.Defaults) { d.Host.Thermal = []string{"/sys/devices/system/cpu/cpu0/thermal_throttle"} },
}

func fakeDevices(t *testing.T) {
	node := func(minor uint32) unix.Stat_t {
		return unix.Stat_t{Mode: unix.S_IFCHR | 0o666, Rdev: unix.Mkdev(1, minor)}
	}
	t.Cleanup(oci.FakeDevices(map[string]unix.Stat_t{"/dev/null": node(3), "/dev/zero": node(5)}))
}

func (c *create) input(d *oci.Defaults) *oci.Input {
	in := &oci.Input{
		ID: "0123456789abcdef", Config: c.Config, HostConfig: c.HostConfig, Args: append(c.Config.Entrypoint, c.Config.Cmd...),
		Env: c.Env, Rootfs: "rootfs", Mounts: c.Mounts, NetNS: c.NetNS, IpcNS: c.IpcNS, PidNS: c.PidNS, ShmDir: c.ShmDir,
		Root: func() (*os.File, error) { return os.Open("testdata/root") }, Init: "/usr/libexec/dhow/init", Defaults: d,
		StopSignal: unix.SIGQUIT, StopTimeout: 10,
	}
	if c.Files {
		in.Hosts, in.Hostname, in.ResolvConf = "/data/hosts", "/data/hostname", "/data/resolv.conf"
	}
	return in
}

// build checks and compiles a case.
func build(t *testing.T, name string) *specs.Spec {
	t.Helper()
	var c create
	text, err := os.ReadFile(filepath.Join("testdata", name, "create.json"))
	if err == nil {
		err = json.Unmarshal(text, &c)
	}
	if err != nil {
		t.Fatal(err)
	}
	d := someDefaults()
	if daemon := daemons[name]; daemon != nil {
		daemon(d)
	}
	warnings, err := oci.Check(c.Config, c.HostConfig, nil, d)
	if err != nil || len(warnings) > 0 {
		t.Fatal(warnings, err)
	}
	s, err := oci.Spec(c.input(d))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestGolden compares configurations, and holds each against the runtime: it must be valid, and have a Program.
func TestGolden(t *testing.T) {
	t.Cleanup(oci.FakeForwarding(true))
	fakeDevices(t)
	cases, err := filepath.Glob("testdata/*/create.json")
	if err != nil || len(cases) == 0 {
		t.Fatal(cases, err)
	}
	for _, file := range cases {
		name := filepath.Base(filepath.Dir(file))
		t.Run(name, func(t *testing.T) {
			s := build(t, name)
			runnable(t, s)
			if warnings := spec.Warnings(s); len(warnings) > 0 && name != "privileged" { // which has /dev/null twice
				t.Error(warnings)
			}
			own, err := docker.Seccomp(s.Process.Capabilities.Bounding)
			if err != nil {
				t.Fatal(err)
			}
			if reflect.DeepEqual(s.Linux.Seccomp, own) {
				s.Linux.Seccomp = &specs.LinuxSeccomp{DefaultAction: "as Docker's own profile says"}
			}
			compare(t, filepath.Join("testdata", name, "config.json"), s)
		})
	}
}

func runnable(t *testing.T, s *specs.Spec) {
	t.Helper()
	if err := spec.Validate(s); err != nil {
		t.Error(err)
	}
	if s.Linux.Seccomp != nil {
		if err := spec.ValidateSeccomp(s.Linux.Seccomp); err != nil {
			t.Error(err)
		}
	}
	withoutFilter := *s.Linux
	withoutFilter.Seccomp = nil
	config := *s
	config.Linux = &withoutFilter
	_, err := plan.Compile(&plan.Input{
		ID: "x", Bundle: "/bundle", Rootfs: "/bundle/rootfs", Config: &config,
		Host: plan.Host{Unified: true, CgroupRoot: "/sys/fs/cgroup", Home: "/", AppArmor: true, SELinux: true, Capabilities: 1<<41 - 1},
	})
	if err != nil {
		t.Error(err)
	}
}

func compare(t *testing.T, file string, s *specs.Spec) {
	t.Helper()
	var got bytes.Buffer
	e := json.NewEncoder(&got)
	e.SetIndent("", "\t")
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(file, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got.Bytes(), want) {
		t.Errorf("%s differs (-update and git diff show how):\n%s", file, got.Bytes())
	}
}
