package seccomp

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/moby/profiles/seccomp"
	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// runChild runs the test program as what, to make system call nr under profile; see child.
func runChild(t *testing.T, what, profile string, nr int) (string, syscall.WaitStatus) {
	t.Helper()
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), childEnv+"="+what, profileEnv+"="+profile, fmt.Sprintf("DHOW_SECCOMP_TEST_NR=%d", nr))
	out, err := cmd.Output()
	if cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out)), cmd.ProcessState.Sys().(syscall.WaitStatus)
}

func profileOf(action string) string {
	return `{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["mount","getcpu"],"action":"` + action + `"}]}`
}

func dockerProfile(t testing.TB) string {
	t.Helper()
	p, err := seccomp.GetDefaultProfile(&specs.Spec{Process: &specs.Process{Capabilities: &specs.LinuxCapabilities{}}})
	if err != nil {
		t.Fatal(err)
	}
	raw, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func TestKernel(t *testing.T) {
	tests := []struct {
		name, profile string
		nr            int
		want          string
		signal        syscall.Signal
	}{
		{"errno", simpleProfile, unix.SYS_MOUNT, "errno 77", 0},
		{"allow", simpleProfile, unix.SYS_GETPPID, "errno 0", 0},
		{"log", profileOf("SCMP_ACT_LOG"), unix.SYS_GETCPU, "errno 0", 0},
		{"trace without a tracer", profileOf("SCMP_ACT_TRACE"), unix.SYS_GETCPU, "errno 38", 0},
		{"kill process", profileOf("SCMP_ACT_KILL_PROCESS"), unix.SYS_MOUNT, "", unix.SIGSYS},
		{"docker, denied", dockerProfile(t), unix.SYS_MOUNT, "errno 1", 0},
		{"docker, clone3", dockerProfile(t), unix.SYS_CLONE3, "errno 38", 0},
		{"docker, allowed", dockerProfile(t), unix.SYS_GETPPID, "errno 0", 0},
		{"docker, newer", dockerProfile(t), 100000, "errno 38", 0},
		{"docker, in the last gap", dockerProfile(t), 400, "errno 1", 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			out, status := runChild(t, "call", test.profile, test.nr)
			if out != test.want || status.Signaled() != (test.signal != 0) || status.Signaled() && status.Signal() != test.signal {
				t.Errorf("printed %q, want %q; status %#x, want signal %d", out, test.want, status, test.signal)
			}
		})
	}
}

func TestKernelTrap(t *testing.T) {
	// The Go runtime turns SIGSYS into a crash report and exit status 2.
	out, status := runChild(t, "call", profileOf("SCMP_ACT_TRAP"), unix.SYS_MOUNT)
	if out != "" || !status.Exited() || status.ExitStatus() != 2 {
		t.Errorf("printed %q, status %#x", out, status)
	}
}

func TestKernelKillThread(t *testing.T) {
	for _, action := range []string{"SCMP_ACT_KILL_THREAD", "SCMP_ACT_KILL"} {
		if out, _ := runChild(t, "thread", profileOf(action), unix.SYS_MOUNT); out != "thread killed" {
			t.Errorf("%s: %s", action, out)
		}
	}
}
