package integration

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// The tests named TestVMUser… run as an ordinary user, whose own systemd has started them in a group that
// is theirs (VMUSER=tester).

func delegatedCLI(t *testing.T) *cli {
	t.Helper()
	if os.Getuid() == 0 || !inVM() {
		skip(t, "needs an ordinary user with delegated control groups: make test-vm VM=systemd VMUSER=tester")
	}
	r := &cli{t: t, Path: underTest.runtime, Root: filepath.Join(t.TempDir(), "root")}
	t.Cleanup(func() { sweepAway(t, r.Root) })
	return r
}

// ownBundle is a container that is root nowhere but in its own user namespace.
func ownBundle(t *testing.T, edits ...Edit) *Bundle {
	t.Helper()
	mapped := func(b *Bundle) {
		Namespace(specs.UserNamespace, "")(b)
		b.Spec.Linux.UIDMappings = []specs.LinuxIDMapping{{HostID: uint32(os.Getuid()), Size: 1}}
		b.Spec.Linux.GIDMappings = []specs.LinuxIDMapping{{HostID: uint32(os.Getgid()), Size: 1}}
		b.Spec.Linux.Resources = &specs.LinuxResources{}
		for i := range b.Spec.Mounts {
			if m := &b.Spec.Mounts[i]; m.Destination == "/dev/pts" {
				m.Options = []string{"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"}
			}
		}
	}
	b, err := NewBundle(t.TempDir(), append([]Edit{mapped}, edits...)...)
	must(t, err)
	return b
}

// both ways to make a group: by hand, and by the user's systemd.
var ownDrivers = map[string][]string{"cgroupfs": nil, "systemd": {"--systemd-cgroup"}}

func TestVMUserLimitsBind(t *testing.T) {
	for driver, flags := range ownDrivers {
		t.Run(driver, func(t *testing.T) {
			r := delegatedCLI(t)
			run := func(b *Bundle) *result {
				return r.Do(append(flags, "run", "--bundle", b.Dir, r.ID())...)
			}
			run(ownBundle(t, probe("hog", "16"), noSwap(64))).Exited(0).Printed("touched 16 MiB")
			run(ownBundle(t, probe("hog", "128"), noSwap(64))).Exited(137)
			res := run(ownBundle(t, Shell("for i in 1 2 3 4 5 6 7 8; do sleep 100 & done; echo all"), pidsLimit(5)))
			if strings.Contains(res.Stdout, "all") || !strings.Contains(res.Stderr, "can't fork") {
				t.Errorf("exit %d, stdout %q, stderr %q", res.Code, res.Stdout, res.Stderr)
			}
		})
	}
}

func TestVMUserLifecycle(t *testing.T) {
	for driver, flags := range ownDrivers {
		t.Run(driver, func(t *testing.T) {
			r := delegatedCLI(t)
			id := r.ID()
			b := ownBundle(t, Args("sleep", "1000"), withProbe, noSwap(64), cpuLimit(specs.LinuxCPU{Cpus: "0", Quota: ptr(int64(50000)), Period: ptr(uint64(100000))}))
			r.Detached(append(flags, "create", "--bundle", b.Dir, id)...).Exited(0)
			dir := v2dir(t, r, id)
			if !strings.Contains(dir, "/user@"+itoa(os.Getuid())+".service/") {
				t.Errorf("the group is %s", dir)
			}
			wantV2(t, dir, map[string]string{"memory.max": "67108864", "cpu.max": "50000 100000", "cpuset.cpus": "0"})
			r.Must("start", id)
			r.Do("exec", id, "/probe", "hog", "128").Exited(137)
			r.Must("update", "--pids-limit", "40", "--memory", "256m", "--memory-swap", "256m", id)
			wantV2(t, dir, map[string]string{"memory.max": "268435456", "pids.max": "40"})
			r.Must("exec", id, "/probe", "hog", "128")
			r.Must("pause", id)
			wantV2(t, dir, map[string]string{"cgroup.freeze": "1"})
			r.Must("resume", id)
			r.Must("kill", id, "KILL")
			r.AwaitStatus(id, "stopped")
			r.Must("delete", id)
			if exists(dir) {
				t.Error("the group is left behind")
			}
		})
	}
}
