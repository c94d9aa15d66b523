package oci_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/dhow-containers/dhow/higher/container/oci"
	"github.com/dhow-containers/dhow/spec"
	types "github.com/moby/moby/api/types/container"
)

func TestExec(t *testing.T) {
	t.Cleanup(oci.FakeForwarding(true))
	r := aRequest()
	r.c.User, r.c.WorkingDir, r.c.Env, r.c.Tty, r.h.Init = "web", "/srv", []string{"A=1"}, true, pointer(true)
	r.c.Hostname = "name"
	if _, err := r.check(); err != nil {
		t.Fatal(err)
	}
	in := (&create{Config: r.c, HostConfig: r.h}).input(r.d)
	s, err := oci.Spec(in)
	if err != nil {
		t.Fatal(err)
	}
	p, err := oci.ExecProcess(in, s, &types.ExecCreateRequest{Cmd: []string{"ls"}, Env: []string{"B=2", "A=3"}})
	if err != nil {
		t.Fatal(err)
	}
	if p.Terminal || p.User.UID != 1000 || p.Cwd != "/srv" || !slices.Equal(p.Args, []string{"ls"}) || !slices.Contains(p.Env, "A=3") ||
		!slices.Contains(p.Env, "B=2") || slices.Contains(p.Env, "TERM=xterm") || !slices.Contains(p.Env, "HOSTNAME=name") {
		t.Errorf("%+v", p)
	}
	if !slices.Equal(p.Capabilities.Bounding, s.Process.Capabilities.Bounding) {
		t.Error("capabilities differ from the container's")
	}
	if err := spec.ValidateProcess(p, s); err != nil {
		t.Error(err)
	}
	p, err = oci.ExecProcess(in, s, &types.ExecCreateRequest{
		Cmd: []string{"sh"}, User: "daemon", WorkingDir: "/x", Tty: true, ConsoleSize: &[2]uint{24, 80}, Privileged: true,
	})
	if err != nil || !p.Terminal || p.ConsoleSize.Width != 80 || p.User.UID != 1 || p.Cwd != "/x" ||
		!slices.Contains(p.Capabilities.Effective, "CAP_SYS_ADMIN") || !slices.Contains(p.Env, "TERM=xterm") {
		t.Errorf("%+v %v", p, err)
	}
	if len(s.Process.Args) == 0 || s.Process.Args[0] != "/sbin/docker-init" {
		t.Error("the container's own process has changed", s.Process.Args)
	}
	if _, err := oci.ExecProcess(in, s, &types.ExecCreateRequest{}); err == nil || !strings.Contains(err.Error(), "No exec command specified") {
		t.Error(err)
	}
}

// What the daemon does not have itself may be dropped all the same.
func TestDropUnavailable(t *testing.T) {
	t.Cleanup(oci.FakeForwarding(true))
	r := aRequest()
	r.d.Host.Capability, r.h.CapDrop = []string{"CAP_CHOWN", "CAP_KILL"}, []string{"SYS_RESOURCE", "kill"}
	if _, err := r.check(); err != nil {
		t.Fatal(err)
	}
	s, err := oci.Spec((&create{Config: r.c, HostConfig: r.h}).input(r.d))
	if err != nil || slices.Contains(s.Process.Capabilities.Bounding, "CAP_KILL") {
		t.Error(err)
	}
}

// A process of AppArmor's profile is not let out of it by an exec, not even a privileged one.
func TestExecUnderTheProfile(t *testing.T) {
	t.Cleanup(oci.FakeForwarding(true))
	for want, h := range map[string]types.HostConfig{
		"docker-default": {}, "mine": {SecurityOpt: []string{"apparmor=mine"}}, "unconfined": {Privileged: true},
		"other": {Privileged: true, SecurityOpt: []string{"apparmor:other"}},
	} {
		r := aRequest()
		r.d.Host.AppArmor, r.h.Privileged, r.h.SecurityOpt = true, h.Privileged, h.SecurityOpt
		if _, err := r.check(); err != nil {
			t.Fatal(err)
		}
		in := (&create{Config: r.c, HostConfig: r.h}).input(r.d)
		s, err := oci.Spec(in)
		if err != nil {
			t.Fatal(err)
		}
		p, err := oci.ExecProcess(in, s, &types.ExecCreateRequest{Cmd: []string{"ls"}, Privileged: true})
		if err != nil || p.ApparmorProfile != want || s.Process.ApparmorProfile != want {
			t.Errorf("under %q, an exec under %q, want %q: %v", s.Process.ApparmorProfile, p.ApparmorProfile, want, err)
		}
	}
}
