package cgroup

import (
	"strings"

	"github.com/dhow-containers/dhow/runtime/internal/dbus"
)

// Errors of systemd's.
const (
	errUnitExists = systemd + ".UnitExists"
	errNoSuchUnit = systemd + ".NoSuchUnit"
)

// start starts the unit with a process in it and waits until systemd has done so. When it fails after
// systemd has accepted the request, there may be a unit to be stopped.
func (u *Unit) start(pid int) (accepted bool, err error) {
	m, err := dialManager(u.User)
	if err != nil {
		return false, err
	}
	defer m.Close()
	list, err := u.known(m)
	if err == nil {
		err = m.watchJobs()
	}
	if err != nil {
		return false, u.failed("start", err)
	}
	list = append(list, pair("PIDs", dbus.Array("u", dbus.Uint32(uint32(pid)))))
	job, err := u.transient(m, list)
	if dbus.IsError(err, errUnitExists) {
		return false, conflicting("cannot start systemd unit %s (linux.cgroupsPath): it exists already", u.Name)
	}
	if err != nil {
		return false, u.failed("start", err)
	}
	result, err := m.finish(job)
	if err == nil && result != "done" {
		err = errorf("the job's result is %q", result)
	}
	if err != nil {
		return true, u.failed("start", err)
	}
	return true, nil
}

// transient asks for the unit. One of this name that has failed before is in the way, and nobody needs it.
func (u *Unit) transient(m *manager, properties []dbus.Value) ([]dbus.Value, error) {
	args := []dbus.Value{dbus.String(u.Name), dbus.String("replace"), dbus.Array("(sv)", properties...), dbus.Array("(sa(sv))")}
	job, err := m.call("StartTransientUnit", args...)
	if !dbus.IsError(err, errUnitExists) {
		return job, err
	}
	if _, reset := m.call("ResetFailedUnit", dbus.String(u.Name)); reset != nil {
		return nil, err
	}
	return m.call("StartTransientUnit", args...)
}

// known are the properties that this systemd understands.
func (u *Unit) known(m *manager) ([]dbus.Value, error) {
	list, version := make([]dbus.Value, 0, len(u.Properties)+1), 0
	for _, p := range u.Properties {
		if p.Since > 0 && version == 0 {
			var err error
			if version, err = m.version(); err != nil {
				return nil, err
			}
		}
		if p.Since == 0 || version >= p.Since {
			list = append(list, pair(p.Name, p.Value))
		}
	}
	return list, nil
}

func pair(name string, v dbus.Value) dbus.Value {
	return dbus.Struct(dbus.String(name), dbus.Variant(v))
}

// failed explains an error of systemd's. It names a property that it does not take; the config's field for
// that is what the user knows.
func (u *Unit) failed(verb string, err error) error {
	text, field := err.Error(), "linux.cgroupsPath"
	for _, p := range u.Properties {
		if p.Field != "" && strings.Contains(text, p.Name) {
			field = p.Field
		}
	}
	return errorf("cannot %s systemd unit %s (%s): %w", verb, u.Name, field, err)
}

// set changes the properties of the unit, until it stops. systemd answers before it writes to the files of the group, and
// writes before it takes the next request: so there is one more, lest it writes after the runtime.
func (u *Unit) set() error {
	if len(u.Properties) == 0 {
		return nil
	}
	m, err := dialManager(u.User)
	if err != nil {
		return err
	}
	defer m.Close()
	list, err := u.known(m)
	if err == nil {
		_, err = m.call("SetUnitProperties", dbus.String(u.Name), dbus.Bool(true), dbus.Array("(sv)", list...))
	}
	if err == nil {
		err = m.ping()
	}
	if err != nil {
		return u.failed("change", err)
	}
	return nil
}

// stop stops the unit and waits for that; one that failed is forgotten. A unit that is gone is no error, and
// so it is for a scope whose last process has ended.
func (u *Unit) stop() error {
	m, err := dialManager(u.User)
	if err != nil {
		return err
	}
	defer m.Close()
	if err := m.watchJobs(); err != nil {
		return u.failed("stop", err)
	}
	job, err := m.call("StopUnit", dbus.String(u.Name), dbus.String("replace"))
	if err == nil {
		_, err = m.finish(job)
	}
	if err != nil && !dbus.IsError(err, errNoSuchUnit) {
		return u.failed("stop", err)
	}
	// It has failed when a process had to be killed, or the kernel killed one for lack of memory.
	_, err = m.call("ResetFailedUnit", dbus.String(u.Name))
	if err != nil && !dbus.IsError(err, errNoSuchUnit) {
		return u.failed("reset", err)
	}
	return nil
}

// Attach moves a process into a group of the unit's, given by its path below the unit's own. A user's
// systemd can do that where the user cannot.
func (u *Unit) Attach(sub string, pid int) error {
	m, err := dialManager(u.User)
	if err != nil {
		return err
	}
	defer m.Close()
	_, err = m.call("AttachProcessesToUnit", dbus.String(u.Name), dbus.String("/"+strings.TrimPrefix(sub, "/")),
		dbus.Array("u", dbus.Uint32(uint32(pid))))
	if err != nil {
		return errorf("cannot move process %d into systemd unit %s: %w", pid, u.Name, err)
	}
	return nil
}
