package launch

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/runtime/plan"
)

func ids(container, host, size uint32) []specs.LinuxIDMapping {
	return []specs.LinuxIDMapping{{ContainerID: container, HostID: host, Size: size}}
}

// TestIDMappedTree looks at the owners of files through descriptors that a Program would inherit.
func TestIDMappedTree(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(file, 3, 4); err != nil {
		t.Fatal(err)
	}
	a := &plan.IDMap{UID: ids(0, 5000, 10), GID: ids(0, 6000, 10), Field: "mounts[0].uidMappings"}
	b := &plan.IDMap{UID: ids(3, 1, 1), GID: ids(4, 2, 1)}
	p := &plan.Program{Files: []plan.File{{Kind: plan.OpenTree, Path: dir, IDMap: a}, {Kind: plan.OpenTree, Path: dir, IDMap: b},
		{Kind: plan.OpenTree, Path: dir, IDMap: a}, {Kind: plan.OpenTree, Path: dir}}}
	before := openDescriptors(t)
	opened, err := openFiles(p, plain())
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range [][2]uint32{{5003, 6004}, {1, 2}, {5003, 6004}, {3, 4}} {
		var st unix.Stat_t
		if err := unix.Fstatat(opened[i], "file", &st, 0); err != nil {
			t.Fatal(err)
		}
		if st.Uid != want[0] || st.Gid != want[1] {
			t.Errorf("mount %d shows the owner %d:%d, want %v", i, st.Uid, st.Gid, want)
		}
	}
	opened.close()
	if after := openDescriptors(t); after != before {
		t.Errorf("%d descriptors are open, before it were %d", after, before)
	}
	if err := unix.Waitid(unix.P_ALL, 0, nil, unix.WEXITED|unix.WNOHANG, nil); err != unix.ECHILD {
		t.Errorf("children are left: %v", err)
	}
}

func openDescriptors(t *testing.T) int {
	t.Helper()
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}

func TestIDMapErrors(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	good := &plan.IDMap{UID: ids(0, 0, 1), GID: ids(0, 0, 1), Recursive: true, Field: "mounts[3].options[1]"}
	for name, c := range map[string]struct {
		file plan.File
		want string
	}{
		"file system": {plan.File{Kind: plan.OpenTree, Path: "/proc", IDMap: good},
			`cannot map the ids of "/proc" (mounts[3].options[1]): the file system proc, or one mounted below, does not allow it: mount_setattr: invalid argument`},
		"mapping": {plan.File{Kind: plan.OpenTree, Path: "/tmp", IDMap: &plan.IDMap{UID: ids(0, 0, 2), GID: append(ids(0, 0, 2), ids(1, 5, 1)...), Field: "f"}},
			`cannot map the ids of "/tmp" (f): cannot make a user namespace with the mappings: invalid argument`},
		"path": {plan.File{Kind: plan.OpenTree, Path: "/tmp", IDMap: &plan.IDMap{Path: "/proc/nowhere", Field: "f"}},
			`cannot map the ids of "/tmp" (f): cannot open the user namespace /proc/nowhere: no such file or directory`},
	} {
		t.Run(name, func(t *testing.T) {
			before := openDescriptors(t)
			_, err := openFiles(&plan.Program{Files: []plan.File{c.file}}, plain())
			if err == nil || err.Error() != c.want {
				t.Errorf("the error is\n%v, want\n%v", err, c.want)
			}
			if after := openDescriptors(t); after != before {
				t.Errorf("%d descriptors are open, before it were %d", after, before)
			}
		})
	}
}

// TestHolderEnds: the process that holds a user namespace goes away when its parent does.
func TestHolderEnds(t *testing.T) {
	o := plain()
	o.UIDMappings, o.GIDMappings = sysMap(ids(0, 1000, 1)), sysMap(ids(0, 1000, 1))
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	p, err := Start(plan.CompileHolder(), o)
	if err != nil {
		t.Fatal(err)
	}
	maps, err := os.Open(proc(p.Pid, "uid_map"))
	if err != nil {
		t.Fatal(err)
	}
	defer maps.Close()
	text, err := io.ReadAll(maps)
	if got := strings.Fields(string(text)); err != nil || strings.Join(got, " ") != "0 1000 1" {
		t.Errorf("uid_map is %v, %v", got, err)
	}
	p.Forget()
	if _, err := p.Wait(); err != nil {
		t.Error(err)
	}
}
