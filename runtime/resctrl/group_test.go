package resctrl

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// fake is a tree of files in the place of resctrl. Directories made in it are filled as the kernel would.
func fake(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	for path, text := range map[string]string{
		"schemata": "    L3:0=7ff;1=7ff\n    MB:0=100;1=100\n", "tasks": "",
		"info/last_cmd_status": "ok\n",
		"info/L3/cbm_mask":     "7ff\n", "info/L3/min_cbm_bits": "1\n", "info/L3/num_closids": "16\n",
		"info/MB/bandwidth_gran": "10\n", "info/MB/delay_linear": "1\n", "info/MB/min_bandwidth": "10\n", "info/MB/num_closids": "8\n",
		"info/L3_MON/mon_features": "llc_occupancy\nmbm_total_bytes\nmbm_local_bytes\n",
	} {
		put(t, filepath.Join(root, path), text)
	}
	makeDir, removeDir := mkdir, rmdir
	mkdir = func(path string) error {
		if err := makeDir(path); err != nil {
			return err
		}
		put(t, filepath.Join(path, "tasks"), "")
		for _, cache := range []string{"00", "01"} {
			put(t, filepath.Join(path, "mon_data", "mon_L3_"+cache, "llc_occupancy"), "7"+cache+"\n")
			put(t, filepath.Join(path, "mon_data", "mon_L3_"+cache, "mbm_total_bytes"), "900\n")
			put(t, filepath.Join(path, "mon_data", "mon_L3_"+cache, "mbm_local_bytes"), "Unavailable\n")
		}
		if !strings.Contains(path, "mon_groups") {
			put(t, filepath.Join(path, "schemata"), "    L3:0=7ff;1=7ff\n    MB:0=100;1=100\n")
			return os.Mkdir(filepath.Join(path, "mon_groups"), 0o755)
		}
		return nil
	}
	rmdir = func(path string) error {
		if !exists(path) {
			return os.ErrNotExist
		}
		return os.RemoveAll(path)
	}
	t.Cleanup(func() { mkdir, rmdir = makeDir, removeDir })
	return root
}

func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func holds(t *testing.T, want string, path ...string) {
	t.Helper()
	got, err := os.ReadFile(filepath.Join(path...))
	if err != nil || string(got) != want {
		t.Errorf("%s holds %q, %v, want %q", filepath.Join(path...), got, err, want)
	}
}

func TestOwnClass(t *testing.T) {
	root := fake(t)
	c := &specs.LinuxIntelRdt{MemBwSchema: "MB:0=20;1=70", L3CacheSchema: "L3:0=7f0;1=1f", Schemata: []string{"L2:0=f", "L2:1=f"}, EnableMonitoring: true}
	g, err := Plan(root, "c1", c)
	if err != nil {
		t.Fatal(err)
	}
	if exists(root, "c1") {
		t.Error("Plan made a directory")
	}
	if want := "mkdir " + root + "/c1 (linux.intelRdt)\nmkdir " + root + "/c1/mon_groups/c1 (linux.intelRdt.enableMonitoring)"; g.String() != want {
		t.Errorf("it says %s", g)
	}
	if err := errors.Join(g.Create(c), g.Join(77)); err != nil {
		t.Fatal(err)
	}
	holds(t, "L3:0=7f0;1=1f\nMB:0=20;1=70\nL2:0=f\nL2:1=f\n", root, "c1/schemata")
	holds(t, "77", root, "c1/tasks")
	holds(t, "77", root, "c1/mon_groups/c1/tasks")
	if err := g.Update("", "MB:0=30"); err != nil {
		t.Error(err)
	}
	holds(t, "MB:0=30\n", root, "c1/schemata")
	for range 2 { // again is no error
		if err := g.Remove(); err != nil || exists(root, "c1") {
			t.Error("the class is still there", err)
		}
	}
}

