package container

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"

	specs "github.com/opencontainers/runtime-spec/specs-go"

	"github.com/dhow-containers/dhow/runtime/console"
	"github.com/dhow-containers/dhow/runtime/launch"
	"github.com/dhow-containers/dhow/runtime/plan"
)

// serve answers the rendezvous of a container that is being made.
func (m *making) serve(r *launch.Request) (value uint64, stop bool, err error) {
	end := m.store.span("rendezvous", "step", r.Step, "code", r.Code)
	defer func() { end(err) }()
	switch r.Code {
	case plan.WriteIDMaps:
		err = writeIDMaps(m.proc.Pid, m.doc.Spec.Linux)
	case plan.RuntimeHooks:
		err = m.runtimeHooks()
	case plan.ContainerHooks:
		err = m.hooksInside(specs.StateCreating, "createContainer", m.doc.Spec.Hooks.CreateContainer, m.proc.Pid, m.proc.Pidfd)
	case plan.TakeTerminal:
		err = m.takeTerminal(r)
	case plan.MoveDevices:
		err = m.moveDevices()
	case plan.CopyUp:
		err = copyUp(r.FDs)
	case plan.Created:
		m.signals.ready()
		m.store.onAllCPUs(m.proc.Pid)
		if err = m.joinRdt(m.proc.Pid); err == nil {
			stop, err = m.wait, m.record()
		}
	case plan.StartHooks:
		err = m.hooksInside(specs.StateCreated, "startContainer", m.doc.Spec.Hooks.StartContainer, m.proc.Pid, m.proc.Pidfd)
	case plan.SeccompListener:
		err = m.agent.listener(r, m.doc.Spec, m.proc.Pid, m.hookState(specs.StateCreated, m.doc.Spec, m.proc.Pid))
	default:
		err = fmt.Errorf("internal error: %s", r.Code)
	}
	return 0, stop, err
}

// takeTerminal receives the terminal's master end, for the caller's socket or for this process.
func (m *making) takeTerminal(r *launch.Request) error {
	master, err := received(r)
	if err != nil {
		return err
	}
	if m.sock == nil {
		m.master = master
		inheritSize(master)
		return nil
	}
	defer master.Close()
	return console.Send(m.sock, master, "/dev/ptmx")
}

func received(r *launch.Request) (*os.File, error) {
	if len(r.FDs) != 1 {
		return nil, errors.New("internal error: the terminal did not arrive")
	}
	return os.NewFile(uintptr(r.FDs[0]), "/dev/ptmx"), nil
}

// writeIDMaps writes the id mappings of the user namespace that pid has made (user_namespaces(7)). An
// unprivileged writer must give up setgroups(2) first.
func writeIDMaps(pid int, l *specs.Linux) error {
	proc := "/proc/" + strconv.Itoa(pid)
	if os.Geteuid() != 0 {
		if err := os.WriteFile(proc+"/setgroups", []byte("deny"), 0); err != nil {
			return fmt.Errorf("cannot write the id mappings (linux.gidMappings): %w", err)
		}
	}
	if err := os.WriteFile(proc+"/gid_map", idMap(l.GIDMappings), 0); err != nil {
		return fmt.Errorf("cannot write the id mappings (linux.gidMappings): %w", err)
	}
	if err := os.WriteFile(proc+"/uid_map", idMap(l.UIDMappings), 0); err != nil {
		return fmt.Errorf("cannot write the id mappings (linux.uidMappings): %w", err)
	}
	return nil
}

func idMap(list []specs.LinuxIDMapping) []byte {
	var b bytes.Buffer
	for _, m := range list {
		fmt.Fprintf(&b, "%d %d %d\n", m.ContainerID, m.HostID, m.Size)
	}
	return b.Bytes()
}
