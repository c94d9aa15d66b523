package idmap

import (
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

func TestIDMapText(t *testing.T) {
	const most = 1<<32 - 1
	for want, list := range map[string][]specs.LinuxIDMapping{
		"":                                   nil,
		"0 0 1\n":                            {{Size: 1}},
		"0 100000 65536\n":                   {{HostID: 100000, Size: 65536}},
		"5 6 7\n0 1000 5\n":                  {{ContainerID: 5, HostID: 6, Size: 7}, {HostID: 1000, Size: 5}}, // in the config's order
		"4294967295 4294967295 4294967295\n": {{ContainerID: most, HostID: most, Size: most}},
	} {
		if got := string(text(list)); got != want {
			t.Errorf("%v is written as %q, want %q", list, got, want)
		}
	}
}

// TestWriteIDMaps: the kernel reads back what the config asks for.
func TestWriteIDMaps(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root, to map other users")
	}
	cmd := exec.Command("/bin/sleep", "100")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWUSER, Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	defer cmd.Process.Kill()
	l := &specs.Linux{UIDMappings: []specs.LinuxIDMapping{{HostID: 100000, Size: 10}, {ContainerID: 20, HostID: 5, Size: 1}},
		GIDMappings: []specs.LinuxIDMapping{{HostID: 7, Size: 2}}}
	if err := Write(cmd.Process.Pid, l.UIDMappings, l.GIDMappings); err != nil {
		t.Fatal(err)
	}
	for file, want := range map[string]string{"uid_map": "0 100000 10 20 5 1", "gid_map": "0 7 2", "setgroups": "allow"} {
		if got := strings.Join(strings.Fields(content(t, "/proc/"+strconv.Itoa(cmd.Process.Pid)+"/"+file)), " "); got != want {
			t.Errorf("%s is %q, want %q", file, got, want)
		}
	}
	if err := Write(cmd.Process.Pid, l.UIDMappings, l.GIDMappings); err == nil || !strings.Contains(err.Error(), "(linux.gidMappings)") {
		t.Errorf("a second time: %v", err)
	}
}

func content(t *testing.T, file string) string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
