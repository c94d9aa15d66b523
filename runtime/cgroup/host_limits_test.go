package cgroup_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/dhow-containers/dhow/runtime/cgroup"
	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

func itoa(n int) string { return strconv.Itoa(n) }

func must(p *cgroup.Plan, err error) *cgroup.Plan {
	if err != nil {
		panic(err)
	}
	return p
}

// has skips a test on a host that lacks a controller.
func has(t *testing.T, h *cgroup.Host, v1 string) {
	t.Helper()
	if h.V1[v1] == "" && !strings.Contains(" "+read(t, h.V2Root+"/cgroup.controllers")+" ", " "+v1+" ") {
		t.Skipf("needs the %s controller", v1)
	}
}

func TestHostPidsLimitBinds(t *testing.T) {
	views(t, func(t *testing.T, h *cgroup.Host) {
		has(t, h, "pids")
		g := create(t, h, newPath(), &specs.LinuxResources{Pids: &specs.LinuxPids{Limit: ptr(int64(20))}})
		if got := start(t, g, "fork").line(); !strings.Contains(got, "resource temporarily unavailable") {
			t.Errorf("fork bomb: %q", got)
		}
	})
}

func TestHostMemoryLimitBinds(t *testing.T) {
	views(t, func(t *testing.T, h *cgroup.Host) {
		has(t, h, "memory")
		limit := int64(48 << 20)
		g := create(t, h, newPath(), &specs.LinuxResources{Memory: &specs.LinuxMemory{Limit: &limit, Swap: &limit}})
		p := start(t, g, "alloc")
		if got := p.line(); got != "" {
			t.Errorf("allocated more than the limit: %q", got)
		}
		if got := p.signal(t); got != unix.SIGKILL {
			t.Errorf("ended by %v", got)
		}
	})
}

func TestHostDevices(t *testing.T) {
	views(t, func(t *testing.T, h *cgroup.Host) {
		kmsg := node(t, 1, 11)
		for _, c := range []struct {
			name, file, want string
			rules            []specs.LinuxDeviceCgroup
		}{
			{"default allowed", "/dev/null", "ok", nil},
			{"default denied", kmsg, "operation not permitted", nil},
			{"part denied", kmsg, "operation not permitted", []specs.LinuxDeviceCgroup{{Allow: true, Type: "c", Major: ptr(int64(1)), Minor: ptr(int64(11)), Access: "r"}}},
			{"allowed", kmsg, "ok", []specs.LinuxDeviceCgroup{{Allow: false, Access: "rwm"}, {Allow: true, Type: "c", Major: ptr(int64(1)), Access: "rw"}}},
			{"all allowed", kmsg, "ok", []specs.LinuxDeviceCgroup{{Allow: true, Access: "rwm"}}},
			{"all but one", kmsg, "operation not permitted", []specs.LinuxDeviceCgroup{{Allow: true, Access: "rwm"}, {Allow: false, Type: "c", Major: ptr(int64(1)), Minor: ptr(int64(11)), Access: "w"}}},
		} {
			t.Run(c.name, func(t *testing.T) {
				g := create(t, h, newPath(), &specs.LinuxResources{Devices: c.rules})
				if got := start(t, g, "open "+c.file).line(); got != c.want {
					t.Errorf("opening gives %q, want %q", got, c.want)
				}
			})
		}
	})
}

func TestHostUpdateDevices(t *testing.T) {
	views(t, func(t *testing.T, h *cgroup.Host) {
		kmsg := node(t, 1, 11)
		g := create(t, h, newPath(), nil)
		kmsgRule := specs.LinuxDeviceCgroup{Allow: true, Type: "c", Major: ptr(int64(1)), Minor: ptr(int64(11)), Access: "rw"}
		everything := specs.LinuxDeviceCgroup{Allow: true, Access: "rwm"}
		for i, c := range []struct {
			rules []specs.LinuxDeviceCgroup
			want  string
		}{
			{[]specs.LinuxDeviceCgroup{kmsgRule}, "ok"},
			{[]specs.LinuxDeviceCgroup{}, "operation not permitted"},
			{[]specs.LinuxDeviceCgroup{everything}, "ok"},
			{[]specs.LinuxDeviceCgroup{{Access: "rwm"}}, "operation not permitted"},
		} {
			if err := g.Update(h, &specs.LinuxResources{Devices: c.rules}); err != nil {
				t.Fatal(i, err)
			}
			if got := start(t, g, "open "+kmsg).line(); got != c.want {
				t.Errorf("update %d: opening gives %q, want %q", i, got, c.want)
			}
			if got := start(t, g, "open /dev/null").line(); got != "ok" {
				t.Errorf("update %d: opening null gives %q", i, got)
			}
		}
	})
}

