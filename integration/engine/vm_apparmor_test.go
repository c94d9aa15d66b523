package engine

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// needAppArmor is for tests that want profiles to be loaded.
func needAppArmor(t *testing.T) *daemon {
	t.Helper()
	d := sharedDaemon(t)
	options := d.must(t, "info", "-f", "{{.SecurityOptions}}")
	switch there := strings.Contains(options, "name=apparmor"); {
	case !there && os.Getenv("DHOW_TEST_VM") != "":
		t.Fatalf("AppArmor is enabled here, and info says %s", options)
	case !there:
		t.Skip("needs AppArmor: make test-vm")
	}
	return d
}

// armorLook writes what is there already, to files that nobody may write to whom the host does not trust.
const armorLook = `cat /proc/self/attr/current
try() { if "$@" > /dev/null 2>&1; then echo "$* done"; else echo "$* denied"; fi; }
write() { v=$(cat $1) && echo "$v" > $1; }
try write /proc/sys/kernel/core_pattern
try write /proc/sys/vm/swappiness
try write /proc/sys/kernel/shm_rmid_forced
try write /proc/self/comm
try write /sys/kernel/mm/transparent_hugepage/khugepaged/pages_to_scan
try head -c 1 /proc/kcore
try mount -t tmpfs tmpfs /root
try mkdir /sys/fs/cgroup/below
sleep 1000 &
try kill $!
`

// Under the profile nobody writes where a host's kernel could be led astray, even where the mounts of /proc and /sys allow
// it, and nobody mounts.
func TestVMEngineAppArmor(t *testing.T) {
	d := needAppArmor(t)
	remover(t, d, "confined")
	want := strings.TrimSpace(strings.ReplaceAll(armorLook[strings.Index(armorLook, "try write /proc/sys/k"):strings.Index(armorLook, "sleep")], "try ", ""))
	want = strings.ReplaceAll(want, "\n", " done\n") + " done\nkill"
	got := d.must(t, "run", "--rm", "--privileged", "busybox", "sh", "-c", armorLook)
	if !strings.HasPrefix(got, "unconfined\n"+want) || !strings.HasSuffix(got, " done") {
		t.Errorf("with --privileged: %s", got)
	}
	for _, denied := range []string{"core_pattern", "swappiness", "pages_to_scan", "kcore", "/root"} {
		want = strings.Replace(want, denied+" done", denied+" denied", 1)
	}
	got = d.must(t, "run", "--rm", "--privileged", "--security-opt", "apparmor=docker-default", "busybox", "sh", "-c", armorLook)
	if !strings.HasPrefix(got, "docker-default (enforce)\n"+want) || !strings.HasSuffix(got, " done") {
		t.Errorf("under the profile: %s", got)
	}
	d.must(t, "run", "-d", "--name", "confined", "busybox", "sleep", "1000")
	d.wants(t, "docker-default", 0, "inspect", "-f", "{{.AppArmorProfile}}", "confined")
	unload(t) // as upgrades do: the next process has it again
	d.wants(t, "docker-default (enforce)", 0, "exec", "--privileged", "confined", "cat", "/proc/self/attr/current")
	d.must(t, "kill", "confined")
	if r := d.docker.Run(nil, "run", "--rm", "--security-opt", "apparmor=nosuch", "busybox", "true"); r.Code != 127 || !strings.Contains(r.Stderr, "profile nosuch") {
		t.Errorf("under a profile that is not loaded: exit %d, %s", r.Code, r.Stderr)
	}
}

func unload(t *testing.T) {
	t.Helper()
	cmd := exec.Command("apparmor_parser", "--remove")
	cmd.Stdin = strings.NewReader("profile docker-default {}")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("apparmor_parser: %v: %s", err, out)
	}
}
