package cri

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// with changes what is allowed to a container.
func with(edit func(*cri.LinuxContainerSecurityContext)) func(*cri.ContainerConfig) {
	return func(c *cri.ContainerConfig) { edit(c.Linux.SecurityContext) }
}

// field is a line of /proc/self/status inside.
func (p *pod) field(id, name string) string {
	p.t.Helper()
	for line := range strings.Lines(p.exec(id, "cat", "/proc/self/status")) {
		if value, found := strings.CutPrefix(line, name+":"); found {
			return strings.Join(strings.Fields(value), " ")
		}
	}
	return ""
}

func securityUsers(t *testing.T, n *node) {
	p := n.run(t, onHost)
	id := p.start("a", nil, with(func(s *cri.LinuxContainerSecurityContext) {
		s.RunAsUser, s.RunAsGroup, s.SupplementalGroups = &cri.Int64Value{Value: 1001}, &cri.Int64Value{Value: 1002}, []int64{1003, 1004}
	}))
	if uid, gid, groups := p.field(id, "Uid"), p.field(id, "Gid"), p.field(id, "Groups"); uid != "1001 1001 1001 1001" || gid != "1002 1002 1002 1002" || groups != "1002 1003 1004" && groups != "1003 1004" {
		t.Errorf("uid %s, gid %s, groups %s", uid, gid, groups)
	}
}

func securityCapabilities(t *testing.T, n *node) {
	p := n.run(t, onHost)
	id := p.start("a", nil, with(func(s *cri.LinuxContainerSecurityContext) {
		s.Capabilities = &cri.Capability{DropCapabilities: []string{"ALL"}, AddCapabilities: []string{"NET_ADMIN"}}
		s.NoNewPrivs = true
	}))
	if got := p.field(id, "CapEff"); got != "0000000000001000" {
		t.Errorf("CapEff %s", got)
	}
	if got := p.field(id, "NoNewPrivs"); got != "1" {
		t.Errorf("NoNewPrivs %s", got)
	}
}

func securityPrivileged(t *testing.T, n *node) {
	p := n.run(t, onHost, func(c *cri.PodSandboxConfig) { c.Linux.SecurityContext.Privileged = true })
	privileged := p.start("a", nil, with(func(s *cri.LinuxContainerSecurityContext) { s.Privileged = true }))
	p.exec(privileged, "sh", "-c", "mount -t tmpfs none /mnt 2>&1 || { mkdir /m && mount -t tmpfs none /m; }")
	if _, err := os.Stat("/dev/loop-control"); err == nil {
		p.exec(privileged, "ls", "/dev/loop-control")
	}
	r, err := n.client.ExecSync(t.Context(), &cri.ExecSyncRequest{ContainerId: p.start("b", nil), Cmd: []string{"mount", "-t", "tmpfs", "none", "/tmp"}, Timeout: 20})
	must(t, err)
	if r.ExitCode == 0 {
		t.Error("a container that is not privileged mounts")
	}
}

func securityReadOnly(t *testing.T, n *node) {
	p := n.run(t, onHost)
	id := p.start("a", nil, with(func(s *cri.LinuxContainerSecurityContext) {
		s.ReadonlyRootfs = true
		s.MaskedPaths, s.ReadonlyPaths = []string{"/etc", "/proc/kcore"}, []string{"/proc/sys"}
	}))
	for command, want := range map[string]string{
		"touch /x":                         "Read-only file system",
		"echo x > /proc/sys/vm/swappiness": "Read-only file system",
		"ls -A /etc":                       "",
	} {
		if got := p.exec(id, "sh", "-c", "("+command+") 2>&1; true"); want == "" && got != "" || !strings.Contains(got, want) {
			t.Errorf("%s: %q", command, got)
		}
	}
}

