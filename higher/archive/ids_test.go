package archive

import (
	"archive/tar"
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/dhow-containers/dhow/higher/userns"
	"github.com/dhow-containers/dhow/shim/api"
	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

func remapped() *userns.Map {
	maps := []specs.LinuxIDMapping{{HostID: 100000, Size: 1000}}
	return &userns.Map{UIDs: maps, GIDs: maps}
}

// owners are the owners of files below dir.
func owners(t *testing.T, dir string, names ...string) (list [][2]uint32) {
	t.Helper()
	for _, name := range names {
		var st unix.Stat_t
		if err := unix.Lstat(dir+"/"+name, &st); err != nil {
			t.Fatal(err)
		}
		list = append(list, [2]uint32{st.Uid, st.Gid})
	}
	return list
}

// TestRemappedOwners unpacks for a container in a user namespace, and archives what it has: archives have its ids.
func TestRemappedOwners(t *testing.T) {
	needRoot(t)
	_, root := rooted(t)
	in := packed(t, &tar.Header{Name: "d/f", Uid: 33, Gid: 34}, &tar.Header{Name: "r"})
	if err := Extract(root, "/", ExtractOptions{IDs: remapped()}, in); err != nil {
		t.Fatal(err)
	}
	for i, got := range owners(t, root.Name(), "d", "d/f", "r") {
		if want := [][2]uint32{{100000, 100000}, {100033, 100034}, {100000, 100000}}[i]; got != want {
			t.Errorf("file %d is %v's, want %v", i, got, want)
		}
	}
	err := Extract(root, "/", ExtractOptions{IDs: remapped()}, packed(t, &tar.Header{Name: "r", Uid: 5000}))
	if got := owners(t, root.Name(), "r")[0]; got != [2]uint32{100000, 100000} {
		t.Errorf("what is in the way of a file that cannot be is %v's", got)
	}
	if err == nil || !strings.Contains(err.Error(), "5000:0 is beyond the ids") {
		t.Error("an owner that is not mapped:", err)
	}
	var out bytes.Buffer
	if err := Write(root, "/d/f", remapped(), &out); err != nil {
		t.Fatal(err)
	}
	if h, err := tar.NewReader(&out).Next(); err != nil || h.Uid != 33 || h.Gid != 34 {
		t.Errorf("%+v, %v", h, err)
	}
}

// TestMappedLayers has an overlay, the ids of whose layers are mapped, in the thread's own namespace, and nothing of it
// is left beside.
func TestMappedLayers(t *testing.T) {
	needRoot(t)
	dir := t.TempDir()
	tree(t, dir, "lower/", "upper/", "work/", "lower/f=text")
	root, err := OpenRoot([]*api.Mount{{Type: "overlay", Source: "overlay", Options: []string{
		"uidmap=0:100000:1000", "gidmap=0:100000:1000", "lowerdir=" + dir + "/lower", "upperdir=" + dir + "/upper", "workdir=" + dir + "/work",
	}}})
	if err != nil && strings.Contains(err.Error(), "does not allow it") {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	var out bytes.Buffer
	if err := Write(root, "/f", nil, &out); err != nil {
		t.Fatal(err)
	}
	if h, err := tar.NewReader(&out).Next(); err != nil || h.Uid != 100000 {
		t.Errorf("%+v, %v", h, err)
	}
	if _, err := os.Stat(place + "-mapped"); err == nil {
		t.Error("there is a directory for the layers on the host")
	}
}