func TestHostUpdateMemory(t *testing.T) {
	views(t, func(t *testing.T, h *cgroup.Host) {
		has(t, h, "memory")
		g := create(t, h, newPath(), nil)
		// Raised, lowered and lifted: the order of the writes has to change.
		for _, mib := range []int64{100, 200, 50, -1, 75} {
			m := &specs.LinuxMemory{Limit: ptr(mib << 20), Swap: ptr(2 * mib << 20)}
			if mib < 0 {
				m.Limit, m.Swap = ptr(mib), ptr(mib)
			}
			if err := g.Update(h, &specs.LinuxResources{Memory: m}); err != nil {
				t.Fatalf("%d MiB: %v", mib, err)
			}
		}
		if dir := g.Paths["memory"]; dir != "" {
			if got := read(t, dir+"/memory.limit_in_bytes"); got != itoa(75<<20) {
				t.Errorf("limit %s", got)
			}
		}
	})
}

func TestHostUpdateCPU(t *testing.T) {
	views(t, func(t *testing.T, h *cgroup.Host) {
		has(t, h, "cpu")
		g := create(t, h, newPath(), nil)
		for _, c := range []specs.LinuxCPU{
			{Quota: ptr(int64(20000)), Period: ptr(uint64(50000)), Burst: ptr(uint64(10000))},
			{Quota: ptr(int64(90000)), Period: ptr(uint64(100000)), Burst: ptr(uint64(60000))},
			{Quota: ptr(int64(10000)), Period: ptr(uint64(100000)), Burst: ptr(uint64(5000)), Shares: ptr(uint64(100))},
			{Idle: ptr(int64(1))},
			{Idle: ptr(int64(0)), Shares: ptr(uint64(200))},
		} {
			if err := g.Update(h, &specs.LinuxResources{CPU: &c}); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func TestHostRefusedValueNamesTheField(t *testing.T) {
	views(t, func(t *testing.T, h *cgroup.Host) {
		has(t, h, "cpuset")
		path := newPath()
		p := must(cgroup.Compile(h, path, "c1", &specs.LinuxResources{CPU: &specs.LinuxCPU{Cpus: "4000"}}))
		_, err := p.Create()
		root := h.V1["cpuset"]
		if h.Mode == cgroup.Unified {
			root = h.V2Root
		}
		if err == nil || !strings.HasPrefix(err.Error(), "cannot set linux.resources.cpu.cpus: write "+root+path) {
			t.Errorf("error %v", err)
		}
		if found := leftovers(h, path); len(found) > 0 {
			t.Errorf("left behind: %v", found)
		}
	})
}

func TestHostUnifiedKeys(t *testing.T) {
	needRoot(t)
	h := detect(t)
	if h.V2Root == "" {
		t.Skip("needs a cgroup v2 tree")
	}
	g := create(t, h, newPath(), &specs.LinuxResources{Unified: map[string]string{"cgroup.max.depth": "3", "cgroup.max.descendants": "7\n"}})
	if got := read(t, g.Paths[""]+"/cgroup.max.depth"); got != "3" {
		t.Errorf("cgroup.max.depth is %s", got)
	}
	path := newPath()
	_, err := must(cgroup.Compile(h, path, "c1", &specs.LinuxResources{Unified: map[string]string{"cgroup.nonsense": "1"}})).Create()
	if err == nil || !strings.Contains(err.Error(), `linux.resources.unified["cgroup.nonsense"]`) {
		t.Errorf("error %v", err)
	}
	if found := leftovers(h, path); len(found) > 0 {
		t.Errorf("left behind: %v", found)
	}
}

func TestHostHugepages(t *testing.T) {
	needRoot(t)
	h := detect(t)
	has(t, h, "hugetlb")
	path := newPath()
	g := create(t, h, path+"/nested", &specs.LinuxResources{HugepageLimits: []specs.LinuxHugepageLimit{{Pagesize: "2MB", Limit: 4 << 20}}})
	t.Cleanup(func() {
		parents := map[string]string{}
		for i, r := range roots(h) {
			parents[itoa(i)] = r + path
		}
		_ = cgroup.Open(parents).Delete()
	})
	if h.V1["hugetlb"] == "" {
		if got := read(t, g.Paths[""]+"/hugetlb.2MB.max"); got != itoa(4<<20) {
			t.Errorf("hugetlb.2MB.max is %s", got)
		}
	}
}
