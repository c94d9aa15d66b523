package container

import (
	"errors"
	"fmt"
	"os"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/runtime/checkpoint"
	"github.com/dhow-containers/dhow/runtime/launch"
	"github.com/dhow-containers/dhow/spec"
)

// RestoreOptions are the flags of restore.
type RestoreOptions struct {
	checkpoint.Options
	Bundle        string
	ConsoleSocket string
	PidFile       string
	Detach        bool
	NoSubreaper   bool

	Stdio *[3]uintptr // descriptors that take the place of the saved process's 0, 1 and 2 unless it has a terminal; nil for this process's own
}

// Restore makes a container from a bundle and the processes that Checkpoint has saved. In the foreground it
// returns the exit code of the container's process, after removing the container; detached it returns 0 as
// soon as the processes run.
func (s *Store) Restore(id string, o RestoreOptions) (exit int, err error) {
	r, err := s.beginRestore(id, &o, o.Detach)
	if err != nil {
		return 1, err
	}
	defer r.close()
	if !o.NoSubreaper && !o.Detach {
		if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
			return 1, r.abandon(fmt.Errorf("cannot become a subreaper: %w", err))
		}
	}
	if !o.Detach {
		r.signals = listen()
	}
	if err := r.make(); err != nil {
		return 1, err
	}
	if o.Detach {
		return 0, nil
	}
	end := s.span("attend the container", "pid", r.Pid)
	exit, err = attend(r.proc, r.master, r.signals)
	if end(err); err != nil {
		return exit, err
	}
	return exit, r.delete()
}

// RestoreProcess is Restore for a caller that stays: it serves the terminal itself, unless there is a ConsoleSocket, and
// reaps the container's init.
func (s *Store) RestoreProcess(id string, o RestoreOptions) (*Process, error) {
	r, err := s.beginRestore(id, &o, o.ConsoleSocket != "")
	if err != nil {
		return nil, err
	}
	defer r.close()
	r.raw = true
	if err := r.make(); err != nil {
		return nil, err
	}
	return &Process{r.Pid, r.master}, nil
}

// make has the processes restored and begins the container's life, or leaves nothing.
func (r *restoring) make() error {
	if err := r.restore(); err != nil {
		return r.abandon(fmt.Errorf("cannot restore container %q: %w", r.id, err))
	}
	if err := r.handle.startedHooks(r.doc.Spec); err != nil {
		return r.abandon(err)
	}
	r.keep()
	return nil
}

// restoring is a container while it is restored.
type restoring struct {
	making
	options *RestoreOptions
	dirs    *images
	criu    string
	streams streams
}

// beginRestore makes the record and the control groups; unless detached, a terminal is this process's to serve.
func (s *Store) beginRestore(id string, o *RestoreOptions, detach bool) (*restoring, error) {
	if err := errors.Join(s.checkHost(), checkPrivilege(), o.Check()); err != nil {
		return nil, invalid{err}
	}
	create := &CreateOptions{Bundle: o.Bundle, ConsoleSocket: o.ConsoleSocket, PidFile: o.PidFile}
	b, err := s.survey(id, create, false)
	if err != nil {
		return nil, err
	}
	r := &restoring{making: making{blueprint: b, o: create, locked: -1, listener: -1, restored: true}, options: o}
	if r.criu, err = findCriu(&o.Options); err != nil {
		return nil, err
	}
	if r.dirs, err = openImages(o.Options, false); err != nil {
		return nil, err
	}
	if r.streams, err = readStreams(r.dirs.images); err == nil {
		err = r.connectConsole(detach)
	}
	if err == nil {
		err = r.claim(s)
	}
	if err != nil {
		err = r.explain(err)
		r.undo.run()
		r.close()
		return nil, err
	}
	return r, nil
}

func (r *restoring) close() {
	r.dirs.close()
	if r.proc != nil {
		unix.Close(r.proc.Pidfd)
	}
	r.making.close()
}

