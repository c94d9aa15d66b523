package container

import (
	"maps"
	"net/netip"
	"slices"
	"testing"

	"github.com/dhow-containers/dhow/higher/api"
	"github.com/dhow-containers/dhow/higher/task"
	"github.com/dhow-containers/dhow/runtime/cgroup"
	types "github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"
)

func TestLinkEnvironment(t *testing.T) {
	ports := network.PortSet{}
	for _, p := range []string{"80/tcp", "53/udp", "53/tcp"} {
		ports[network.MustParsePort(p)] = struct{}{}
	}
	other := &Record{Config: &types.Config{ExposedPorts: ports, Env: []string{"A=1=2", "HOME=/x", "PATH=/y", "bare"}}}
	e := &network.EndpointSettings{IPAddress: netip.MustParseAddr("172.17.0.2")}
	want := []string{
		"MY_DB_NAME=/web/my-db", "MY_DB_PORT=tcp://172.17.0.2:53",
		"MY_DB_PORT_53_TCP=tcp://172.17.0.2:53", "MY_DB_PORT_53_TCP_ADDR=172.17.0.2", "MY_DB_PORT_53_TCP_PORT=53", "MY_DB_PORT_53_TCP_PROTO=tcp",
		"MY_DB_PORT_53_UDP=udp://172.17.0.2:53", "MY_DB_PORT_53_UDP_ADDR=172.17.0.2", "MY_DB_PORT_53_UDP_PORT=53", "MY_DB_PORT_53_UDP_PROTO=udp",
		"MY_DB_PORT_80_TCP=tcp://172.17.0.2:80", "MY_DB_PORT_80_TCP_ADDR=172.17.0.2", "MY_DB_PORT_80_TCP_PORT=80", "MY_DB_PORT_80_TCP_PROTO=tcp",
		"MY_DB_ENV_A=1=2",
	}
	if got := linkEnv("web", "my-db", other, e); !slices.Equal(got, want) {
		t.Errorf("%q\nwant %q", got, want)
	}
}

func TestLogAttributes(t *testing.T) {
	r := &Record{
		ID: "0123456789abcdef0123456789abcdef", Name: "web", Path: "sh", Args: []string{"-c", "x y"},
		Config:     &types.Config{Image: "busybox", Labels: map[string]string{"a": "1", "b": "2", "app.x": "3"}, Env: []string{"E=5", "F=6", "bare"}},
		HostConfig: &types.HostConfig{},
	}
	for _, tt := range []struct {
		options map[string]string
		want    map[string]string // nil for an error
	}{
		{nil, map[string]string{}},
		{map[string]string{"labels": "a,none", "env": "F,bare"}, map[string]string{"a": "1", "F": "6"}},
		{map[string]string{"labels-regex": "^app", "env-regex": "^E"}, map[string]string{"app.x": "3", "E": "5"}},
		{map[string]string{"labels": "b", "labels-regex": "^a$"}, map[string]string{"a": "1", "b": "2"}},
		{map[string]string{"tag": "{{.ID}}/{{.Name}}/{{.ImageName}}/{{.DaemonName}}"}, map[string]string{"tag": "0123456789ab/web/busybox/docker"}},
		{map[string]string{"tag": "{{.FullID}} {{.Command}}"}, map[string]string{"tag": r.ID + " sh -c x y"}},
		{map[string]string{"tag": "{{.Nosuch}}"}, nil},
		{map[string]string{"tag": "{{"}, nil},
		{map[string]string{"labels-regex": "("}, nil},
	} {
		r.HostConfig.LogConfig.Config = tt.options
		got, err := logAttrs(r)
		if (err != nil) != (tt.want == nil) || err == nil && !maps.Equal(got, tt.want) {
			t.Errorf("%v: %v, %v; want %v", tt.options, got, err, tt.want)
		}
	}
}

