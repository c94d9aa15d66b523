package container

import (
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/runtime/cgroup"
	"github.com/dhow-containers/dhow/runtime/console"
	"github.com/dhow-containers/dhow/runtime/launch"
	"github.com/dhow-containers/dhow/runtime/plan"
	"github.com/dhow-containers/dhow/spec"
)

// Exec runs one more process in a container. In the foreground it returns the process's exit code;
// detached, 0 as soon as it runs.
func (s *Store) Exec(id string, o ExecOptions) (exit int, err error) {
	h, err := s.open(id)
	if err != nil {
		return 255, err
	}
	defer h.close()
	e := &entering{handle: h, o: &o, agent: -1}
	defer e.close()
	if err := e.prepare(); err != nil {
		return 255, err
	}
	if !o.Detach {
		e.signals = listen()
	}
	if err := e.launch(); err != nil {
		return 255, err
	}
	defer e.proc.Forget()
	if o.Detach {
		return 0, nil
	}
	return attend(e.proc, e.master, e.signals)
}

// entering is a process on its way into a container.
type entering struct {
	*handle
	o       *ExecOptions
	program *plan.Program
	group   *cgroup.Group
	pidfd   int // of the container's init
	proc    *launch.Process
	signals *listener
	sock    *os.File
	master  *os.File
	raw     bool        // the terminal is not fitted to this process's standard streams
	notify  bool        // its filter has a listener
	agent   agent       // of seccomp
	cfg     *specs.Spec // the container's, with this process
}

func (e *entering) close() {
	e.agent.close()
	if e.sock != nil {
		e.sock.Close()
	}
	if e.pidfd > 0 {
		unix.Close(e.pidfd)
	}
}

// prepare checks what is asked for and compiles the Program.
func (e *entering) prepare() error {
	switch status := e.status(); status {
	case specs.StateRunning, specs.StateCreated:
	case statusPaused:
		if !e.o.IgnorePaused {
			return errConflict("cannot exec in a paused container (use --ignore-paused to override): %q", e.ID)
		}
	default:
		return errConflict("cannot exec in a %s container: %q", status, e.ID)
	}
	if err := checkPreserved(e.o.PreserveFDs); err != nil {
		return err
	}
	if err := e.connectConsole(); err != nil {
		return err
	}
	var err error
	if e.pidfd, err = e.handle.pidfd(); err != nil {
		return errConflict("cannot exec in a stopped container: %q", e.ID)
	}
	doc, err := e.config()
	if err != nil {
		return err
	}
	if err := e.compile(doc); err != nil {
		return err
	}
	if e.notify {
		e.agent, err = connectAgent(e.cfg.Linux.Seccomp.ListenerPath)
	}
	return err
}

func (e *entering) connectConsole() (err error) {
	terminal, sock := e.o.Process.Terminal, e.o.ConsoleSocket
	switch {
	case sock != "" && !terminal:
		return errInvalid("cannot use --console-socket: the process has no terminal (--tty)")
	case sock == "" && terminal && e.o.Detach:
		return errInvalid("cannot make a terminal: a detached process needs --console-socket")
	case sock != "":
		e.sock, err = console.Connect(sock)
	}
	return err
}

func (e *entering) compile(doc *spec.Document) (err error) {
	config := *doc.Spec
	config.Process = e.o.Process
	e.cfg = &config
	if err := spec.ValidateProcess(config.Process, &config); err != nil {
		return err
	}
	e.store.capabilityWarnings(config.Process)
	if e.group, err = e.subgroup(); err != nil {
		return err
	}
	in := &plan.Input{ID: e.ID, Config: &config, Preserved: e.o.PreserveFDs, NewKeyring: true, TaskFiles: e.group.TasksFiles()}
	if e.Unit != nil && e.Unit.User {
		in.Unit = &plan.Unit{Name: e.Unit.Name}
	}
	if in.Filter, err = filter(doc, filepath.Join(e.store.Root, seccompCache)); err != nil {
		return err
	}
	e.notify = in.Filter != nil && in.Filter.Notify
	if err := e.store.hostFacts(in, e.Rootfs); err != nil {
		return err
	}
	privileges(in)
	if e.program, err = plan.CompileExec(in, e.Pid); err != nil {
		return invalid{err}
	}
	return nil
}

