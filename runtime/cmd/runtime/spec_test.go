package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
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
