package cgroup

import "slices"

// PidsLast is for a container whose first process clones the one that stays, and then ends: for a moment they are two,
// for which a limit of one process has no room. That limit is written by Finish.
func (p *Plan) PidsLast() {
	p.Writes = slices.DeleteFunc(p.Writes, func(w Write) bool {
		late := w.Controller == "pids" && w.Value == "1"
		if late {
			p.Late = append(p.Late, w)
		}
		return late
	})
}

// Finish makes the late writes.
func (p *Plan) Finish() error {
	if len(p.Late) == 0 {
		return nil
	}
	x := newExecutor(p)
	defer x.close()
	return x.writeAll(p.Late)
}
