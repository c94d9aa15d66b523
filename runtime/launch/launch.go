package launch

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/runtime/plan"
)

// Options are what a Program needs of its surroundings.
type Options struct {
	Dir       string     // working directory the first process starts in: the container's rootfs
	Stdio     [3]uintptr // descriptors for the process's 0, 1 and 2
	Preserved int        // how many descriptors from 3 on are handed through
	Cgroup    int        // directory of the cgroup v2 to be born in; -1 for the caller's own
	Listener  int        // socket for plan.Listener; -1 when the Program has none
	Pidfd     int        // pidfd for plan.Pidfd; -1 when the Program has none
	Network   int        // namespace for plan.Network; 0 when the Program has none

	UIDMappings, GIDMappings []syscall.SysProcIDMap // of a user namespace among the Program's
}

// Process is the first process of a container, or of an exec, while its Program runs.
type Process struct {
	Pid   int // in the caller's pid namespace
	Pidfd int
	*Peer
}

// Image is a linked Program, ready to be executed.
type Image struct {
	p         *plan.Program
	preserved int
	fd        int // sealed memfd
}

// Link links p for a process that keeps this many descriptors from 3 on.
func Link(p *plan.Program, preserved int) (*Image, error) {
	p = withFailpoint(p)
	fd, err := sealed(p, 3+preserved)
	if err != nil {
		return nil, err
	}
	return &Image{p, preserved, fd}, nil
}

// Close forgets the image; processes that execute it run on.
func (i *Image) Close() { unix.Close(i.fd) }

// Start links p and starts a process that walks it (Image.Start).
func Start(p *plan.Program, o Options) (*Process, error) {
	image, err := Link(p, o.Preserved)
	if err != nil {
		return nil, err
	}
	defer image.Close()
	return image.Start(o)
}

// Start starts a process that walks the Program. It has not necessarily taken a step when Start returns:
// Serve follows it.
func (i *Image) Start(o Options) (*Process, error) {
	if o.Preserved != i.preserved {
		return nil, fmt.Errorf("internal error: linked for %d preserved descriptors, started with %d", i.preserved, o.Preserved)
	}
	opened, err := openFiles(i.p, o)
	if err != nil {
		return nil, err
	}
	defer opened.close()
	ours, theirs, err := socketPair()
	if err != nil {
		return nil, err
	}
	defer unix.Close(theirs)
	proc, err := spawn(i.p, o, append([]int{theirs, i.fd}, opened...))
	if err != nil {
		unix.Close(ours)
		return nil, err
	}
	proc.Peer = &Peer{fd: ours, steps: i.p, proc: proc}
	return proc, nil
}

// Forget closes what the parent holds of the process; the process itself runs on.
func (p *Process) Forget() {
	p.Peer.Close()
	unix.Close(p.Pidfd)
}

// Wait blocks until the process has ended and returns its status as a shell would: the exit code, or
// 128 and the number of the signal that killed it.
func (p *Process) Wait() (int, error) {
	var ws unix.WaitStatus
	for {
		_, err := unix.Wait4(p.Pid, &ws, 0, nil)
		if err == nil {
			return ExitCode(ws), nil
		}
		if err != unix.EINTR {
			return 0, fmt.Errorf("cannot wait for the container's process %d: %w", p.Pid, err)
		}
	}
}

// ExitCode is the status a shell would show for ws.
func ExitCode(ws unix.WaitStatus) int {
	if ws.Signaled() {
		return 128 + int(ws.Signal())
	}
	return ws.ExitStatus()
}

// sealed puts the linked Program into a memfd that nothing can change any more.
func sealed(p *plan.Program, report int) (int, error) {
	image, err := link(p, report)
	if err != nil {
		return -1, err
	}
	const name = "dhow-init"
	fd, err := unix.MemfdCreate(name, unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING|unix.MFD_EXEC)
	if err == unix.EINVAL { // before Linux 6.3 there is no MFD_EXEC, and every memfd can be executed
		fd, err = unix.MemfdCreate(name, unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	}
	if err != nil {
		return -1, fmt.Errorf("cannot hold the program in memory: memfd_create: %w", err)
	}
	n, err := unix.Write(fd, image)
	if err == nil && n < len(image) {
		err = unix.ENOSPC
	}
	if err == nil {
		_, err = unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS,
			unix.F_SEAL_SEAL|unix.F_SEAL_SHRINK|unix.F_SEAL_GROW|unix.F_SEAL_WRITE)
	}
	if err != nil {
		unix.Close(fd)
		return -1, fmt.Errorf("cannot hold the program in memory: %w", err)
	}
	return fd, nil
}

// socketPair makes the report channel; our end learns the sender's pid with every message.
func socketPair() (ours, theirs int, err error) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err == nil {
		err = unix.SetsockoptInt(pair[0], unix.SOL_SOCKET, unix.SO_PASSCRED, 1)
	}
	if err != nil {
		return -1, -1, fmt.Errorf("cannot make the report channel: %w", err)
	}
	return pair[0], pair[1], nil
}

// spawn clones the first process and has it execute the image. In the child the descriptors are stdio, the
// preserved ones, then files: the report channel, the image, what the Program inherits.
func spawn(p *plan.Program, o Options, files []int) (*Process, error) {
	attr := &syscall.ProcAttr{Dir: o.Dir, Env: []string{}, Files: make([]uintptr, 0, 4+o.Preserved+len(files))}
	attr.Files = append(attr.Files, o.Stdio[:]...)
	for fd := 3; fd < 3+o.Preserved; fd++ {
		attr.Files = append(attr.Files, uintptr(fd))
	}
	for _, fd := range files {
		attr.Files = append(attr.Files, uintptr(fd))
	}
	path := "/proc/self/fd/" + strconv.Itoa(4+o.Preserved)
	proc := &Process{Pidfd: -1}
	attr.Sys = &syscall.SysProcAttr{Cloneflags: p.Clone, PidFD: &proc.Pidfd}
	attr.Sys.UidMappings, attr.Sys.GidMappings, attr.Sys.GidMappingsEnableSetgroups = o.UIDMappings, o.GIDMappings, true
	if o.Cgroup >= 0 {
		attr.Sys.UseCgroupFD, attr.Sys.CgroupFD = true, o.Cgroup
	}
	pid, err := syscall.ForkExec(path, []string{"dhow-init"}, attr)
	if err != nil {
		return nil, spawnError(p, o, err)
	}
	if proc.Pidfd < 0 {
		return nil, errors.New("cannot start a process: the kernel has no pidfd")
	}
	proc.Pid = pid
	return proc, nil
}

// spawnError finds out what of the clone went wrong, which one errno does not say.
func spawnError(p *plan.Program, o Options, err error) error {
	if o.Dir != "" {
		if _, e := os.Stat(o.Dir); e != nil {
			return fmt.Errorf("cannot enter the root file system (root.path): %w", e)
		}
	}
	switch {
	case errors.Is(err, unix.EACCES):
		return fmt.Errorf("cannot execute the program from a memfd (see sysctl vm.memfd_noexec): %w", err)
	case o.Cgroup >= 0 && (errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.EBUSY)):
		return fmt.Errorf("cannot clone a process into its cgroup (linux.cgroupsPath): %w", err)
	case p.Clone != 0:
		return fmt.Errorf("cannot clone a process into new namespaces (linux.namespaces): %w", err)
	}
	return fmt.Errorf("cannot clone a process: %w", err)
}
