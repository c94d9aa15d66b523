package spec

import (
	"encoding/json"
	"os"
	"os/exec"
	"reflect"
	"slices"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

func TestDefaultsAreValid(t *testing.T) {
	for name, s := range map[string]*specs.Spec{"default": Default(), "rootless": rootless(1000, 1001)} {
		if err := Validate(s); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if warnings := Warnings(s); len(warnings) != 0 {
			t.Errorf("%s: %v", name, warnings)
		}
	}
}

func rootless(uid, gid uint32) *specs.Spec {
	s := Default()
	ToRootless(s, uid, gid)
	return s
}

// TestDefaultIsThatOfRunc compares with what runc 1.1 printed.
func TestDefaultIsThatOfRunc(t *testing.T) {
	compareWithRunc(t, Default(), readTestdata(t, "runc-1.1.json"))
	compareWithRunc(t, rootless(0, 0), readTestdata(t, "runc-1.1-rootless.json"))
}

// TestDefaultIsThatOfInstalledRunc compares with the runc of this machine.
func TestDefaultIsThatOfInstalledRunc(t *testing.T) {
	runc, err := exec.LookPath("runc")
	if err != nil {
		t.Skip("runc is not installed")
	}
	for _, test := range []struct {
		args []string
		ours *specs.Spec
	}{{nil, Default()}, {[]string{"--rootless"}, rootless(uint32(os.Geteuid()), uint32(os.Getegid()))}} {
		dir := t.TempDir()
		if out, err := exec.Command(runc, append([]string{"spec", "-b", dir}, test.args...)...).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		data, err := os.ReadFile(dir + "/config.json")
		if err != nil {
			t.Fatal(err)
		}
		compareWithRunc(t, test.ours, data)
	}
}

func compareWithRunc(t *testing.T, ours *specs.Spec, data []byte) {
	t.Helper()
	var theirs specs.Spec
	if err := json.Unmarshal(data, &theirs); err != nil {
		t.Fatal(err)
	}
	// The differences that the comment of Default lists.
	theirs.Version, theirs.Hostname = ours.Version, ours.Hostname
	theirs.Process.Capabilities.Ambient = nil
	masked := slices.DeleteFunc(slices.Clone(ours.Linux.MaskedPaths), func(path string) bool {
		return path == "/proc/interrupts" || path == "/sys/devices/virtual/powercap"
	})
	slices.Sort(masked)
	slices.Sort(theirs.Linux.MaskedPaths)
	if !slices.Equal(masked, theirs.Linux.MaskedPaths) {
		t.Errorf("masked paths: got %q, want %q", masked, theirs.Linux.MaskedPaths)
	}
	theirs.Linux.MaskedPaths = ours.Linux.MaskedPaths
	if !reflect.DeepEqual(ours, &theirs) {
		t.Errorf("got  %s\nwant %s", asJSON(t, ours), asJSON(t, &theirs))
	}
}

func TestDefaultIsTheCallersOwn(t *testing.T) {
	a := Default()
	a.Process.Capabilities.Bounding[0] = "changed"
	a.Linux.MaskedPaths[0] = "changed"
	a.Mounts[1].Options[0] = "changed"
	if !reflect.DeepEqual(Default(), Default()) || a.Process.Capabilities.Effective[0] == "changed" {
		t.Error("values are shared")
	}
}

func TestToRootlessOfLittle(t *testing.T) {
	s := &specs.Spec{Mounts: []specs.Mount{{Destination: "/a", Type: "tmpfs", Options: []string{"uid=5", "ro", "gid=5"}}}}
	ToRootless(s, 7, 8)
	if !slices.Equal(s.Mounts[0].Options, []string{"ro"}) || s.Linux.UIDMappings[0].HostID != 7 || s.Linux.GIDMappings[0].HostID != 8 {
		t.Errorf("got %s", asJSON(t, s))
	}
}