func securitySeccomp(t *testing.T, n *node) {
	p := n.run(t, onHost)
	profile := filepath.Join(t.TempDir(), "profile.json")
	must(t, os.WriteFile(profile, []byte(`{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO"}]}`), 0o644))
	for _, test := range []struct {
		name    string
		profile *cri.SecurityProfile
		mode    string
		mkdir   bool
	}{
		{"default", &cri.SecurityProfile{ProfileType: cri.SecurityProfile_RuntimeDefault}, "2", true},
		{"unconfined", &cri.SecurityProfile{ProfileType: cri.SecurityProfile_Unconfined}, "0", true},
		{"localhost", &cri.SecurityProfile{ProfileType: cri.SecurityProfile_Localhost, LocalhostRef: profile}, "2", false},
	} {
		id := p.start(test.name, nil, with(func(s *cri.LinuxContainerSecurityContext) { s.Seccomp = test.profile }))
		if got := p.field(id, "Seccomp"); got != test.mode {
			t.Errorf("%s: mode %s", test.name, got)
		}
		if got := p.exec(id, "sh", "-c", "mkdir /made 2>/dev/null; ls -d /made 2>/dev/null; true"); (got == "/made") != test.mkdir {
			t.Errorf("%s: mkdir: %q", test.name, got)
		}
	}
}

// mounts are directories of the host, with a mount that comes later.
func mounts(t *testing.T, n *node) {
	p := n.run(t, onHost)
	dir := sharedDir(t)
	volume := func(path string, edit func(*cri.Mount)) *cri.Mount {
		m := &cri.Mount{HostPath: dir, ContainerPath: path}
		edit(m)
		return m
	}
	id := p.start("a", nil, func(c *cri.ContainerConfig) {
		c.Mounts = []*cri.Mount{
			volume("/rw", func(*cri.Mount) {}),
			volume("/ro", func(m *cri.Mount) { m.Readonly = true }),
			volume("/slave", func(m *cri.Mount) { m.Propagation = cri.MountPropagation_PROPAGATION_HOST_TO_CONTAINER }),
		}
	})
	p.exec(id, "touch", "/rw/x")
	if got := p.exec(id, "sh", "-c", "touch /ro/y 2>&1; ls /ro"); !strings.Contains(got, "Read-only") || !strings.Contains(got, "x") {
		t.Errorf("read-only: %q", got)
	}
	must(t, os.Mkdir(dir+"/later", 0o755))
	must(t, unix.Mount("tmpfs", dir+"/later", "tmpfs", 0, ""))
	t.Cleanup(func() { unix.Unmount(dir+"/later", unix.MNT_DETACH) })
	must(t, os.WriteFile(dir+"/later/z", nil, 0o644))
	if got := p.exec(id, "sh", "-c", "ls /slave/later; echo -; ls /rw/later"); got != "z\n-" {
		t.Errorf("a mount that came later: %q", got)
	}
}

// sharedDir is a mount point whose mounts propagate.
func sharedDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	must(t, unix.Mount("tmpfs", dir, "tmpfs", 0, ""))
	t.Cleanup(func() { unix.Unmount(dir, unix.MNT_DETACH) })
	must(t, unix.Mount("", dir, "", unix.MS_SHARED, ""))
	return dir
}

// mountsRecursively has a mount below a volume that is read-only all through.
func mountsRecursively(t *testing.T, n *node) {
	if !n.new {
		t.Skip("containerd 1.6 has no recursive read-only mounts")
	}
	dir := sharedDir(t)
	must(t, os.Mkdir(dir+"/below", 0o755))
	must(t, unix.Mount("tmpfs", dir+"/below", "tmpfs", 0, ""))
	t.Cleanup(func() { unix.Unmount(dir+"/below", unix.MNT_DETACH) })
	p := n.run(t, onHost)
	id := p.start("a", nil, func(c *cri.ContainerConfig) {
		c.Mounts = []*cri.Mount{{HostPath: dir, ContainerPath: "/v", Readonly: true, RecursiveReadOnly: true}}
	})
	if got := p.exec(id, "sh", "-c", "touch /v/below/x 2>&1; true"); !strings.Contains(got, "Read-only") {
		t.Errorf("it can be written to: %q", got)
	}
}
