package container

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/runtime/cgroup"
	"github.com/dhow-containers/dhow/runtime/launch"
	"github.com/dhow-containers/dhow/runtime/netdev"
	"github.com/dhow-containers/dhow/runtime/plan"
)

// Create makes a container whose process waits for Start.
func (s *Store) Create(id string, o CreateOptions) error {
	m, err := s.create(id, &o, true)
	if err != nil {
		return err
	}
	m.close()
	return nil
}

// create makes a container up to its wait; unless detached, its terminal is this process's to serve, as it is.
func (s *Store) create(id string, o *CreateOptions, detach bool) (*making, error) {
	m, err := s.begin(id, o, true, detach)
	if err != nil {
		return nil, err
	}
	m.raw = !detach
	if err := m.launch(); err != nil {
		err = m.abandon(m.explain(err))
		m.close()
		return nil, err
	}
	m.keep()
	m.proc.Forget()
	return m, nil
}

// making is a container while it is made.
type making struct {
	*handle
	*blueprint
	o        *CreateOptions
	wait     bool // create: the process stops before execve
	group    *cgroup.Group
	image    *launch.Image
	proc     *launch.Process
	signals  *listener
	sock     *os.File // --console-socket
	master   *os.File // terminal, when the caller is to serve it
	raw      bool     // the terminal is not fitted to this process's standard streams
	devices  *netdev.Moved
	listener int
	agent    agent     // of seccomp, when the process does not wait for Start
	notifier *notifier // of NOTIFY_SOCKET, likewise
	locked   int       // state.json, until the container is made; see writeRecord
	recorded bool
	restored bool // by criu, from a checkpoint
	undo     undo
	network  int // namespace that the process enters; 0 for none
}

// begin does what needs no process: the record and the control groups, and beside them the Program, which
// takes as long. Nothing of a container exists that its record does not lead to (security rule 9).
func (s *Store) begin(id string, o *CreateOptions, wait, detach bool) (*making, error) {
	if err := s.checkHost(); err != nil {
		return nil, err
	}
	o.PreserveFDs += o.ListenFDs
	b, err := s.readBundle(id, o, wait)
	if err == nil {
		err = checkUser(b.doc.Spec)
	}
	if err != nil {
		return nil, err
	}
	if err := checkPreserved(o.PreserveFDs); err != nil {
		return nil, err
	}
	m := &making{blueprint: b, o: o, wait: wait, locked: -1, listener: -1, agent: -1}
	planned, linked := make(chan error, 1), make(chan error, 1)
	go func() { linked <- m.prepareProcess(s, planned) }()
	if err = s.planCgroups(b); err == nil {
		b.twoClones()
		err = m.connectConsole(detach)
	}
	planned <- err
	if err == nil {
		err = m.claim(s)
	}
	if e := <-linked; e != nil {
		err = e
	}
	if err == nil {
		err = m.prepareStart(s)
	}
	if err != nil {
		err = m.explain(err)
		m.undo.run()
		m.close()
		return nil, err
	}
	return m, nil
}

// prepareProcess makes the network namespace and, once the control groups are planned, the Program.
func (m *making) prepareProcess(s *Store, planned <-chan error) (err error) {
	if plan.OwnNetwork(m.doc.Spec) {
		m.network, err = newNetwork()
	}
	if e := <-planned; e != nil {
		return e
	}
	if err == nil {
		err = s.compile(m.blueprint, filepath.Join(s.Root, seccompCache))
	}
	if err == nil {
		m.image, err = launch.Link(m.program, m.o.PreserveFDs)
	}
	return err
}

// claim takes the id and makes the control groups.
func (m *making) claim(s *Store) error {
	if err := m.makeRecord(s); err != nil {
		return err
	}
	m.undo.add(m.unclaim)
	if m.rdt != nil {
		failpoint("class")
		if err := m.rdt.Create(m.doc.Spec.Linux.IntelRdt); err != nil {
			return err
		}
		m.undo.add(m.unclaimRdt)
	}
	end := s.span("make the control groups", "directories", len(m.cgroups.Dirs), "writes", len(m.cgroups.Writes))
	var err error
	m.group, err = m.cgroups.Create()
	if end(err); err != nil {
		return err
	}
	return nil
}

