package idmap

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

func TestParseRanges(t *testing.T) {
	text := "alice:100000:65536\nbob:200000:10\n1000:300000:1\n\n# comment\nalice:x:1\nalice:1:0\nalice:5:4294967296\n:1:1\nalice:7:3:9\n"
	for name, want := range map[string][]Range{
		"alice": {{100000, 65536}, {300000, 1}},
		"bob":   {{200000, 10}, {300000, 1}},
		"":      {{300000, 1}},
	} {
		if got := parseRanges(text, "1000", name); !slices.Equal(got, want) {
			t.Errorf("%q has %v, want %v", name, got, want)
		}
	}
}

func TestHelper(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	if got, err := Helper("newuidmap"); err == nil || !strings.Contains(err.Error(), "newuidmap is not in $PATH") {
		t.Errorf("found %q, %v in an empty directory", got, err)
	}
}

func TestRunHelper(t *testing.T) {
	file := filepath.Join(t.TempDir(), "helper")
	for script, want := range map[string]string{
		"exit 0":                                "",
		"echo 'helper: no way' >&2; exit 1":     "no way",
		"echo first >&2; echo more >&2; exit 1": "first",
		"exit 3":                                "",
		"echo first >&2; head -c 200000 /dev/zero >&2; exit 1": "first",
	} {
		if err := os.WriteFile(file, []byte("#!/bin/sh\n"+script+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
		message, err := run(file, []string{"helper", "1"})
		if message != want || (err == nil) != (script == "exit 0") {
			t.Errorf("%s: %q, %v", script, message, err)
		}
	}
}

func TestOwnOnly(t *testing.T) {
	for _, c := range []struct {
		list []specs.LinuxIDMapping
		want bool
	}{
		{[]specs.LinuxIDMapping{{HostID: 7, Size: 1}}, true},
		{[]specs.LinuxIDMapping{{ContainerID: 1000, HostID: 7, Size: 1}}, true},
		{[]specs.LinuxIDMapping{{HostID: 8, Size: 1}}, false},
		{[]specs.LinuxIDMapping{{HostID: 7, Size: 2}}, false},
		{[]specs.LinuxIDMapping{{HostID: 7, Size: 1}, {ContainerID: 1, HostID: 9, Size: 1}}, false},
		{nil, false},
	} {
		if got := ownOnly(c.list, 7); got != c.want {
			t.Errorf("%v: %v", c.list, got)
		}
	}
}

func TestCovered(t *testing.T) {
	ranges := []Range{{10, 10}, {4294967290, 4}}
	for m, want := range map[specs.LinuxIDMapping]bool{
		{HostID: 10, Size: 10}: true, {HostID: 15, Size: 6}: false, {HostID: 9, Size: 1}: false, {HostID: 4294967292, Size: 4}: false,
	} {
		if covered(ranges, m) != want {
			t.Errorf("%+v: %v", m, !want)
		}
	}
	if got := join(ranges); got != "10-19, 4294967290-4294967293" {
		t.Error(got)
	}
}
