package engine

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dhow-containers/dhow/integration"
)

// await polls for something that has no event a test could wait for.
func await(t *testing.T, what string, f func() bool) {
	t.Helper()
	for deadline := time.Now().Add(integration.EnginePatience); !f(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

// holdings is what containers hold of the host: devices, mounts, control groups, bundles.
func (d *daemon) holdings(t *testing.T) []string {
	t.Helper()
	var all []string
	links, err := integration.Links()
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range links {
		if strings.HasPrefix(l.Attrs().Name, "veth") {
			all = append(all, "device "+l.Attrs().Name)
		}
	}
	mounts, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(mounts)) {
		if fields := strings.Fields(line); strings.HasPrefix(fields[1], d.Dir+"/") {
			all = append(all, "mount "+fields[1])
		}
	}
	for _, dir := range []string{"exec/containers", "data/containers", "exec/runtime", "exec/network"} {
		names, _ := os.ReadDir(filepath.Join(d.Dir, dir))
		for _, n := range names {
			if len(strings.TrimSuffix(n.Name(), ".json")) == 64 {
				all = append(all, dir+"/"+n.Name())
			}
		}
	}
	slices.Sort(all)
	return all
}

// settledHoldings are what is held once the devices of containers that have ended, which go a little later, have gone.
func (d *daemon) settledHoldings(t *testing.T) (all []string) {
	t.Helper()
	await(t, "devices to go", func() bool {
		all = d.holdings(t)
		return !slices.ContainsFunc(all, func(held string) bool { return strings.HasPrefix(held, "device ") })
	})
	return all
}

// wantsNothingHeld removes all containers, and looks for what is left of them.
func (d *daemon) wantsNothingHeld(t *testing.T) {
	t.Helper()
	if err := d.docker.RemoveAll(); err != nil {
		t.Fatal(err)
	}
	if left := d.settledHoldings(t); len(left) > 0 {
		t.Errorf("left behind:\n%s", strings.Join(left, "\n"))
	}
}

// state is a container's, as inspect's template shows it.
func (d *daemon) state(t *testing.T, name, template string) string {
	t.Helper()
	return d.must(t, "inspect", "-f", template, name)
}
