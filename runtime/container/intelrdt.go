package container

import (
	"fmt"

	specs "github.com/opencontainers/runtime-spec/specs-go"

	"github.com/dhow-containers/dhow/runtime/resctrl"
	"github.com/dhow-containers/dhow/spec/json"
)

// planIntelRdt decides on the container's class of service.
func (b *blueprint) planIntelRdt() error {
	l := b.doc.Spec.Linux
	if l == nil || l.IntelRdt == nil {
		return nil
	}
	root, err := resctrl.Root()
	if err != nil {
		return errInvalid("cannot use linux.intelRdt: %w", err)
	}
	if b.rdt, err = resctrl.Plan(root, b.id, l.IntelRdt); err != nil {
		return invalid{err}
	}
	return nil
}

// unclaimRdt takes the class of service back.
func (m *making) unclaimRdt() {
	if err := m.rdt.Undo(); err != nil {
		m.store.warn("cannot take linux.intelRdt back", err)
	}
}

// removeRdt removes the container's class of service, when there is one of its own.
func (r *record) removeRdt() error {
	if r.Rdt == nil {
		return nil
	}
	return r.Rdt.Remove()
}

// joinRdt adds a process of the container to its class of service.
func (r *record) joinRdt(pid int) error {
	if r.Rdt == nil {
		return nil
	}
	return r.Rdt.Join(pid)
}

// UpdateIntelRdt changes what the container's class of service may use of the L3 cache and of the memory's
// bandwidth; "" leaves either as it is.
func (s *Store) UpdateIntelRdt(id, l3, memBw string) error {
	h, err := s.openLocked(id)
	if err != nil {
		return err
	}
	defer h.close()
	switch status := h.status(); {
	case status != specs.StateCreated && status != specs.StateRunning && status != statusPaused:
		return errConflict("cannot update container %q: container not running: it is %s", id, status)
	case h.Rdt == nil:
		return errInvalid("cannot update container %q: it was made without linux.intelRdt, and has no class of service", id)
	}
	if err := h.Rdt.Update(l3, memBw); err != nil {
		return fmt.Errorf("cannot update container %q: %w", id, err)
	}
	return nil
}

func appendGroup(b []byte, g *resctrl.Group) []byte {
	b = append(b, `{"root":`...)
	b = appendString(b, g.Root)
	b = append(b, `,"path":`...)
	b = appendString(b, g.Path)
	b = append(b, `,"monitor":`...)
	b = appendString(b, g.Monitor)
	b = append(b, `,"own":`...)
	if g.Own {
		return append(b, "true}"...)
	}
	return append(b, "false}"...)
}

func decodeGroup(d *json.Decoder) *resctrl.Group {
	g := &resctrl.Group{}
	if !d.Object() {
		return nil
	}
	for d.Next() {
		switch d.Name() {
		case "root":
			d.String(&g.Root)
		case "path":
			d.String(&g.Path)
		case "monitor":
			d.String(&g.Monitor)
		case "own":
			d.Bool(&g.Own)
		default:
			d.Ignore()
		}
	}
	return g
}