func TestSharedClass(t *testing.T) {
	root := fake(t)
	c := &specs.LinuxIntelRdt{ClosID: "gold", L3CacheSchema: "L3:0=f"}
	for _, id := range []string{"c1", "c2"} {
		g, err := Plan(root, id, c)
		if err == nil {
			err = g.Create(c)
		}
		if err != nil {
			t.Fatal(err)
		}
		if err := g.Remove(); err != nil || !exists(root, "gold", "tasks") {
			t.Error("a class with a name is not the container's to remove", err)
		}
	}
	plain := &specs.LinuxIntelRdt{ClosID: "gold", EnableMonitoring: true}
	g, err := Plan(root, "c3", plain)
	if err == nil {
		err = g.Create(plain)
	}
	if err != nil {
		t.Fatal(err)
	}
	holds(t, "L3:0=f\n", root, "gold/schemata") // not touched
	if err := g.Remove(); err != nil || exists(root, "gold/mon_groups/c3") || !exists(root, "gold") {
		t.Error("only the monitoring group goes", err)
	}
}

// TestForeignDirectory: a class that is there already is not the container's, whatever its name.
func TestForeignDirectory(t *testing.T) {
	root := fake(t)
	if err := mkdir(filepath.Join(root, "c1")); err != nil {
		t.Fatal(err)
	}
	c := &specs.LinuxIntelRdt{}
	g, err := Plan(root, "c1", c)
	if err == nil {
		err = errors.Join(g.Create(c), g.Remove())
	}
	if err != nil || !exists(root, "c1") {
		t.Error("it was removed", err)
	}
}

// TestMadeMeanwhile: a class that somebody makes between Plan and Create is that somebody's, and compared when it has a name.
func TestMadeMeanwhile(t *testing.T) {
	for path, tt := range map[string]struct {
		config *specs.LinuxIntelRdt
		want   string
	}{
		"c1":   {&specs.LinuxIntelRdt{}, "file exists"},
		"gold": {&specs.LinuxIntelRdt{ClosID: "gold", L3CacheSchema: "L3:0=f"}, "it exists, and is not what"},
	} {
		t.Run(path, func(t *testing.T) {
			root := fake(t)
			g, err := Plan(root, "c1", tt.config)
			if err == nil {
				err = mkdir(filepath.Join(root, path))
			}
			if err != nil {
				t.Fatal(err)
			}
			if err := g.Create(tt.config); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Error(err)
			}
			if !exists(root, path, "tasks") {
				t.Error("it was removed")
			}
			holds(t, "    L3:0=7ff;1=7ff\n    MB:0=100;1=100\n", root, path, "schemata")
		})
	}
}

// TestUndo: a container that does not come about leaves no class, unless it was there before.
func TestUndo(t *testing.T) {
	root := fake(t)
	c := &specs.LinuxIntelRdt{ClosID: "gold", L3CacheSchema: "L3:0=f", EnableMonitoring: true}
	first, err := Plan(root, "c1", c)
	if err == nil {
		err = errors.Join(first.Create(c), first.Undo())
	}
	if err != nil || exists(root, "gold") {
		t.Error("the class is still there", err)
	}
	if err := mkdir(filepath.Join(root, "gold")); err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(root, "gold", "schemata"), "L3:0=00f\n")
	second, err := Plan(root, "c2", c)
	if err == nil {
		err = errors.Join(second.Create(c), second.Undo())
	}
	if err != nil || !exists(root, "gold", "tasks") || exists(root, "gold/mon_groups/c2") {
		t.Error("the class that was there is gone", err)
	}
}

func TestDefaultClass(t *testing.T) {
	root := fake(t)
	c := &specs.LinuxIntelRdt{ClosID: "/"}
	g, err := Plan(root, "c1", c)
	if err == nil {
		err = errors.Join(g.Create(c), g.Join(5), g.Remove())
	}
	if err != nil {
		t.Fatal(err)
	}
	holds(t, "5", root, "tasks")
	holds(t, "    L3:0=7ff;1=7ff\n    MB:0=100;1=100\n", root, "schemata")
}

