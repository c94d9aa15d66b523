package cgroup

import (
	"errors"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/dhow-containers/dhow/runtime/internal/dbus"
)

// unitLimit bounds the wait for systemd, as runc's.
var unitLimit = 30 * time.Second

// Where the systemd of the host is found: its own socket, which only root may use and needs no bus, or else
// the system bus.
var (
	systemdSocket = "/run/systemd/private"
	systemBus     = "unix:path=/run/dbus/system_bus_socket"
)

const (
	systemd          = "org.freedesktop.systemd1"
	managerPath      = "/org/freedesktop/systemd1"
	managerInterface = systemd + ".Manager"
)

// manager is a connection to systemd (org.freedesktop.systemd1(5)).
type manager struct {
	*dbus.Conn
	bus      bool // a bus daemon is in between
	deadline time.Time
}

// endpoint is one way to a systemd.
type endpoint struct {
	socket string
	bus    bool
}

// endpoints lists the ways to try, in order.
func endpoints(user bool) ([]endpoint, error) {
	if !user {
		list := []endpoint{{socket: systemdSocket}}
		return appendBus(list, "DBUS_SYSTEM_BUS_ADDRESS", systemBus)
	}
	var list []endpoint
	dir := os.Getenv("XDG_RUNTIME_DIR")
	if os.Getenv("DBUS_SESSION_BUS_ADDRESS") == "" && dir == "" {
		return nil, errors.New("neither DBUS_SESSION_BUS_ADDRESS nor XDG_RUNTIME_DIR is set: log in as the user, rather than with su")
	}
	if os.Getenv("DBUS_SESSION_BUS_ADDRESS") != "" {
		return appendBus(list, "DBUS_SESSION_BUS_ADDRESS", "")
	}
	return []endpoint{{socket: dir + "/systemd/private"}, {socket: dir + "/bus", bus: true}}, nil
}

// appendBus adds the sockets of the bus that a variable names.
func appendBus(list []endpoint, variable, otherwise string) ([]endpoint, error) {
	address := os.Getenv(variable)
	if address == "" {
		address = otherwise
	}
	sockets, err := dbus.Sockets(address)
	if err != nil {
		return nil, errorf("%s: %w", variable, err)
	}
	for _, s := range sockets {
		list = append(list, endpoint{s, true})
	}
	return list, nil
}

// dialManager connects to the systemd of the host, or of this user.
func dialManager(user bool) (*manager, error) {
	of := "the host"
	if user {
		of = "this user"
	}
	list, err := endpoints(user)
	for _, e := range list {
		m, dialErr := e.dial()
		if dialErr == nil {
			return m, nil
		}
		if err == nil {
			err = dialErr
		}
	}
	return nil, unavailable("cannot use --systemd-cgroup: no connection to the systemd of %s: %w", of, err)
}

func (e endpoint) dial() (*manager, error) {
	conn, err := dbus.Dial(e.socket, unitLimit)
	if err != nil {
		return nil, err
	}
	m := &manager{Conn: conn, bus: e.bus, deadline: time.Now().Add(unitLimit)}
	if !e.bus {
		return m, nil
	}
	hello := dbus.Method{Destination: "org.freedesktop.DBus", Path: "/org/freedesktop/DBus", Interface: "org.freedesktop.DBus", Member: "Hello"}
	if _, err := m.Conn.Call(m.deadline, hello); err != nil {
		m.Close()
		return nil, errorf("%s: %w", e.socket, err)
	}
	return m, nil
}

// call calls a method of the manager.
func (m *manager) call(member string, args ...dbus.Value) ([]dbus.Value, error) {
	return m.Conn.Call(m.deadline, dbus.Method{Destination: systemd, Path: managerPath, Interface: managerInterface, Member: member}, args...)
}

// ping waits until systemd has come to this request.
func (m *manager) ping() error {
	_, err := m.Conn.Call(m.deadline, dbus.Method{Destination: systemd, Path: managerPath, Interface: "org.freedesktop.DBus.Peer", Member: "Ping"})
	return err
}

// property reads a property of the manager, which must be a string.
func (m *manager) property(name string) (string, error) {
	get := dbus.Method{Destination: systemd, Path: managerPath, Interface: "org.freedesktop.DBus.Properties", Member: "Get"}
	body, err := m.Conn.Call(m.deadline, get, dbus.String(managerInterface), dbus.String(name))
	if err != nil {
		return "", errorf("cannot ask systemd for its %s: %w", name, err)
	}
	if len(body) == 1 {
		if v, ok := body[0].V.(dbus.Value); ok && v.Sig == "s" {
			return v.Text(), nil
		}
	}
	return "", errorf("cannot ask systemd for its %s: it answers with %v", name, body)
}

// version is systemd's, a number like 252 with text around it.
func (m *manager) version() (int, error) {
	text, err := m.property("Version")
	if err != nil {
		return 0, err
	}
	digits := strings.TrimLeft(text, "v")
	if i := strings.IndexFunc(digits, func(r rune) bool { return r < '0' || r > '9' }); i >= 0 {
		digits = digits[:i]
	}
	n, err := strconv.Atoi(digits)
	if err != nil {
		return 0, errorf("cannot tell the version of systemd from %q", text)
	}
	return n, nil
}

// watchJobs makes sure that JobRemoved signals come: systemd's own socket has all signals.
func (m *manager) watchJobs() error {
	if !m.bus {
		return nil
	}
	match := dbus.Method{Destination: "org.freedesktop.DBus", Path: "/org/freedesktop/DBus", Interface: "org.freedesktop.DBus", Member: "AddMatch"}
	rule := "type='signal',sender='" + systemd + "',path='" + managerPath + "',interface='" + managerInterface + "',member='JobRemoved'"
	if _, err := m.Conn.Call(m.deadline, match, dbus.String(rule)); err != nil {
		return err
	}
	_, err := m.call("Subscribe")
	return err
}

// finish waits for the end of the job that a method has answered with, and returns its result, "done" when
// all went well.
func (m *manager) finish(answer []dbus.Value) (string, error) {
	if len(answer) != 1 || answer[0].Sig != "o" {
		return "", errorf("systemd answers with %v, no job", answer)
	}
	job := answer[0].Text()
	s, err := m.Wait(m.deadline, func(s dbus.Signal) bool {
		return s.Member == "JobRemoved" && s.Interface == managerInterface && s.Path == managerPath &&
			len(s.Body) == 4 && s.Body[1].Text() == job
	})
	if err != nil {
		return "", err
	}
	return s.Body[3].Text(), nil
}

// userManagerGroup is the group that the systemd of this user may divide.
func userManagerGroup() (string, error) {
	m, err := dialManager(true)
	if err != nil {
		return "", err
	}
	defer m.Close()
	return m.property("ControlGroup")
}