func TestListFilters(t *testing.T) {
	r := &Record{
		ID: "0123456789abcdef", Name: "web-1",
		Config:     &types.Config{Labels: map[string]string{"a": "1", "b": ""}},
		HostConfig: &types.HostConfig{Annotations: map[string]string{"n": "v"}},
	}
	r.Phase, r.ExitCode = Exited, 3
	for _, tt := range []struct {
		key    string
		values []string
		want   string // yes, no, or error
	}{
		{"label", []string{"a"}, "yes"}, {"label", []string{"a=1", "b"}, "yes"}, {"label", []string{"a=1", "c"}, "no"}, {"label", []string{"a=2"}, "no"},
		{"annotation", []string{"n=v"}, "yes"}, {"annotation", []string{"n=w"}, "no"},
		{"name", []string{"web"}, "yes"}, {"name", []string{"^/web-.$"}, "yes"}, {"name", []string{"^web-1$"}, "yes"}, {"name", []string{"/web-1"}, "yes"}, {"name", []string{"^eb"}, "no"},
		{"status", []string{"exited"}, "yes"}, {"status", []string{"running", "exited"}, "yes"}, {"status", []string{"running"}, "no"}, {"status", []string{"nosuch"}, "error"},
		{"exited", []string{"3"}, "no"}, {"exited", []string{"x"}, "error"}, // it has never been started
		{"health", []string{"none"}, "yes"}, {"health", []string{"healthy"}, "no"}, {"health", []string{"nosuch"}, "error"},
		{"is-task", []string{"false"}, "yes"}, {"is-task", []string{"true"}, "no"}, {"is-task", []string{"x"}, "error"},
		{"isolation", []string{"default"}, "yes"}, {"isolation", []string{"hyperv"}, "no"},
		{"publish", []string{"80"}, "no"}, {"publish", []string{"1:2"}, "error"}, {"expose", []string{"x"}, "error"},
		{"nosuch", []string{"x"}, "error"},
	} {
		got := "no"
		pass, err := (&Manager{}).filters(api.Filters{tt.key: tt.values})
		if err != nil {
			got = "error"
		} else if pass(r) {
			got = "yes"
		}
		if got != tt.want {
			t.Errorf("%s=%q: %s, want %s (%v)", tt.key, tt.values, got, tt.want, err)
		}
	}
}

// The host's memory is the limit of a container without one, as in Docker.
func TestStatsOfMemory(t *testing.T) {
	for _, unified := range []bool{false, true} {
		m := &task.Metrics{Unified: unified, Stats: &cgroup.Stats{}}
		m.Memory.Usage.Current, m.Memory.Usage.Max, m.Memory.Usage.Failed = 5, 9, 4
		m.Memory.Usage.Limit, m.Memory.Events.OOM = 1<<63, 2
		m.CPU.Usage, m.CPU.System, m.CPU.User = 30, 10, 20
		var s types.StatsResponse
		if err := fillStats(&s, m); err != nil {
			t.Fatal(err)
		}
		if s.MemoryStats.Usage != 5 || s.MemoryStats.Limit == 0 || s.MemoryStats.Limit >= 1<<62 || s.CPUStats.CPUUsage.TotalUsage != 30 {
			t.Errorf("unified %v: %+v, %+v", unified, s.MemoryStats, s.CPUStats)
		}
		most, failed := uint64(9), uint64(4)
		if unified {
			most, failed = 0, 2
		}
		if s.MemoryStats.MaxUsage != most || s.MemoryStats.Failcnt != failed {
			t.Errorf("unified %v: most %d, failed %d", unified, s.MemoryStats.MaxUsage, s.MemoryStats.Failcnt)
		}
	}
}

// A container that does not run has statistics, of nothing.
func TestStatsOfStopped(t *testing.T) {
	m := newWorld(t).open()
	id, err := tryCreate(m, "c1", types.Config{}, types.HostConfig{})
	if err != nil {
		t.Fatal(err)
	}
	c, err := m.get(id)
	if err != nil {
		t.Fatal(err)
	}
	if s, err := c.sample(t.Context(), nil); err != nil || s.OSType != "linux" || s.Name != "/c1" || !s.Read.IsZero() {
		t.Errorf("%+v, %v", s, err)
	}
}
