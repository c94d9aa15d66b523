package container

import (
	"errors"
	"log/slog"
	"maps"
	"os"
	"slices"
	"sync"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/runtime/cgroup"
	"github.com/dhow-containers/dhow/runtime/diagnose"
	"github.com/dhow-containers/dhow/runtime/idmap"
	"github.com/dhow-containers/dhow/runtime/launch"
	"github.com/dhow-containers/dhow/runtime/plan"
	"github.com/dhow-containers/dhow/spec"
)

// userNamespace says whether this process is in one. It is looked up once: no process of several threads moves to
// another.
var userNamespace struct {
	once sync.Once
	in   bool
}

func inUserNamespace() bool {
	userNamespace.once.Do(func() { userNamespace.in = diagnose.InUserNamespace() })
	return userNamespace.in
}

// isRootless says whether the control groups may be out of reach: --rootless, by default for everybody but root
// of the initial user namespace.
func (s *Store) isRootless() bool {
	switch s.Rootless {
	case "true":
		return true
	case "false":
		return false
	}
	return os.Geteuid() != 0 || inUserNamespace()
}

// privileges finds out what the runtime itself may do, as far as the Program depends on it.
func privileges(in *plan.Input) {
	h := &in.Host
	if os.Geteuid() == 0 {
		h.UserNamespace = inUserNamespace()
		return
	}
	h.Unprivileged = spec.Namespace(in.Config, specs.UserNamespace) != nil
	h.SetgroupsDenied = in.Config.Linux != nil && idmap.DeniesSetgroups(in.Config.Linux.GIDMappings)
}

// checkUser refuses what only root can do.
func checkUser(config *specs.Spec) error {
	if os.Geteuid() != 0 && spec.Namespace(config, specs.UserNamespace) == nil {
		return errInvalid("cannot run this container as user %d (linux.namespaces): a rootless container requires a user namespace, "+
			"see 'runtime spec --rootless'", os.Geteuid())
	}
	if os.Geteuid() != 0 && len(config.Linux.NetDevices) > 0 {
		return errInvalid("cannot move network devices (linux.netDevices): they are not supported for rootless containers")
	}
	return nil
}

// denied says whether the caller lacks the permission for something, or the file system is not for writing.
func denied(err error) bool {
	return errors.Is(err, unix.EACCES) || errors.Is(err, unix.EPERM) || errors.Is(err, unix.EROFS)
}

// noCgroup is the error for verbs that do not work without a control group.
func (h *handle) noCgroup(verb string) error {
	if len(h.Cgroups) > 0 {
		return nil
	}
	return errConflict("cannot %s container %q: it has no control group, for want of permission to make one", verb, h.ID)
}

// start starts the process in the container's groups. A user's process may only move to a group with which it shares one
// of the user's own (cgroups(7), "Delegation containment"): otherwise it stays where it is.
func (e *entering) start(image *launch.Image, o launch.Options) (*launch.Process, error) {
	if e.Unit != nil && e.Unit.User { // its systemd moves it, from any place
		return start(image, cgroup.Open(nil), o)
	}
	proc, err := start(image, e.group, o)
	if err != nil && e.followInit(err) {
		return start(image, e.group, o)
	}
	if err == nil || !denied(err) || e.group.Paths[""] == "" || !e.store.isRootless() {
		return proc, err
	}
	delete(e.group.Paths, "")
	return start(image, e.group, o)
}

// warnUngrouped says when nothing will tell which processes are the container's.
func (m *making) warnUngrouped() {
	ns := spec.Namespace(m.doc.Spec, specs.PIDNamespace)
	if len(m.paths) == 0 && (ns == nil || ns.Path != "") && m.store.traces(slog.LevelWarn) {
		m.store.Log.Warn("the container has neither a control group nor a pid namespace of its own: its processes may outlive it. Such configuration is strongly discouraged", "id", m.id)
	}
}

// deleteGroup removes control groups. One that somebody else made for a user stays: what is in it has ended.
func (s *Store) deleteGroup(g *cgroup.Group) error {
	err := g.Delete()
	if err != nil && denied(err) && s.isRootless() {
		s.debug("a control group stays", "error", err)
		return nil
	}
	return err
}

// without records and compiles the container anew, without the control groups of some controllers.
func (m *making) without(controllers []string) (err error) {
	maps.DeleteFunc(m.paths, func(name, _ string) bool { return slices.Contains(controllers, name) })
	m.warnUngrouped()
	m.input.TaskFiles = m.taskFiles()
	if err = m.writeRecord(false); err != nil {
		return err
	}
	if m.program, err = plan.Compile(m.input); err != nil {
		return invalid{err}
	}
	m.image.Close()
	m.image, err = launch.Link(m.program, m.o.PreserveFDs)
	return err
}

// leaveOut does without the version 2 group, which the kernel does not let this process move to: the way there leads
// through a group that is not its user's (cgroups(7), "Delegation containment").
func (m *making) leaveOut() error {
	if err := cgroup.Open(map[string]string{"": m.group.Paths[""]}).Delete(); err != nil && !denied(err) {
		return err
	}
	delete(m.group.Paths, "")
	err := m.without([]string{""})
	if err == nil && m.wait {
		err = m.writeSteps()
	}
	return err
}
