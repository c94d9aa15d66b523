package cgroup_test

import (
	"strings"
	"testing"

	"github.com/dhow-containers/dhow/runtime/cgroup"
)

func TestPidsLast(t *testing.T) {
	p := &cgroup.Plan{Writes: []cgroup.Write{
		{Controller: "pids", Path: "/g/pids.max", Value: "1", Field: "linux.resources.pids.limit"},
		{Controller: "cpu", Path: "/g/cpu.shares", Value: "1"},
	}}
	p.PidsLast()
	if len(p.Writes) != 1 || p.Writes[0].Controller != "cpu" || len(p.Late) != 1 || p.Late[0].Controller != "pids" {
		t.Errorf("writes %v, late %v", p.Writes, p.Late)
	}
	if want := `write /g/pids.max = "1" (linux.resources.pids.limit), when the process has made its last clone`; !strings.Contains(p.String(), want) {
		t.Error(p)
	}
	p = &cgroup.Plan{Writes: []cgroup.Write{{Controller: "pids", Value: "2"}}} // room enough
	if p.PidsLast(); len(p.Late) != 0 || p.Finish() != nil {
		t.Errorf("late %v", p.Late)
	}
}
