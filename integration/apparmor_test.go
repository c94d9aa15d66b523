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

// needAppArmor finds apparmor_parser, which the virtual machine has.
func needAppArmor(t *testing.T) (parser string) {
	t.Helper()
	needRoot(t)
	parser, err := exec.LookPath("apparmor_parser")
	switch {
	case hostHasAppArmor() && err == nil:
		return parser
	case os.Getenv("DHOW_TEST_VM") == "plain":
		t.Fatalf("AppArmor is enabled: %v; %v", hostHasAppArmor(), err)
	}
	skip(t, "needs AppArmor and apparmor_parser: make test-vm")
	return ""
}

// loadProfile makes a profile that allows everything but what the rules deny, for as long as the test runs.
func loadProfile(t *testing.T, name string, rules ...string) string {
	t.Helper()
	parser := needAppArmor(t)
	name = "dhowtest-" + itoa(os.Getpid()) + "-" + name
	text := "profile " + name + " flags=(attach_disconnected,mediate_deleted) {\n  file,\n  capability,\n  mount,\n  signal,\n  unix,\n" +
		strings.Join(rules, "\n") + "\n}\n"
	load := func(flag string) {
		cmd := exec.Command(parser, "--skip-cache", flag)
		cmd.Stdin = strings.NewReader(text)
		if text, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("apparmor_parser %s: %v\n%s", flag, err, text)
		}
	}
	load("--replace")
	t.Cleanup(func() { load("--remove") })
	return name
}

func underProfile(name string, nnp bool) Edit {
	return Process(func(p *specs.Process) { p.ApparmorProfile, p.NoNewPrivileges = name, nnp })
}

// armorLook says under which profile it runs, and what that denies.
const armorLook = `cat /proc/self/attr/current
for f in first second; do if echo x 2> /dev/null > /tmp/$f; then echo $f written; else echo $f denied; fi; done`

func wantLook(profile, first, second string) string {
	return profile + "\nfirst " + first + "\nsecond " + second
}

func TestAppArmor(t *testing.T) {
	one := loadProfile(t, "one", "deny /tmp/first w,")
	two := loadProfile(t, "two", "deny /tmp/second w,")
	free := wantLook("unconfined", "written", "written")
	underOne, underTwo := wantLook(one+" (enforce)", "denied", "written"), wantLook(two+" (enforce)", "written", "denied")
	r := newCLI(t)
	for space, user := range map[string]Edit{"host user": Cwd("/"), "user namespace": MappedUser} {
		for privileges, nnp := range bothPrivileges {
			t.Run(space+", "+privileges, func(t *testing.T) {
				tmp := Mount("tmpfs", "tmpfs", "/tmp")
				r.Run(newBundle(t, user, tmp, Shell(armorLook), underProfile("", nnp))).Exited(0).Printed(free)
				r.Run(newBundle(t, user, tmp, Shell(armorLook), underProfile(one, nnp))).Exited(0).Printed(underOne)
				id := r.Started(newBundle(t, user, tmp, Args("sleep", "1000"), underProfile(one, nnp)))
				if got := strings.TrimSpace(readFile(t, "/proc/"+itoa(r.State(id).Pid)+"/attr/current")); got != one+" (enforce)" {
					t.Errorf("the init runs under %s", got)
				}
				r.Do("exec", id, "sh", "-c", armorLook).Exited(0).Printed(underOne)
				r.Do("exec", "--apparmor", two, id, "sh", "-c", armorLook).Exited(0).Printed(underTwo)
				r.Do("exec", "--apparmor", "unconfined", id, "sh", "-c", armorLook).Exited(0).Printed(free)
				r.Must("kill", id, "KILL")
			})
		}
	}
}

func TestAppArmorStacked(t *testing.T) {
	one, two := loadProfile(t, "a", "deny /tmp/first w,"), loadProfile(t, "b", "deny /tmp/second w,")
	r, id := sleeper(t, Mount("tmpfs", "tmpfs", "/tmp"))
	both := one + "//&" + two
	r.Do("exec", "--apparmor", both, id, "sh", "-c", armorLook).Exited(0).Printed(wantLook(both+" (enforce)", "denied", "denied"))
}

// An ordinary user may put containers under a profile that is loaded.
func TestAppArmorRootless(t *testing.T) {
	name := loadProfile(t, "user", "deny /tmp/first w,")
	r := newUserCLI(t)
	want := wantLook(name+" (enforce)", "denied", "written")
	id := r.Started(newBundle(t, Rootless, Mount("tmpfs", "tmpfs", "/tmp"), Args("sleep", "1000"), underProfile(name, true)))
	r.Do("exec", id, "sh", "-c", armorLook).Exited(0).Printed(want)
	r.Run(newBundle(t, Rootless, Mount("tmpfs", "tmpfs", "/tmp"), Shell(armorLook), underProfile(name, false))).Exited(0).Printed(want)
	r.Run(newBundle(t, Rootless, hostPIDs, Mount("tmpfs", "tmpfs", "/tmp"), Shell(armorLook), underProfile(name, true))).Exited(0).Printed(want)
}

func TestAppArmorFails(t *testing.T) {
	strict := loadProfile(t, "strict", "deny /bin/busybox x,")
	none := strict + "-none"
	r, id := sleeper(t)
	for name, user := range map[string]Edit{"host user": Cwd("/"), "user namespace": MappedUser} {
		t.Run(name, func(t *testing.T) {
			for _, nnp := range bothPrivileges {
				r.Run(newBundle(t, user, Args("true"), underProfile(none, nnp))).Failed(none, "apparmor")
				failed := r.ID()
				r.Do("create", "--bundle", newBundle(t, user, Args("true"), underProfile(none, nnp)).Dir, failed).Failed(none)
				r.Do("state", failed).Failed()
			}
		})
	}
	r.Do("exec", "--apparmor", none, id, "true").Failed(none, "apparmor")
	r.Must("exec", id, "true")
	// A profile decides about what is executed from then on, not about the execve that puts the process under it.
	r.Run(newBundle(t, Args("true"), underProfile(strict, false))).Exited(0)
	r.Run(newBundle(t, Shell("/bin/busybox true || echo denied"), underProfile(strict, false))).Exited(0).Printed("denied")
	if underTest.kind == Dhow {
		e := errorObject(t, r.DoCommand(runJSON(r, newBundle(t, Args("true"), underProfile(none, false)))))
		if e.Rule != "apparmor-not-loaded" || e.Field != "process.apparmorProfile" || e.Code != "label" || !strings.Contains(e.Hint, "not loaded") {
			t.Errorf("%+v", e)
		}
		r.Do("exec", "--apparmor", none, id, "true").Failed("process.apparmorProfile", "not loaded")
	}
}