// unclaim takes claim back. The record goes last, and stays when the control groups do: it is what leads
// `delete --force` to them.
func (m *making) unclaim() {
	if m.group != nil && !m.succeeded() {
		err := m.group.Kill(unix.SIGKILL)
		if e := m.group.Delete(); e != nil {
			m.store.warn("cannot take the control groups back, use delete --force", errors.Join(err, e))
			return
		}
	}
	if err := m.store.removeDir(m.id, m.dir); err != nil {
		m.store.warn("cannot take the record back", err)
	}
}

// makeRecord makes the container's directory with its record in it.
func (m *making) makeRecord(s *Store) error {
	dir, err := s.makeDir(m.id)
	if err != nil {
		return err
	}
	r := &record{ID: m.id, Bundle: m.bundle, Rootfs: m.rootfs, Created: time.Now().UTC(), Cgroups: m.paths, Unit: m.cgroups.Unit, Rdt: m.rdt, Config: m.doc.Raw, Restored: m.restored}
	m.handle = &handle{r, s, dir}
	if err = m.writeRecord(true); err != nil {
		var other alreadyExists
		if !errors.As(err, &other) {
			m.unclaim()
		}
		return err
	}
	if err = m.checkWanted(); err == nil {
		err = m.makeNotifyDir()
	}
	if err != nil {
		m.unclaim()
	}
	return err
}

// prepareStart does what needs both the Program and the record.
func (m *making) prepareStart(s *Store) (err error) {
	if len(m.group.Skipped) > 0 { // hierarchies that cannot be written, and that the config asks nothing of
		if err = m.without(m.group.Skipped); err != nil {
			return err
		}
	}
	if !m.wait {
		if m.notifier, err = m.listenNotify(); err != nil {
			return err
		}
		if m.input.Filter != nil && m.input.Filter.Notify {
			m.agent, err = connectAgent(m.doc.Spec.Linux.Seccomp.ListenerPath)
		}
		return err
	}
	if m.listener, err = m.listen(); err == nil {
		err = m.writeSteps()
	}
	return err
}

// writeSteps writes down what start has to know of the Program.
func (m *making) writeSteps() error {
	if err := writeFile(m.dir, "steps", describe(m.program)); err != nil {
		return fmt.Errorf("cannot record the steps of container %q under --root: %w", m.id, err)
	}
	return nil
}

// listen makes the socket start.sock, which the init inherits.
func (m *making) listen() (int, error) {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err == nil {
		if err = unix.Bind(fd, &unix.SockaddrUnix{Name: m.path("start.sock")}); err == nil {
			err = unix.Listen(fd, 1)
		}
	}
	if err != nil {
		return -1, fmt.Errorf("cannot make the socket for start under --root: %w", err)
	}
	return fd, nil
}

func checkPreserved(n int) error {
	for fd := 3; fd < 3+n; fd++ {
		if _, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err != nil {
			return errInvalid("cannot preserve file descriptor %d (--preserve-fds %d): it is not open", fd, n)
		}
	}
	return nil
}

