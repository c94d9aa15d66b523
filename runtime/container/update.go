package container

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/runtime/cgroup"
	"github.com/dhow-containers/dhow/spec"
)

// resourcesFile holds linux.resources with all updates, once there was one: state.json is never changed.
// pendingFile is what it is about to become: there while an update is under way, or when one was killed.
const (
	resourcesFile = "resources"
	pendingFile   = "resources.next"
)

// Update changes the limits of a container that has not stopped. What r leaves out, or sets to 0 where that
// means unset (see package cgroup), stays as it is. On an error the old limits hold.
func (s *Store) Update(id string, r *specs.LinuxResources) error {
	h, err := s.openLocked(id)
	if err != nil {
		return err
	}
	defer h.close()
	switch status := h.status(); status {
	case specs.StateCreated, specs.StateRunning, statusPaused:
	default:
		return errConflict("cannot update container %q: container not running: it is %s", id, status)
	}
	if err := h.noCgroup("update"); err != nil {
		return err
	}
	if err := h.finishUpdate(); err != nil {
		return err
	}
	old, err := h.resources()
	if err != nil {
		return err
	}
	change := given(r)
	complete(change, old)
	if err := spec.ValidateResources(change); err != nil {
		return err
	}
	if m := change.Memory; m != nil && m.Kernel != nil && s.traces(slog.LevelWarn) {
		s.Log.Warn("memory.kernel is ignored: Linux has no kernel memory limit since 5.4")
	}
	end := s.span("update the control group", "id", id)
	err = h.apply(change, old)
	end(err)
	return err
}

// apply makes the change and records it; old is what it starts from.
func (h *handle) apply(change, old *specs.LinuxResources) error {
	host, err := cgroup.Detect()
	if err != nil {
		return err
	}
	text, err := merged(old, change)
	if err != nil {
		return err
	}
	if h.Unit != nil {
		change = withOOMGroup(change, old)
	}
	if err := writeFile(h.dir, pendingFile, text); err != nil {
		return fmt.Errorf("cannot record the new limits of container %q under --root: %w", h.ID, err)
	}
	failpoint("update")
	if err := h.group().Update(host, change); err != nil {
		unix.Unlinkat(h.dir, pendingFile, 0)
		return fmt.Errorf("cannot update container %q: %w", h.ID, err)
	}
	failpoint("updated")
	return h.recordUpdate()
}

// recordUpdate makes the limits on record those that are pending.
func (h *handle) recordUpdate() error {
	if err := unix.Renameat(h.dir, pendingFile, h.dir, resourcesFile); err != nil {
		return fmt.Errorf("cannot record the new limits of container %q, which hold: %w", h.ID, err)
	}
	return nil
}

// finishUpdate does again what an update that was killed may have done in part. If the kernel refuses it by
// now, the limits on record come back.
func (h *handle) finishUpdate() error {
	text, err := readFile(h.dir, pendingFile)
	if errors.Is(err, unix.ENOENT) {
		return nil
	}
	var pending *specs.LinuxResources
	if err == nil {
		pending, err = spec.DecodeResources(text)
	}
	if err != nil {
		return fmt.Errorf("cannot read the record of container %q: %s: %w", h.ID, pendingFile, err)
	}
	host, err := cgroup.Detect()
	if err != nil {
		return err
	}
	group := h.group()
	refused := group.Update(host, given(pending))
	if refused == nil {
		return h.recordUpdate()
	}
	old, err := h.resources()
	if err == nil {
		err = group.Update(host, given(old))
	}
	if err != nil {
		return fmt.Errorf("cannot finish the last update of container %q, which was killed: %w", h.ID, errors.Join(refused, err))
	}
	h.store.warn("the last update, which was killed, has been taken back", refused)
	unix.Unlinkat(h.dir, pendingFile, 0)
	return nil
}