func TestRefused(t *testing.T) {
	for name, c := range map[string]struct {
		config specs.LinuxIntelRdt
		lacks  string // directory of info
		want   string
	}{
		"no L3":            {specs.LinuxIntelRdt{L3CacheSchema: "L3:0=f"}, "L3", "cannot use linux.intelRdt.l3CacheSchema: the processor"},
		"no MB":            {specs.LinuxIntelRdt{MemBwSchema: "MB:0=10"}, "MB", "cannot use linux.intelRdt.memBwSchema: the processor"},
		"no monitor":       {specs.LinuxIntelRdt{EnableMonitoring: true}, "L3_MON", "cannot use linux.intelRdt.enableMonitoring: the processor"},
		"no such class":    {specs.LinuxIntelRdt{ClosID: "none"}, "", "cannot use the class of service none (linux.intelRdt.closID): it does not exist"},
		"another class L3": {specs.LinuxIntelRdt{ClosID: "old", L3CacheSchema: "L3:0=7fe"}, "", `it exists, and is not what linux.intelRdt.l3CacheSchema says, "L3:0=7fe"`},
		"another class MB": {specs.LinuxIntelRdt{ClosID: "old", L3CacheSchema: "L3:1=07FF", MemBwSchema: "MB:1=50"}, "", "is not what linux.intelRdt.memBwSchema says"},
	} {
		t.Run(name, func(t *testing.T) {
			root := fake(t)
			if err := mkdir(filepath.Join(root, "old")); err != nil {
				t.Fatal(err)
			}
			if c.lacks != "" {
				if err := os.RemoveAll(filepath.Join(root, "info", c.lacks)); err != nil {
					t.Fatal(err)
				}
			}
			if g, err := Plan(root, "c1", &c.config); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("Plan gives %v and the error %v, want %q", g, err, c.want)
			}
		})
	}
}

// TestFailedCreate: nothing stays, and the kernel's words are passed on.
func TestFailedCreate(t *testing.T) {
	root := fake(t)
	put(t, filepath.Join(root, "info/last_cmd_status"), "mask f0f has non-consecutive 1-bits\n")
	filled := mkdir
	mkdir = func(path string) error {
		if strings.Contains(path, "mon_groups") {
			return errors.New("no space left on device")
		}
		return filled(path)
	}
	c := &specs.LinuxIntelRdt{ClosID: "gold", L3CacheSchema: "L3:0=f", EnableMonitoring: true}
	g, err := Plan(root, "c1", c)
	if err != nil {
		t.Fatal(err)
	}
	err = g.Create(c)
	if want := "cannot make a monitoring group (linux.intelRdt.enableMonitoring): no space left on device (mask f0f has non-consecutive 1-bits)"; err == nil || err.Error() != want {
		t.Errorf("Create says %v", err)
	}
	if exists(root, "gold") {
		t.Error("the class is still there")
	}
}

func TestStats(t *testing.T) {
	root := fake(t)
	c := &specs.LinuxIntelRdt{EnableMonitoring: true}
	g, err := Plan(root, "c1", c)
	if err == nil {
		err = g.Create(c)
	}
	if err != nil {
		t.Fatal(err)
	}
	s, err := g.Stats()
	if err != nil {
		t.Fatal(err)
	}
	if s.L3CacheInfo.CbmMask != "7ff" || s.L3CacheInfo.NumClosids != 16 || s.MemBwInfo.MinBandwidth != 10 || s.L3CacheSchema != "L3:0=7ff;1=7ff" ||
		s.MemBwSchemaRoot != "MB:0=100;1=100" || len(s.Schemata) != 2 || len(s.MBMStats) != 2 || s.MBMStats[0] != (Bandwidth{900, 0}) || s.CMTStats[1].Bytes != 701 {
		t.Errorf("the statistics are %+v", s)
	}
}

func FuzzParse(f *testing.F) {
	f.Add("L3:0=7ff;1=c0\nMB:0=100")
	f.Fuzz(func(t *testing.T, text string) {
		if s := parse(text); !s.covers(parse(text)) {
			t.Error("it is not equal to itself")
		}
	})
}
