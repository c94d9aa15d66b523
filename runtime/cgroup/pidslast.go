package cgroup

import "slices"

// PidsLast is for a container whose first process clones the one that stays, and then ends: for a moment they are two,
// for which a limit of one process has no room. That limit is written by Finish, and systemd is told of it then.
func (p *Plan) PidsLast() {
	p.Writes, p.Late = part(p.Writes, func(w *Write) bool { return w.Controller == "pids" && w.Value == "1" })
	if p.Unit == nil || len(p.Late) == 0 {
		return
	}
	p.Unit.Properties, p.Unit.Late = part(p.Unit.Properties, func(q *Property) bool { return q.Name == "TasksMax" })
}

// part takes those that fit out of list.
func part[T any](list []T, fits func(*T) bool) (rest, taken []T) {
	rest = slices.DeleteFunc(list, func(v T) bool {
		if fits(&v) {
			taken = append(taken, v)
			return true
		}
		return false
	})
	return rest, taken
}

// Finish makes the late writes.
func (p *Plan) Finish() error {
	if len(p.Late) == 0 {
		return nil
	}
	if u := p.Unit; u != nil {
		late := Unit{Name: u.Name, User: u.User, Properties: u.Late}
		if err := late.set(); err != nil {
			return err
		}
	}
	x := newExecutor(p)
	defer x.close()
	return x.writeAll(p.Late)
}
