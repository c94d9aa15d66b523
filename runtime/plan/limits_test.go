package plan

import (
	"slices"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/spec"
)

// TestSysctlFiles: what is written is the file that package spec has checked, however the name is spelled.
func TestSysctlFiles(t *testing.T) {
	for _, key := range []string{"net.ipv4.ip_forward", "net/ipv4/ip_forward", "net/ipv4/conf/lo.x/forwarding", "net.ipv4.conf.lo/x.forwarding",
		"net.ipv4/conf.all", "net/ipv4.conf/all", "kernel.sem/", "kernel/sem", "hostname"} {
		want, err := spec.SysctlFile(key)
		if err != nil {
			t.Fatal(err)
		}
		p, err := Compile(&Input{Config: &specs.Spec{Root: &specs.Root{Path: "r"}, Linux: &specs.Linux{Sysctl: map[string]string{key: "1"}}}})
		if err != nil {
			t.Fatal(err)
		}
		var written []string
		f := newFacts(p, &Input{Config: &specs.Spec{}}, false)
		for _, i := range f.calls(unix.SYS_OPENAT2) {
			if f.kind(f.Steps[i].Args[0]) == "detached proc" {
				written = append(written, f.Steps[i].Args[1].Str)
			}
		}
		if !slices.Equal(written, []string{"sys/" + want}) {
			t.Errorf("the sysctl %s is written to %q, want sys/%s", key, written, want)
		}
	}
}
