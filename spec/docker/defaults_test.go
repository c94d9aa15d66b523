package docker_test

import (
	"os"
	"testing"

	"github.com/dhow-containers/dhow/spec"
	"github.com/dhow-containers/dhow/spec/docker"
	"github.com/dhow-containers/dhow/spec/print"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// compose makes the config.json of `docker run busybox` from this package's data.
func compose(t *testing.T) *specs.Spec {
	t.Helper()
	s := spec.Default()
	caps := docker.Capabilities()
	s.Process.Capabilities = &specs.LinuxCapabilities{Bounding: caps, Effective: caps, Permitted: caps}
	s.Mounts = docker.Mounts()
	s.Linux.Namespaces = docker.Namespaces()
	s.Linux.MaskedPaths = docker.MaskedPaths()
	s.Linux.ReadonlyPaths = docker.ReadonlyPaths()
	s.Linux.Resources.Devices = docker.DeviceRules()
	profile, err := docker.Seccomp(caps)
	if err != nil {
		t.Fatal(err)
	}
	s.Linux.Seccomp = profile
	return s
}

func TestDefaultsAreValid(t *testing.T) {
	s := compose(t)
	if err := spec.Validate(s); err != nil {
		t.Error(err)
	}
	if err := spec.ValidateSeccomp(s.Linux.Seccomp); err != nil {
		t.Error(err)
	}
	if warnings := spec.Warnings(s); len(warnings) != 0 {
		t.Error("warnings:", warnings)
	}
}

func TestSeccompDependsOnCapabilities(t *testing.T) {
	allows := func(caps []string, call string) bool {
		profile, err := docker.Seccomp(caps)
		if err != nil {
			t.Fatal(err)
		}
		for _, rule := range profile.Syscalls {
			for _, name := range rule.Names {
				if name == call && rule.Action == specs.ActAllow {
					return true
				}
			}
		}
		return false
	}
	if allows(docker.Capabilities(), "bpf") {
		t.Error("bpf is allowed without CAP_BPF")
	}
	if !allows(append(docker.Capabilities(), "CAP_BPF"), "bpf") {
		t.Error("bpf is not allowed with CAP_BPF")
	}
}

func TestLoadSeccompError(t *testing.T) {
	if _, err := docker.LoadSeccomp("{", nil); err == nil {
		t.Error("no error for a broken profile")
	}
}

// TestWriteTestdata writes the configuration that the benchmarks of package spec decode, when asked to.
func TestWriteTestdata(t *testing.T) {
	path := os.Getenv("DHOW_WRITE_TESTDATA")
	if path == "" {
		t.Skip("DHOW_WRITE_TESTDATA names no file to write")
	}
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := print.Indented(f, compose(t)); err != nil {
		t.Fatal(err)
	}
}
