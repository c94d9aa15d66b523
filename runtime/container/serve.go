package container

import (
	"fmt"

	specs "github.com/opencontainers/runtime-spec/specs-go"

	"github.com/dhow-containers/dhow/runtime/idmap"
	"github.com/dhow-containers/dhow/runtime/launch"
	"github.com/dhow-containers/dhow/runtime/plan"
)

// serve answers the rendezvous of a container that is being made.
func (m *making) serve(r *launch.Request) (value uint64, stop bool, err error) {
	end := m.store.span("rendezvous", "step", r.Step, "code", r.Code)
	defer func() { end(err) }()
	switch r.Code {
	case plan.WriteIDMaps:
		err = idmap.Write(m.proc.Pid, m.doc.Spec.Linux.UIDMappings, m.doc.Spec.Linux.GIDMappings)
	case plan.OOMScore:
		err = writeOOMScore(m.proc.Pid, *m.doc.Spec.Process.OOMScoreAdj)
	case plan.EnterUnit:
		err = m.enterUnit()
	case plan.RuntimeHooks:
		err = m.runtimeHooks()
	case plan.ContainerHooks:
		err = m.hooksInside(specs.StateCreating, "createContainer", m.doc.Spec.Hooks.CreateContainer, m.proc.Pid, m.proc.Pidfd)
	case plan.TakeTerminal:
		err = m.takeTerminal(r)
	case plan.MoveDevices:
		err = m.moveDevices()
	case plan.CopyUp:
		err = m.copyUp(r.FDs)
	case plan.MakeTarget:
		err = m.makeTarget(r)
	case plan.MapMount:
		err = m.mapMount(r)
	case plan.CheckHidden:
		err = checkHidden(m.proc.Pid, m.rootfs)
	case plan.Created:
		m.signals.ready()
		m.store.onAllCPUs(m.proc.Pid)
		if err = m.joinRdt(m.proc.Pid); err == nil {
			err = m.cgroups.Finish()
		}
		if err == nil {
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
