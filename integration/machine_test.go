package integration

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// machine is the one that the tests of this process share, booted when the first needs it.
var machine struct {
	sync.Mutex
	*Machine
	err error
}

func shutDownMachine() {
	machine.Lock()
	defer machine.Unlock()
	if machine.Machine != nil {
		machine.ShutDown()
	}
}

func bootMachine() (*Machine, error) {
	machine.Lock()
	defer machine.Unlock()
	if machine.Machine != nil || machine.err != nil {
		return machine.Machine, machine.err
	}
	rootfs, err := SystemdRootfs()
	if err == nil {
		dir := filepath.Join(underTest.dir, "machine")
		if err = os.Mkdir(dir, 0o755); err == nil {
			files := map[string]string{"test": "/proc/self/exe", "runtime": underTest.runtime, "probe": underTest.probe}
			machine.Machine, err = Boot(rootfs, dir, files)
		}
	}
	machine.err = err
	return machine.Machine, err
}

// underSystemd tells a test to run its body here, where systemd is init. Anywhere else it runs the same test
// again there, takes over the verdict, and tells it not to.
func underSystemd(t *testing.T) bool {
	t.Helper()
	needRoot(t)
	if CurrentStage() == Systemd {
		return true
	}
	t.Parallel()
	cmd, err := systemdCommand("-test.run=^"+t.Name()+"$", "-test.v", "-test.count=1")
	if errors.Is(err, ErrNoDebootstrap) {
		skip(t, err.Error())
	}
	must(t, err)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("under systemd: %v\n%s", err, out)
	}
	if _, reason, found := strings.Cut(string(out), "\n  "+t.Name()+": "); found {
		reason, _, _ = strings.Cut(reason, "\n")
		skip(t, reason)
	}
	return false
}

// systemdCommand calls the tests where systemd is init, in a mount namespace of their own that sees what systemd
// mounts: here, in the virtual machine that has it, or else in a Machine.
func systemdCommand(args ...string) (*exec.Cmd, error) {
	env := []string{"RUNTIME=" + underTest.runtime, "DHOW_TEST_PROBE=" + underTest.probe, stageVariable + "=" + string(Systemd)}
	own := []string{"unshare", "--mount", "--propagation", "slave"}
	if os.Getenv("DHOW_TEST_VM") == "systemd" {
		self, err := os.Executable()
		cmd := exec.Command("nsenter", slices.Concat([]string{"--target", "1", "--mount"}, own, []string{self}, args)...)
		cmd.Env = append(os.Environ(), env...)
		return cmd, err
	}
	m, err := bootMachine()
	if err != nil {
		return nil, err
	}
	env[0], env[1] = "RUNTIME="+machineFiles+"/runtime", "DHOW_TEST_PROBE="+machineFiles+"/probe"
	cmd := m.Command(slices.Concat(own, []string{machineFiles + "/test"}, args)...)
	cmd.Env = append(cmd.Env, env...)
	return cmd, nil
}

// hangVariable has TestMachineOfAProcessThatHangs boot a Machine and never end.
const hangVariable = "DHOW_TEST_HANG"

func TestMachineOfAProcessThatHangs(t *testing.T) {
	if os.Getenv(hangVariable) == "" {
		t.Skip("for TestMachineGoesWithItsTests")
	}
	m, err := bootMachine()
	must(t, err)
	fmt.Println("\nbooted", os.Getpid(), m.cmd.Process.Pid)
	time.Sleep(time.Hour)
}

// Tests that are killed, by a timeout say, leave no Machine behind. Its control group goes, too, if the process that has
// started them lives on.
func TestMachineGoesWithItsTests(t *testing.T) {
	needRoot(t)
	t.Parallel()
	if _, err := SystemdRootfs(); errors.Is(err, ErrNoDebootstrap) {
		skip(t, err.Error())
	}
	for _, both := range []bool{false, true} {
		cmd := exec.Command("/proc/self/exe", "-test.run=^TestMachineOfAProcessThatHangs$", "-test.v")
		cmd.Env = append(os.Environ(), hangVariable+"=1", stageVariable+"=") // from the first stage on
		out, err := cmd.StdoutPipe()
		must(t, err)
		must(t, cmd.Start())
		inner, init := 0, 0
		for text := bufio.NewScanner(out); init == 0 && text.Scan(); {
			_, _ = fmt.Sscanf(text.Text(), "booted %d %d", &inner, &init)
		}
		if init == 0 {
			_ = cmd.Wait()
			t.Fatal("no machine was booted")
		}
		if both {
			must(t, cmd.Process.Kill()) // the other one dies of that
		} else {
			must(t, unix.Kill(inner, unix.SIGKILL))
		}
		if err := cmd.Wait(); err == nil {
			t.Error("the tests passed")
		}
		await(t, "the machine to end", func() bool { return ended(init) })
		group, err := machineGroup(inner)
		must(t, err)
		if !both && exists(group) {
			t.Errorf("%s is still there", group)
		}
		RemoveMachine(inner)
	}
}