// resources are the container's limits as its config and the updates so far have them.
func (h *handle) resources() (*specs.LinuxResources, error) {
	text, err := readFile(h.dir, resourcesFile)
	if err == nil {
		r, err := spec.DecodeResources(text)
		if err != nil {
			return nil, fmt.Errorf("cannot read the record of container %q: %s: %w", h.ID, resourcesFile, err)
		}
		return r, nil
	}
	if !errors.Is(err, unix.ENOENT) {
		return nil, fmt.Errorf("cannot read the record of container %q: %w", h.ID, err)
	}
	doc, err := h.config()
	if err != nil {
		return nil, err
	}
	if l := doc.Spec.Linux; l != nil && l.Resources != nil {
		return l.Resources, nil
	}
	return &specs.LinuxResources{}, nil
}

// given copies r without the zeros that mean "not given".
func given(r *specs.LinuxResources) *specs.LinuxResources {
	c := *r
	if r.Memory != nil {
		m := *r.Memory
		for _, p := range []**int64{&m.Limit, &m.Reservation, &m.Swap, &m.Kernel, &m.KernelTCP} { //nolint:staticcheck // Kernel is deprecated
			unsetZero(p)
		}
		c.Memory = &m
	}
	if r.CPU != nil {
		cpu := *r.CPU
		unsetZero(&cpu.Shares)
		unsetZero(&cpu.Quota)
		unsetZero(&cpu.Period)
		unsetZero(&cpu.RealtimeRuntime)
		unsetZero(&cpu.RealtimePeriod)
		c.CPU = &cpu
	}
	if r.BlockIO != nil {
		io := *r.BlockIO
		unsetZero(&io.Weight)
		unsetZero(&io.LeafWeight)
		c.BlockIO = &io
	}
	return &c
}

func unsetZero[T int64 | uint64 | uint16](p **T) {
	if *p != nil && **p == 0 {
		*p = nil
	}
}

// complete adds the other half of a pair that the kernel, or the config, has as one setting.
func complete(change, old *specs.LinuxResources) {
	if m := change.Memory; m != nil {
		before := old.Memory
		if before == nil {
			before = &specs.LinuxMemory{}
		}
		completeMemory(m, given(&specs.LinuxResources{Memory: before}).Memory)
	}
	// cpu.max of version 2 takes no period without a quota.
	if c := change.CPU; c != nil && old.CPU != nil && c.Period != nil && c.Quota == nil {
		c.Quota = old.CPU.Quota
	}
}

func completeMemory(m, old *specs.LinuxMemory) {
	if m.CheckBeforeUpdate == nil {
		m.CheckBeforeUpdate = old.CheckBeforeUpdate
	}
	switch {
	case m.Limit == nil && m.Swap != nil:
		m.Limit = old.Limit
	case m.Limit != nil && m.Swap == nil && *m.Limit < 0:
		m.Swap = m.Limit // as in runc: no limit on memory leaves none to memory and swap
	case m.Limit != nil && m.Swap == nil:
		m.Swap = old.Swap
	}
}

// merged is the text of old with the change made in it, setting by setting: memory.limit, unified[key]. Lists are
// replaced.
func merged(old, change *specs.LinuxResources) ([]byte, error) {
	all, err := properties(old)
	if err != nil {
		return nil, err
	}
	news, err := properties(change)
	if err != nil {
		return nil, err
	}
	for name, value := range news {
		inner, outer := object(value), object(all[name])
		if inner == nil || outer == nil {
			all[name] = value
			continue
		}
		maps.Copy(outer, inner)
		if all[name], err = json.Marshal(outer); err != nil {
			return nil, err
		}
	}
	return json.Marshal(all)
}

func properties(r *specs.LinuxResources) (map[string]json.RawMessage, error) {
	text, err := json.Marshal(r)
	return object(text), err
}

// object takes a JSON object apart; nil when the text is something else.
func object(text json.RawMessage) (m map[string]json.RawMessage) {
	if json.Unmarshal(text, &m) != nil {
		return nil
	}
	return m
}
