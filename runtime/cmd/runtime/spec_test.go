package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"github.com/opencontainers/runtime-spec/specs-go/features"
)

func TestSpec(t *testing.T) {
	dir := t.TempDir()
	for _, line := range [][]string{{"spec", "-b", dir}, {"spec", "--rootless"}} {
		sub := t.TempDir()
		t.Chdir(sub)
		if line[1] == "-b" {
			sub = dir
		}
		if code, _, errs := invoke(nil, line...); code != 0 {
			t.Fatalf("%v: %s", line, errs)
		}
		var s specs.Spec
		data, err := os.ReadFile(filepath.Join(sub, "config.json"))
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(data, &s); err != nil || s.Version == "" {
			t.Errorf("%v: %v in %s", line, err, data)
		}
	}
	path := filepath.Join(dir, "config.json")
	refuse(t, "spec --bundle "+dir, 1, "cannot write "+path+": it exists, remove it first")
	refuse(t, "spec extra", 1, `cannot spec: unexpected argument "extra" (see 'runtime spec --help')`)
}

func TestFeatures(t *testing.T) {
	code, out, errs := invoke(nil, "features")
	if code != 0 {
		t.Fatal(errs)
	}
	var f features.Features
	if err := json.Unmarshal([]byte(out), &f); err != nil {
		t.Fatal(err)
	}
	if f.OCIVersionMax != "1.3.0" || len(f.Linux.Capabilities) != 41 || len(f.Hooks) != 6 || len(f.MountOptions) == 0 {
		t.Errorf("got %s", out)
	}
	if c := f.Linux.Cgroup; !*c.V1 || !*c.V2 || *c.Systemd || !*c.Rdma {
		t.Errorf("cgroup: %s", out)
	}
}