// subgroup is the container's cgroup with the paths of --cgroup applied: [CONTROLLERS:]PATH, below the
// container's own.
func (e *entering) subgroup() (*cgroup.Group, error) {
	paths := maps.Clone(e.Cgroups)
	for _, flag := range e.o.Cgroups {
		names, sub, found := strings.Cut(flag, ":")
		if !found {
			names, sub = "", flag
		}
		if slices.Contains(strings.Split(sub, "/"), "..") {
			return nil, errInvalid("cannot use --cgroup %s: bad sub cgroup path: it leaves the container's cgroup", flag)
		}
		if err := choose(paths, e.Cgroups, names, sub, flag); err != nil {
			return nil, err
		}
	}
	return cgroup.Open(paths), nil
}

// choose puts sub below the container's own directory of the named controllers, or of all. Controllers
// that share a directory move together.
func choose(paths, own map[string]string, names, sub, flag string) error {
	if names == "" {
		for name, dir := range own {
			paths[name] = path.Join(dir, sub)
		}
		return nil
	}
	for name := range strings.SplitSeq(names, ",") {
		dir, ok := own[name]
		if !ok {
			return errInvalid("cannot use --cgroup %s: unknown controller %[2]q: the container has no cgroup of it", flag, name)
		}
		for other, shared := range own {
			if shared == dir {
				paths[other] = path.Join(dir, sub)
			}
		}
	}
	return nil
}

// launch starts the process and follows it to its execve.
func (e *entering) launch() (err error) {
	opts := launch.Options{Stdio: stdio(e.o.Stdio), Preserved: e.o.PreserveFDs, Listener: -1, Pidfd: e.pidfd}
	image, err := launch.Link(e.program, e.o.PreserveFDs)
	if err != nil {
		return err
	}
	defer image.Close()
	end := e.store.span("clone the process")
	initial := ""
	if a := e.cfg.Process.ExecCPUAffinity; a != nil {
		initial = a.Initial
	}
	err = onCPUs(initial, func() (err error) {
		e.proc, err = e.start(image, opts)
		return err
	})
	if end(err); err != nil {
		return err
	}
	e.proc.Explain = stepExplainer(e.cfg, "", func() int { return e.proc.Pid })
	end = e.store.span("follow the program", "pid", e.proc.Pid)
	recorded := false
	err = e.proc.Serve(func(r *launch.Request) (uint64, bool, error) {
		recorded = recorded || r.Code == plan.Created
		return 0, false, e.serve(r)
	})
	end(err)
	if err == nil && !recorded {
		err = fmt.Errorf("cannot exec in container %q: the process ended before it was set up", e.ID)
	}
	if err != nil {
		unix.PidfdSendSignal(e.proc.Pidfd, unix.SIGKILL, nil, 0)
		e.proc.Wait()
		e.proc.Forget()
	}
	return err
}

// serve answers the rendezvous of an exec.
func (e *entering) serve(r *launch.Request) error {
	switch r.Code {
	case plan.EnterUnit:
		return e.attach()
	case plan.TakeTerminal:
		master, err := received(r)
		if err != nil || e.sock == nil {
			if e.master = master; !e.raw {
				adjustTerminal(master)
			}
			return err
		}
		defer master.Close()
		return console.Send(e.sock, master, "/dev/ptmx")
	case plan.SeccompListener:
		return e.agent.listener(r, e.cfg, e.proc.Pid, e.hookState(e.status(), e.cfg, e.Pid))
	case plan.OOMScore:
		return writeOOMScore(e.proc.Pid, *e.o.Process.OOMScoreAdj)
	case plan.Created:
		e.signals.ready()
		if a := e.cfg.Process.ExecCPUAffinity; a == nil || *a == (specs.CPUAffinity{}) {
			e.store.onAllCPUs(e.proc.Pid)
		}
		if err := e.joinRdt(e.proc.Pid); err != nil {
			return err
		}
		return e.record()
	}
	return fmt.Errorf("internal error: %s", r.Code)
}

// record tells the caller's files and sockets about the process.
func (e *entering) record() error {
	if err := sendPidfd(e.o.PidfdSocket, e.proc.Pidfd); err != nil {
		return err
	}
	if e.o.PidFile != "" {
		return writePidFile(e.o.PidFile, e.proc.Pid)
	}
	return nil
}

// sendPidfd sends a pidfd of the process to the socket of --pidfd-socket, if there is one.
func sendPidfd(socket string, pidfd int) error {
	if socket == "" {
		return nil
	}
	fd, err := unix.FcntlInt(uintptr(pidfd), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("cannot send the pidfd (--pidfd-socket): %w", err)
	}
	f := os.NewFile(uintptr(fd), "pidfd")
	defer f.Close()
	if err := console.SendMaster(socket, f, "pidfd"); err != nil {
		return fmt.Errorf("cannot send the pidfd (--pidfd-socket): %w", err)
	}
	return nil
}
