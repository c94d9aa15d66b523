package cgroup

import "testing"

// A systemd that knew of a limit of one process would not let the first process clone the one that stays.
func TestPidsLastOfUnit(t *testing.T) {
	f := fakeHost(t)
	p := &Plan{Unit: sampleUnit(), Writes: []Write{{Controller: "pids", Path: "/none/pids.max", Value: "1"}}}
	p.PidsLast()
	if accepted, err := p.Unit.start(42); !accepted || err != nil {
		t.Fatal(accepted, err)
	}
	if err := p.Finish(); err == nil {
		t.Error("the file is written, too")
	}
	f.said("StartTransientUnit(dhow-c1.scope replace Slice=a.slice PIDs=[42])", "SetUnitProperties(dhow-c1.scope true TasksMax=5)", "Ping()")
}