// restore has criu restore the processes, in the container's control groups and a mount namespace of criu's
// own, in which the root file system is the mount point that criu wants: nothing of it is left, however
// this process ends.
func (r *restoring) restore() error {
	job, further, err := r.job()
	defer closeAll(further)
	if err != nil {
		return err
	}
	if err := makeMountPoints(r.doc.Spec, r.bundle, r.rootfs); err != nil {
		return err
	}
	streams, release, err := r.standard()
	if err != nil {
		return err
	}
	defer release()
	var c *checkpoint.Criu
	start := func() (err error) {
		if err = r.dirs.reopen(r.options.Options); err != nil { // criu mounts in them
			return err
		}
		job.Images, job.Work = r.dirs.images, r.dirs.work
		failpoint("criu")
		c, err = checkpoint.Start(r.criu, streams, further...)
		return err
	}
	if spec.NewNamespace(r.doc.Spec, specs.MountNamespace) {
		err = onMountPoint(r.rootfs, start)
	} else {
		err = start()
	}
	if err != nil {
		return err
	}
	defer c.Close()
	if err := r.place(c.Pid); err != nil {
		return err
	}
	if job.CgroupRoots, err = cgroupRoots(c.Pid); err != nil {
		return err
	}
	end := r.store.span("have criu restore the processes", "images", r.options.ImagePath)
	err = r.dirs.explain(c.Restore(job, r.notified), checkpoint.RestoreLog)
	if err == nil && !r.recorded {
		err = errors.New("criu has restored no process")
	}
	end(err)
	return err
}

// place puts criu where the container is to be: what it restores stays there.
func (r *restoring) place(pid int) error {
	if err := r.cgroups.Start(r.group, pid); err != nil { // a systemd unit
		return err
	}
	if err := r.group.Join(pid); err != nil {
		return err
	}
	r.store.onAllCPUs(pid)
	return r.joinRdt(pid)
}

// notified answers criu's notifications.
func (r *restoring) notified(n checkpoint.Notification) error {
	r.store.debug("criu", "notification", n.Script, "pid", n.Pid)
	if n.Script == "orphan-pts-master" {
		return r.takeMaster(n.FD)
	}
	if n.FD >= 0 { // nobody wants it
		unix.Close(n.FD)
	}
	switch n.Script {
	case "setup-namespaces":
		return r.setUp(n.Pid)
	case "post-restore":
		if err := r.adopt(n.Pid); err != nil {
			return err
		}
		r.signals.ready()
		if err := r.record(); err != nil {
			return err
		}
		failpoint("restored")
	}
	return nil
}

// adopt keeps hold of the restored init, which is a child of this process.
func (r *restoring) adopt(pid int) error {
	if r.proc != nil {
		return nil
	}
	pidfd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return fmt.Errorf("cannot open a pidfd of process %d: %w", pid, err)
	}
	r.proc = &launch.Process{Pid: pid, Pidfd: pidfd}
	r.undo.add(func() {
		unix.PidfdSendSignal(pidfd, unix.SIGKILL, nil, 0)
		r.proc.Wait()
	})
	return nil
}

// setUp does for the new namespaces what create does: the loopback device, and the hooks of the runtime's
// namespaces. The container's own hooks have run before it was saved.
func (r *restoring) setUp(pid int) error {
	if err := r.adopt(pid); err != nil {
		return err
	}
	failpoint("namespaces")
	if spec.NewNamespace(r.doc.Spec, specs.NetworkNamespace) {
		if err := loopbackUp(pid); err != nil {
			return fmt.Errorf("cannot bring up the loopback device (linux.namespaces): %w", err)
		}
	}
	if l := r.doc.Spec.Linux; l != nil && len(l.NetDevices) > 0 {
		if err := r.moveDevices(); err != nil {
			return err
		}
	}
	if r.doc.Spec.Hooks == nil {
		return nil
	}
	return r.runtimeHooks()
}

// takeMaster receives the master end of the container's terminal.
func (r *restoring) takeMaster(fd int) error {
	if fd < 0 {
		return errors.New("internal error: the terminal did not arrive")
	}
	return r.keepMaster(os.NewFile(uintptr(fd), "/dev/ptmx"))
}

// standard are criu's standard streams, of which the container's pipes and files are inherited. With a
// terminal nothing is.
func (r *restoring) standard() (fds [3]uintptr, release func(), err error) {
	if !r.doc.Spec.Process.Terminal {
		return stdio(r.options.Stdio), func() {}, nil
	}
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return fds, nil, err
	}
	return [3]uintptr{null.Fd(), null.Fd(), null.Fd()}, func() { null.Close() }, nil
}
