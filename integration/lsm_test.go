package integration

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

func hostHasAppArmor() bool {
	text, err := os.ReadFile("/sys/module/apparmor/parameters/enabled")
	return err == nil && strings.HasPrefix(string(text), "Y")
}

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

func TestAppArmor(t *testing.T) {
	t.Parallel()
	if !hostHasAppArmor() {
		skip(t, "needs a host with AppArmor")
	}
	parser, err := exec.LookPath("apparmor_parser")
	if err != nil {
		skip(t, "needs apparmor_parser")
	}
	name := "dhowtest-" + itoa(os.Getpid())
	load := func(flag string) {
		cmd := exec.Command(parser, flag)
		cmd.Stdin = strings.NewReader("profile " + name + " flags=(attach_disconnected,mediate_deleted) {\n  file,\n  capability,\n  deny /forbidden rw,\n}\n")
		if text, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("apparmor_parser %s: %v\n%s", flag, err, text)
		}
	}
	load("--replace")
	t.Cleanup(func() { load("--remove") })
	r := newCLI(t)
	const look = "cat /proc/self/attr/current; echo x > /forbidden || echo denied"
	want := name + " (enforce)\ndenied"
	for _, nnp := range bothPrivileges {
		profile := Process(func(p *specs.Process) { p.ApparmorProfile, p.NoNewPrivileges = name, nnp })
		r.Run(newBundle(t, Shell(look), profile)).Exited(0).Printed(want)
		id := r.Started(newBundle(t, Args("sleep", "1000"), profile))
		r.Do("exec", id, "sh", "-c", look).Exited(0).Printed(want)
	}
	id := r.Started(newBundle(t, Args("sleep", "1000")))
	r.Do("exec", "--apparmor", name, id, "sh", "-c", look).Exited(0).Printed(want)
	r.Do("exec", "--apparmor", name+"-none", id, "true").Failed("apparmor")
}
