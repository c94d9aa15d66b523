package container

import (
	"maps"
	"strings"
	"testing"
)

// subgroupOf applies --cgroup flags to a container's groups.
func subgroupOf(cgroups map[string]string, flags ...string) (map[string]string, error) {
	e := &entering{handle: &handle{record: &record{ID: "c1", Cgroups: cgroups}}, o: &ExecOptions{Cgroups: flags}}
	g, err := e.subgroup()
	if err != nil {
		return nil, err
	}
	return g.Paths, nil
}

func ownGroups() map[string]string {
	return map[string]string{"": "/cg/unified/c1", "cpu": "/cg/cpu/c1", "memory": "/cg/memory/c1"}
}

func TestSubgroup(t *testing.T) {
	for name, c := range map[string]struct {
		flags []string
		want  map[string]string
	}{
		"none":        {nil, ownGroups()},
		"itself":      {[]string{"."}, ownGroups()},
		"slash":       {[]string{"/"}, ownGroups()},
		"all":         {[]string{"x"}, map[string]string{"": "/cg/unified/c1/x", "cpu": "/cg/cpu/c1/x", "memory": "/cg/memory/c1/x"}},
		"absolute":    {[]string{"/x/y"}, map[string]string{"": "/cg/unified/c1/x/y", "cpu": "/cg/cpu/c1/x/y", "memory": "/cg/memory/c1/x/y"}},
		"one":         {[]string{"cpu:/x"}, map[string]string{"": "/cg/unified/c1", "cpu": "/cg/cpu/c1/x", "memory": "/cg/memory/c1"}},
		"two":         {[]string{"cpu,memory:x"}, map[string]string{"": "/cg/unified/c1", "cpu": "/cg/cpu/c1/x", "memory": "/cg/memory/c1/x"}},
		"each":        {[]string{"cpu:x", "memory:y"}, map[string]string{"": "/cg/unified/c1", "cpu": "/cg/cpu/c1/x", "memory": "/cg/memory/c1/y"}},
		"dots inside": {[]string{"cpu:..x/y..z"}, map[string]string{"": "/cg/unified/c1", "cpu": "/cg/cpu/c1/..x/y..z", "memory": "/cg/memory/c1"}},
	} {
		t.Run(name, func(t *testing.T) {
			cgroups := ownGroups()
			got, err := subgroupOf(cgroups, c.flags...)
			if err != nil || !maps.Equal(got, c.want) {
				t.Errorf("the groups are %v, %v", got, err)
			}
			if !maps.Equal(cgroups, ownGroups()) {
				t.Errorf("the record's groups became %v", cgroups)
			}
		})
	}
}

// TestSubgroupShared: controllers that share a directory, as cpu and cpuacct do, move together; a process cannot be in
// two places of one hierarchy. Each flag is below the container's own group, however often it is given.
func TestSubgroupShared(t *testing.T) {
	shared := func(sub, memory string) map[string]string {
		return map[string]string{"": "/cg/unified/c1", "cpu": "/cg/cpu,cpuacct/c1" + sub, "cpuacct": "/cg/cpu,cpuacct/c1" + sub, "memory": "/cg/memory/c1" + memory}
	}
	for name, c := range map[string]struct {
		flags []string
		want  map[string]string
	}{
		"first":          {[]string{"cpu:x"}, shared("/x", "")},
		"second":         {[]string{"cpuacct:x"}, shared("/x", "")},
		"both":           {[]string{"cpu,cpuacct:x"}, shared("/x", "")},
		"one after both": {[]string{"cpu,cpuacct:x", "cpu:y"}, shared("/y", "")},
		"twice":          {[]string{"cpu:x", "cpu:x"}, shared("/x", "")},
		"each":           {[]string{"cpu:x", "cpuacct:x"}, shared("/x", "")},
		"twice in one":   {[]string{"cpu,cpu:x"}, shared("/x", "")},
		"another too":    {[]string{"cpu,memory:x", "memory:y"}, shared("/x", "/y")},
		"other alone":    {[]string{"memory:x", "memory:x"}, shared("", "/x")},
		"then all": {[]string{"cpu:x", "y"}, map[string]string{"": "/cg/unified/c1/y", "cpu": "/cg/cpu,cpuacct/c1/y", "cpuacct": "/cg/cpu,cpuacct/c1/y",
			"memory": "/cg/memory/c1/y"}},
	} {
		t.Run(name, func(t *testing.T) {
			cgroups := shared("", "")
			got, err := subgroupOf(cgroups, c.flags...)
			if err != nil || !maps.Equal(got, c.want) {
				t.Errorf("the groups are %v, %v", got, err)
			}
			if !maps.Equal(cgroups, shared("", "")) {
				t.Errorf("the record's groups became %v", cgroups)
			}
		})
	}
}

func TestSubgroupRefused(t *testing.T) {
	for _, flag := range []string{"..", "../x", "/..", "/../x", "a/..", "a/../../x", "/a/../../x", "cpu:..", "cpu:/..", "cpu:../x", "cpu:/../../x",
		"cpu,memory:a/../..", ":..", ":/../x", "..//x", "./../x", "x/./../..", "pids:/x", "cpu,pids:/x", "CPU:/x"} {
		got, err := subgroupOf(ownGroups(), flag)
		if _, ok := err.(interface{ InvalidParameter() }); !ok || !strings.Contains(err.Error(), flag) {
			t.Errorf("--cgroup %s gives %v, %v", flag, got, err)
		}
	}
}

// FuzzSubgroup: whatever is asked for, the groups stay below the container's own.
func FuzzSubgroup(f *testing.F) {
	for _, flag := range []string{"x", "../x", "cpu:/..", "a/../../x", "cpu,memory:y", ":", "::", "cpu:a:../b"} {
		f.Add(flag, "z")
	}
	f.Fuzz(func(t *testing.T, first, second string) {
		got, err := subgroupOf(ownGroups(), first, second)
		if err != nil {
			return
		}
		for name, own := range ownGroups() {
			if got[name] != own && !strings.HasPrefix(got[name], own+"/") || strings.Contains(got[name]+"/", "/../") {
				t.Errorf("--cgroup %q %q: %q becomes %q", first, second, own, got[name])
			}
		}
	})
}