// launch starts the process and follows it: to the point where it waits for start, or to its execve.
func (m *making) launch() error {
	if err := m.checkWanted(); err != nil {
		return err
	}
	opts := launch.Options{Dir: m.rootfs, Stdio: stdio(m.o.Stdio), Preserved: m.o.PreserveFDs, Listener: m.listener, Pidfd: -1, Network: m.network}
	end := m.store.span("clone the first process")
	proc, err := start(m.image, m.group, opts)
	if err != nil && denied(err) && m.cgroups.MayBeDenied("") && m.group.Paths[""] != "" {
		if err = m.leaveOut(); err == nil {
			proc, err = start(m.image, m.group, opts)
		}
	}
	if end(err); err != nil {
		return err
	}
	m.closeNetwork()
	m.proc = proc
	m.proc.Explain = stepExplainer(m.doc.Spec, m.rootfs, func() int { return m.proc.Pid })
	end = m.store.span("follow the program", "pid", proc.Pid)
	m.undo.add(func() {
		unix.PidfdSendSignal(m.proc.Pidfd, unix.SIGKILL, nil, 0)
		m.proc.Wait()
		m.proc.Forget()
	})
	err = m.proc.Serve(m.serve)
	if end(err); err != nil {
		return err
	}
	if !m.recorded {
		return m.died()
	}
	return nil
}

// start starts a Program in the cgroup v2 directory of g; it joins those of v1 by itself.
func start(image *launch.Image, g *cgroup.Group, o launch.Options) (*launch.Process, error) {
	dir, err := g.FD()
	if err != nil {
		return nil, err
	}
	o.Cgroup = -1
	if dir != nil {
		defer dir.Close()
		o.Cgroup = int(dir.Fd())
	}
	failpoint("clone")
	return image.Start(o)
}

// closeNetwork lets go of the network namespace, which lives on by its processes.
func (m *making) closeNetwork() {
	if m.network > 0 {
		unix.Close(m.network)
		m.network = 0
	}
}

// died explains a process that went away without a word.
func (m *making) died() error {
	status, err := m.proc.Wait()
	if err != nil {
		return err
	}
	if status == 128+int(unix.SIGKILL) {
		return fmt.Errorf("cannot set up the container: its process was killed (linux.resources.memory.limit may be too small)")
	}
	return fmt.Errorf("cannot set up the container: its process ended with status %d", status)
}

// keep ends the time in which everything can be taken back.
func (m *making) keep() {
	m.undo.release()
	m.unlock()
	if m.devices != nil {
		m.devices.Close()
	}
}

// abandon takes everything back after err.
func (m *making) abandon(err error) error {
	if m.master != nil {
		m.master.Close()
	}
	m.undo.run()
	m.stopHooks(m.doc.Spec)
	return err
}

func (m *making) close() {
	m.closeConsole()
	m.agent.close()
	m.notifier.close()
	if m.image != nil {
		m.image.Close()
	}
	if m.listener >= 0 {
		unix.Close(m.listener)
	}
	m.closeNetwork()
	m.unlock()
	if m.handle != nil {
		m.handle.close()
	}
}

// record writes down the pid, which makes the container created.
func (m *making) record() (err error) {
	failpoint("record")
	m.Pid = m.proc.Pid
	if m.StartTime, _, err = startTime(m.Pid); err != nil {
		return fmt.Errorf("cannot record the container's process: %w", err)
	}
	if err := m.writeInit(m.dir); err != nil {
		return fmt.Errorf("cannot record container %q under --root: %w", m.id, err)
	}
	if err := m.checkWanted(); err != nil {
		return err
	}
	m.recorded = true
	if err := sendPidfd(m.o.PidfdSocket, m.proc.Pidfd); err != nil {
		return err
	}
	if m.o.PidFile != "" {
		return writePidFile(m.o.PidFile, m.Pid)
	}
	return nil
}

// writePidFile writes the pid so that a reader never sees half of it.
func writePidFile(path string, pid int) error {
	dir, err := unix.Open(filepath.Dir(path), unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("cannot write the pid file (--pid-file %s): %w", path, err)
	}
	defer unix.Close(dir)
	if err := writeFile(dir, filepath.Base(path), strconv.AppendInt(nil, int64(pid), 10)); err != nil {
		return fmt.Errorf("cannot write the pid file (--pid-file %s): %w", path, err)
	}
	if err := unix.Fchmodat(dir, filepath.Base(path), 0o644, 0); err != nil {
		return fmt.Errorf("cannot write the pid file (--pid-file %s): %w", path, err)
	}
	return nil
}
