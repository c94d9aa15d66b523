package config

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// parse parses flags with a configuration file of this content.
func parse(t *testing.T, file string, flags ...string) (*Command, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "daemon.json")
	if err := os.WriteFile(path, []byte(file), 0o600); err != nil {
		t.Fatal(err)
	}
	c, _, err := Parse(append(flags, "--config-file", path))
	return c, err
}

// file has options of every kind.
const file = `{
	"debug": true, "hosts": ["unix:///run/x.sock", "fd://"], "log-level": "warn", "group": "adm", "labels": ["a=b"],
	"data-root": "/d", "storage-driver": "native", "insecure-registries": ["r:1"], "runtimes": {"crun": {"path": "/usr/bin/crun"}},
	"default-ulimits": {"nofile": {"Name": "nofile", "Hard": 20, "Soft": 10}}, "log-opts": {"max-size": "1m"},
	"default-shm-size": "32M", "bip": "10.9.0.1/24", "dns": ["9.9.9.9"], "icc": false, "mtu": 1400,
	"default-address-pools": [{"base": "10.8.0.0/16", "size": 24}], "exec-opts": ["native.cgroupdriver=systemd"]
}`

func TestFlagsAndFileAgree(t *testing.T) {
	fromFile, err := parse(t, file)
	if err != nil {
		t.Fatal(err)
	}
	fromFlags, err := parse(t, "", "-D", "-H", "unix:///run/x.sock", "-H", "fd://", "-l", "warn", "-G", "adm", "--label", "a=b",
		"--data-root", "/d", "-s", "native", "--insecure-registry=r:1", "--add-runtime", "crun=/usr/bin/crun",
		"--default-ulimit", "nofile=10:20", "--log-opt", "max-size=1m", "--default-shm-size", "32M", "--bip", "10.9.0.1/24",
		"--dns", "9.9.9.9", "--icc=false", "--mtu", "1400", "--default-address-pool", "base=10.8.0.0/16,size=24",
		"--exec-opt", "native.cgroupdriver=systemd")
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(fromFile, fromFlags) {
		t.Errorf("file:  %+v\nflags: %+v", fromFile.Config, fromFlags.Config)
	}
	if fromFile.ShmSize != 32<<20 || fromFile.ICC || fromFile.Runtimes["crun"].Path != "/usr/bin/crun" {
		t.Errorf("%+v", fromFile.Config)
	}
}

func TestRefused(t *testing.T) {
	for _, c := range []struct {
		file  string
		flags []string
		want  string
	}{
		{`{"nonsense": 1, "more": 2}`, nil, "don't match any configuration option: more, nonsense"},
		{`{"debug": true}`, []string{"-D"}, "both as a flag and in the configuration file: debug"},
		{`{"debug": "yes"}`, nil, `debug: "yes" is of the wrong type`},
		{`{"mtu": {}}`, nil, "mtu: is not an object"},
		{`{"mtu": -1}`, nil, `mtu: "-1" is not a positive number`},
		{`{"runtimes": {"x": {"paht": "/x"}}}`, nil, `unknown field "paht"`},
		{`{"runtimes": {"dhow": {"path": "/x"}}}`, nil, `"dhow" is reserved`},
		{`{"runtimes": {"a/b": {"path": "/x"}}}`, nil, `invalid runtime name "a/b"`},
		{`{"runtimes": {"x": {}}}`, nil, "runtime x: either a runtimeType or a path must be configured"},
		{`{"runtimes": {"x": {"path": "/x", "runtimeType": "io.containerd.runc.v2"}}}`, nil, "cannot configure both path and runtimeType"},
		{`{"runtimes": {"x": {"runtimeType": "io.containerd.kata.v2"}}}`, nil, `runtime x: cannot use the runtimeType "io.containerd.kata.v2"`},
		{`{"runtimes": {"x": {"runtimeType": "io.containerd.runc.v2", "runtimeArgs": ["--debug"]}}}`, nil, "args cannot be used with a runtimeType"},
		{`{"runtimes": {"x": {"path": "/x", "options": {"BinaryName": "/y"}}}}`, nil, "options cannot be used with a path"},
		{"", []string{"--add-runtime", "x="}, "the path is empty"},
		{"", []string{"--default-runtime", "x"}, `no runtime is named "x"`},
		{`{} {}`, nil, "after the JSON object"},
		{`{`, nil, "unexpected"},
		{``, []string{"-H", "tcp://0.0.0.0:2375"}, "is root on this host"},
		{``, []string{"-H", "/run/x.sock"}, "must be unix://PATH"},
		{``, []string{"--bip", "10.0.0.1/24", "--fixed-cidr", "10.1.0.0/25"}, "not inside bip"},
		{``, []string{"--log-driver", "syslog"}, "none of json-file, local, none"},
		{``, []string{"--default-runtime", "kata"}, `no runtime is named "kata"`},
		{``, []string{"--graph", "/x"}, "unknown flag: --graph"},
		{``, []string{"x"}, "takes no arguments"},
		{``, []string{"--label", "x"}, "must be key=value"},
	} {
		if _, err := parse(t, c.file, c.flags...); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s %v: %v, want %s", c.file, c.flags, err, c.want)
		}
	}
}

func TestDefaults(t *testing.T) {
	c, err := parse(t, "{}")
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(c.Hosts, []string{Socket}) || c.LogDriver != "json-file" || !c.ICC || !c.LiveRestore {
		t.Errorf("%+v", c.Config)
	}
	if _, _, err := Parse([]string{"--config-file", "/nonexistent"}); err == nil {
		t.Error("a named file that is absent is no error")
	}
}

// Help shows every option.
func TestHelpNamesEveryOption(t *testing.T) {
	_, usage, err := Parse([]string{"--config-file", os.DevNull})
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range options() {
		if !strings.Contains(usage, "--"+o.flag) {
			t.Errorf("help lacks --%s", o.flag)
		}
	}
}

func FuzzFile(f *testing.F) {
	f.Add([]byte(file))
	f.Fuzz(func(_ *testing.T, raw []byte) {
		c := Default()
		if c.apply(raw, nil) == nil {
			_ = c.Validate()
		}
	})
}
