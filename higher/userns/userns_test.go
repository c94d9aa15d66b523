package userns

import (
	"bytes"
	"math"
	"strings"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"

	"github.com/dhow-containers/dhow/runtime/idmap"
)

// sample has two ranges of users and one of groups.
func sample() *Map {
	return &Map{
		UIDs: []specs.LinuxIDMapping{{ContainerID: 0, HostID: 100000, Size: 1000}, {ContainerID: 1000, HostID: 300000, Size: 10}},
		GIDs: []specs.LinuxIDMapping{{ContainerID: 0, HostID: 200000, Size: 2000}},
	}
}

func TestMap(t *testing.T) {
	m := sample()
	for _, c := range []struct{ uid, gid, hostUID, hostGID int }{
		{0, 0, 100000, 200000}, {999, 1999, 100999, 201999}, {1000, 1, 300000, 200001}, {1009, 33, 300009, 200033},
	} {
		if uid, gid, err := m.Host(c.uid, c.gid); err != nil || uid != c.hostUID || gid != c.hostGID {
			t.Errorf("%d:%d on the host: %d:%d, %v", c.uid, c.gid, uid, gid, err)
		}
		if uid, gid := m.Container(c.hostUID, c.hostGID); uid != c.uid || gid != c.gid {
			t.Errorf("%d:%d in the container: %d:%d", c.hostUID, c.hostGID, uid, gid)
		}
	}
	for _, c := range [][2]int{{1010, 0}, {0, 2000}, {-1, 0}, {65534, 65534}} {
		if uid, gid, err := m.Host(c[0], c[1]); err == nil {
			t.Errorf("%v is %d:%d on the host", c, uid, gid)
		}
	}
	if uid, gid := m.Container(0, 202000); uid != overflow || gid != overflow {
		t.Errorf("root of the host is %d:%d in the container", uid, gid)
	}
	if uid, gid := m.Root(); uid != 100000 || gid != 200000 {
		t.Errorf("root is %d:%d", uid, gid)
	}
}

func TestNoMap(t *testing.T) {
	var m *Map
	hostUID, hostGID, err := m.Host(7, 8)
	uid, gid := m.Container(7, 8)
	rootUID, rootGID := m.Root()
	if err != nil || hostUID != 7 || hostGID != 8 || uid != 7 || gid != 8 || rootUID != 0 || rootGID != 0 {
		t.Error(hostUID, hostGID, err, uid, gid, rootUID, rootGID)
	}
}

func TestFormat(t *testing.T) {
	text := Format(sample().UIDs)
	if text != "0:100000:1000,1000:300000:10" {
		t.Error(text)
	}
	if list, err := Parse(text); err != nil || Format(list) != text {
		t.Error(list, err)
	}
	for _, bad := range []string{"", "0:1", "0:1:2:3", "a:1:2", "0:1:2,", "0:-1:2", "0:4294967296:1"} {
		if list, err := Parse(bad); err == nil {
			t.Errorf("%q is %v", bad, list)
		}
	}
}

func TestRanges(t *testing.T) {
	list, err := inARow([]idmap.Range{{First: 100000, Count: 65536}, {First: 300000, Count: 5}})
	if err != nil || Format(list) != "0:100000:65536,65536:300000:5" {
		t.Error(list, err)
	}
	if list, err := inARow([]idmap.Range{{First: 1, Count: math.MaxUint32 - 1}, {First: 1, Count: 2}}); err == nil {
		t.Error(list)
	}
}

func TestFind(t *testing.T) {
	for _, setting := range []string{"", "root", "0", "root:root", "0:0"} {
		if m, err := Find(setting); m != nil || err != nil {
			t.Errorf("%q: %v, %v", setting, m, err)
		}
	}
	for setting, want := range map[string]string{
		"nobody-of-that-name": "useradd --system --no-create-home nobody-of-that-name", "4000000001": "no user 4000000001",
		"a:b:c": "none of default, USER[:GROUP] and UID[:GID]", ":0": "none of default", "root:": "none of default",
		"root:nobody-of-that-name": "cannot look up the group nobody-of-that-name",
	} {
		if m, err := Find(setting); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "--userns-remap "+setting) {
			t.Errorf("%q: %v, %v, want %s", setting, m, err, want)
		}
	}
}

func TestCapability(t *testing.T) {
	m := sample()
	archived := []byte{1, 0, 0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0} // effective, revision 2
	host := append([]byte{1, 0, 0, 3}, archived[4:]...)
	host = append(host, 0xa0, 0x86, 1, 0) // 100000
	if got := m.HostCapability(archived); !bytes.Equal(got, host) {
		t.Errorf("on the host: % x", got)
	}
	if got := m.ContainerCapability(host); !bytes.Equal(got, archived) {
		t.Errorf("in an archive: % x", got)
	}
	for _, other := range [][]byte{nil, {1}, archived[:12], host} {
		if got := m.HostCapability(other); !bytes.Equal(got, other) {
			t.Errorf("% x became % x", other, got)
		}
	}
	var none *Map
	if !bytes.Equal(none.HostCapability(archived), archived) || !bytes.Equal(none.ContainerCapability(host), host) {
		t.Error("changed without a map")
	}
}
