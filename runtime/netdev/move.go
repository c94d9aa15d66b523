package netdev

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// Moved are devices in a container's network namespace that can still be taken back.
type Moved struct {
	host, inside int // network namespaces
	devices      []moved
}

type moved struct {
	name      string // on the host
	before    link
	index     uint32 // inside
	addresses []address
}

// Move moves the devices from the caller's network namespace into the one that the descriptor inside refers to,
// which stays the caller's. After an error all devices are back.
func Move(inside int, devices map[string]specs.LinuxNetDevice) (*Moved, error) {
	m := &Moved{host: -1, inside: -1}
	var err error
	if m.host, err = unix.Open("/proc/thread-self/ns/net", unix.O_RDONLY|unix.O_CLOEXEC, 0); err != nil {
		return nil, fmt.Errorf("cannot open the network namespace: %w", err)
	}
	if m.inside, err = unix.FcntlInt(uintptr(inside), unix.F_DUPFD_CLOEXEC, 0); err != nil {
		m.Close()
		return nil, fmt.Errorf("cannot open the container's network namespace: %w", err)
	}
	if err = m.connected(func(host, inside *conn) error { return m.moveAll(host, inside, devices) }); err != nil {
		err = errors.Join(err, m.Back())
		m.Close()
		return nil, err
	}
	return m, nil
}

// connected calls f with a socket in each of the two namespaces.
func (m *Moved) connected(f func(host, inside *conn) error) error {
	host, err := dial()
	if err != nil {
		return err
	}
	defer host.close()
	inside, err := dialIn(m.inside, m.host)
	if err != nil {
		return err
	}
	defer inside.close()
	return f(host, inside)
}

func (m *Moved) moveAll(host, inside *conn, devices map[string]specs.LinuxNetDevice) error {
	names := make([]string, 0, len(devices))
	for name := range devices {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		as := devices[name].Name
		if as == "" {
			as = name
		}
		if err := m.move(host, inside, name, as); err != nil {
			return fmt.Errorf("cannot move the network device %s (linux.netDevices): %w", name, err)
		}
	}
	return nil
}

// move moves one device. A name that is taken has to be found out before: the kernel renames a device after it
// has moved it.
func (m *Moved) move(host, inside *conn, name, as string) (err error) {
	d := moved{name: name}
	if d.before, err = host.link(name); err != nil {
		return err
	}
	if !strings.Contains(as, "%d") {
		switch _, err := inside.link(as); {
		case err == nil:
			return fmt.Errorf("the container's network namespace has a device %s already", as)
		case !errors.Is(err, unix.ENODEV):
			return err
		}
	}
	if d.addresses, err = host.addresses(d.before.index); err != nil {
		return fmt.Errorf("its addresses: %w", err)
	}
	if d.index, err = host.send(d.before.index, m.inside, as); err != nil {
		if _, gone := host.link(name); errors.Is(gone, unix.ENODEV) { // moved, and then not renamed
			m.devices = append(m.devices, d)
		}
		return err
	}
	m.devices = append(m.devices, d)
	for _, a := range d.addresses {
		if err := inside.add(d.index, a); err != nil {
			return fmt.Errorf("set an address: %w", err)
		}
	}
	if err := inside.up(d.index); err != nil {
		return fmt.Errorf("switch it on: %w", err)
	}
	return nil
}

// Back takes the devices back to where they came from, as they were.
func (m *Moved) Back() error {
	if len(m.devices) == 0 {
		return nil
	}
	return m.connected(func(host, inside *conn) (err error) {
		for _, d := range slices.Backward(m.devices) {
			if e := d.back(host, inside, m.host); e != nil {
				err = errors.Join(err, fmt.Errorf("cannot take the network device %s back: %w", d.name, e))
			}
		}
		m.devices = nil
		return err
	})
}

func (d *moved) back(host, inside *conn, ns int) error {
	there, err := inside.send(d.index, ns, d.name)
	if err != nil {
		return err
	}
	for _, a := range d.addresses {
		err = errors.Join(err, host.add(there, a))
	}
	if d.before.flags&unix.IFF_UP != 0 {
		err = errors.Join(err, host.up(there))
	}
	return err
}

// Close leaves the devices where they are.
func (m *Moved) Close() {
	for _, fd := range [...]int{m.host, m.inside} {
		if fd >= 0 {
			unix.Close(fd)
		}
	}
	m.host, m.inside = -1, -1
}
