package integration

import (
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

func hostHasSELinux() bool { return exists("/sys/fs/selinux/enforce") }

// Labels that nothing would enforce are refused.
func TestLabelsWithoutTheModule(t *testing.T) {
	t.Parallel()
	r, id := sleeper(t)
	if !hostHasAppArmor() {
		profile := Process(func(p *specs.Process) { p.ApparmorProfile = "unconfined" })
		r.Run(newBundle(t, Args("true"), profile)).Failed("apparmor")
		r.Do("exec", "--apparmor", "unconfined", id, "true").Failed("apparmor")
	}
	if !hostHasSELinux() && underTest.kind == Dhow { // Debian's runc is built without
		label := Process(func(p *specs.Process) { p.SelinuxLabel = "a:b:c:d" })
		r.Run(newBundle(t, Args("true"), label)).Failed("process.selinuxLabel", "SELinux is disabled")
		r.Do("exec", "--process-label", "a:b:c:d", id, "true").Failed("process.selinuxLabel", "SELinux is disabled")
		r.Run(newBundle(t, Args("true"), Linux(func(l *specs.Linux) { l.MountLabel = "a:b:c:d" }))).Failed("linux.mountLabel", "SELinux is disabled")
	}
}
