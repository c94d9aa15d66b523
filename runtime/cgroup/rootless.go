package cgroup

import "path"

// AllowDenied says that the process that carries the plan out may lack the permission to. Then a group that
// carries no limit is left out where it cannot be made, unless the config chose its place, and so are device rules
// where they cannot be set: a user without privileges cannot use device nodes that the host's files do not let
// him use, and in a user namespace he can make none.
func (p *Plan) AllowDenied(placed bool) {
	p.rootless = true
	for i := range p.Dirs {
		d := &p.Dirs[i]
		d.Optional = d.Optional || !placed && p.limit(d) == ""
	}
}

// MayBeDenied says whether the group of a controller ("" for version 2) is one to do without.
func (p *Plan) MayBeDenied(controller string) bool {
	for i := range p.Dirs {
		d := &p.Dirs[i]
		if contains(d.Controllers, controller) || controller == "" && len(d.Controllers) == 0 {
			return p.rootless && d.Optional
		}
	}
	return false
}

// limit is the config field of the first limit that is set in a group, but for device rules; "" without one.
func (p *Plan) limit(d *Dir) string {
	for i := range p.Writes {
		w := &p.Writes[i]
		if path.Dir(w.Path) == d.Path && w.From == "" && w.Controller != "devices" {
			return w.Field
		}
	}
	return ""
}

// reason is the config field for which a group cannot be left out.
func (p *Plan) reason(d *Dir) string {
	if field := p.limit(d); field != "" {
		return field
	}
	return "linux.cgroupsPath"
}

// skipped records that a group was left out.
func (g *Group) skipped(d *Dir) {
	if len(d.Controllers) == 0 {
		g.Skipped = append(g.Skipped, "")
	}
	g.Skipped = append(g.Skipped, d.Controllers...)
}
