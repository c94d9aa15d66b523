package cgroup

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

const hybridMountinfo = `22 1 0:20 / /proc rw - proc proc rw
31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:4 - cgroup cgroup rw,cpu,cpuacct
33 31 0:30 /docker/abc /sys/fs/cgroup/memory ro,relatime - cgroup cgroup rw,memory
34 31 0:31 / /mnt/a\040b rw - cgroup none rw,xattr,name=systemd
35 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw,nsdelegate
36 31 0:38 / /elsewhere rw,relatime - cgroup2 cgroup2 rw,nsdelegate
`

func TestHostFromMounts(t *testing.T) {
	h := parseMounts(t, hybridMountinfo)
	want := map[string]string{
		"cpu": "/sys/fs/cgroup/cpu,cpuacct", "cpuacct": "/sys/fs/cgroup/cpu,cpuacct",
		"memory": "/sys/fs/cgroup/memory", "name=systemd": "/mnt/a b",
	}
	if h.Mode != Hybrid || h.V2Root != "/sys/fs/cgroup/unified" || !reflect.DeepEqual(h.V1, want) {
		t.Errorf("host %+v", h)
	}
	own := ownFromProc("4:memory:/docker/abc/inner\n2:cpu,cpuacct:/../x\n1:name=systemd:/a:b\n0::/x.scope\n", h)
	wantOwn := map[string]string{"memory": "/inner", "cpu": "/", "cpuacct": "/", "name=systemd": "/a:b", "": "/x.scope"}
	if !reflect.DeepEqual(own, wantOwn) {
		t.Errorf("own %v", own)
	}
	for text, mode := range map[string]Mode{
		"35 31 0:38 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n":        Unified,
		"33 31 0:30 / /sys/fs/cgroup/memory rw - cgroup x rw,memory\n": Legacy,
	} {
		if h := parseMounts(t, text); h == nil || h.Mode != mode {
			t.Errorf("%s: host %+v", text, h)
		}
	}
	if h := parseMounts(t, "22 1 0:20 / /proc rw - proc proc rw\n"); h != nil {
		t.Errorf("host %+v without a mount", h)
	}
}

func FuzzHostFromMounts(f *testing.F) {
	f.Add(hybridMountinfo, "4:memory:/docker/abc/inner\n0::/x\n")
	f.Fuzz(func(t *testing.T, mounts, own string) {
		if h, err := hostFromMounts(strings.NewReader(mounts)); err == nil && h != nil {
			for c, p := range ownFromProc(own, h) {
				if p == "" || p[0] != '/' || strings.Contains(p+"/", "/../") {
					t.Errorf("own group of %q is %q", c, p)
				}
			}
		}
	})
}

func FuzzPlace(f *testing.F) {
	for _, s := range []string{"", "/a/b", "a//b/.", "/..", "s:p:n", "/s:p:n", "...", "/"} {
		f.Add(s, "c1")
	}
	h := &Host{Mode: Unified, V2Root: "/sys/fs/cgroup", Own: map[string]string{"": "/own/x"}}
	f.Fuzz(func(t *testing.T, cgroupsPath, id string) {
		at, err := newPlace(cgroupsPath, id)
		if err != nil {
			return
		}
		dir, err := at.in(h, "", h.V2Root)
		if err != nil || !strings.HasPrefix(dir, h.V2Root+"/") || strings.Contains(dir+"/", "/../") || strings.HasSuffix(dir, "/") {
			t.Errorf("%q, %q: %q, %v", cgroupsPath, id, dir, err)
		}
	})
}

// The conversion goes through the least, the default and the greatest value.
func TestWeightFromShares(t *testing.T) {
	for shares, want := range map[uint64]uint64{1: 1, 2: 1, 1024: 100, 262144: 10000, 1 << 40: 10000} {
		if got := weightFromShares(shares); got != want {
			t.Errorf("%d shares: weight %d, want %d", shares, got, want)
		}
	}
	for s, last := uint64(2), uint64(0); s <= 262144; s++ {
		w := weightFromShares(s)
		if w < last || w < 1 || w > 10000 {
			t.Fatalf("%d shares: weight %d after %d", s, w, last)
		}
		last = w
	}
}

func TestErrorClasses(t *testing.T) {
	h := &Host{Mode: Unified, V2Root: "/sys/fs/cgroup", Available: []string{}}
	limit := int64(1)
	_, err := Compile(h, "/x", "c1", &specs.LinuxResources{Pids: &specs.LinuxPids{Limit: &limit}})
	var lacking interface{ NotImplemented() }
	if !errors.As(err, &lacking) {
		t.Errorf("a missing controller: %v", err)
	}
	_, err = Compile(h, "/x/..", "c1", nil)
	var wrong interface{ InvalidParameter() }
	if !errors.As(err, &wrong) {
		t.Errorf("a bad path: %v", err)
	}
}

// parseMounts is hostFromMounts of a text.
func parseMounts(tb testing.TB, text string) *Host {
	tb.Helper()
	h, err := hostFromMounts(strings.NewReader(text))
	if err != nil {
		tb.Fatal(err)
	}
	return h
}
