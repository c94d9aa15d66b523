package container

import (
	"fmt"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/runtime/netdev"
)

// moveDevices moves the host's network devices into the network namespace that the container's process is in.
// Should the container not come about, they are taken back before the process, and with it the namespace, goes.
func (m *making) moveDevices() error {
	ns, err := unix.Open("/proc/"+strconv.Itoa(m.proc.Pid)+"/ns/net", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("cannot open the container's network namespace (linux.netDevices): %w", err)
	}
	defer unix.Close(ns)
	if m.devices, err = netdev.Move(ns, m.doc.Spec.Linux.NetDevices); err != nil {
		return err
	}
	failpoint("devices")
	m.undo.add(m.returnDevices)
	return nil
}

func (m *making) returnDevices() {
	if err := m.devices.Back(); err != nil {
		m.store.warn("cannot undo linux.netDevices", err)
	}
	m.devices.Close()
}
