package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestRootlessFeatures(t *testing.T) {
	for value, want := range map[string]string{"none": "", "idmap": "idmap", "idmap+cgroup": "idmap cgroup"} {
		got, err := rootlessFeatures(value)
		if err != nil || strings.Join(got, " ") != want {
			t.Errorf("%s: %v, %v", value, got, err)
		}
	}
	for _, value := range []string{"all", "idmap+", "idmap cgroup"} {
		if got, err := rootlessFeatures(value); err == nil {
			t.Errorf("%q: %v", value, got)
		}
	}
}

func TestHierarchies(t *testing.T) {
	got := hierarchies("9:name=systemd:/\n4:memory:/a:b\n1:cpu,cpuacct:/\n0::/\n")
	if s := strings.Join(got, " "); s != "systemd memory cpu cpuacct" {
		t.Error(s)
	}
}

// Groups that a failed test has left go with the suite's.
func TestRemoveGroup(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "group")
	if err := os.MkdirAll(filepath.Join(dir, "a/b"), 0o755); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time there is nothing
		if err := removeGroup(dir); err != nil {
			t.Error(err)
		}
	}
	if _, err := os.Stat(dir); err == nil {
		t.Error("the group is still there")
	}
}
