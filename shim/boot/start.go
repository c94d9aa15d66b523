package boot

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/runtime/cgroup"
	"github.com/dhow-containers/dhow/shim/api"
	"github.com/dhow-containers/dhow/shim/socket"
	"github.com/dhow-containers/dhow/shim/task"
)

// ListenerFD is the descriptor on which the server finds its listening socket.
const ListenerFD = 3

// addressFile is where containerd 1.6 looks for the address of a shim when it comes back.
const addressFile = "address"

// Start makes sure that a shim serves the container whose bundle is the working directory, and returns what to print.
// input is standard input.
func (p *Params) Start(input []byte) ([]byte, error) {
	if err := p.read(input); err != nil {
		return nil, fmt.Errorf("cannot read the options on standard input: %w", err)
	}
	options, err := api.DecodeOptions(p.Options)
	if err != nil {
		return nil, err
	}
	if options.TaskAPIAddress != "" { // a containerd that knows the option goes there, and starts no shim
		return nil, fmt.Errorf("cannot use TaskApiAddress %s: this containerd starts a shim all the same", options.TaskAPIAddress)
	}
	if err := task.SaveOptions(".", options); err != nil { // for a sandbox, whose options come no other way
		return nil, err
	}
	name, err := group(".", p.ID)
	if err != nil {
		return nil, fmt.Errorf("cannot find the container's group: %w", err)
	}
	path := p.socketPath(name)
	fd, err := Listen(path)
	switch {
	case err == socket.ErrServed:
	case err != nil:
		return nil, err
	default:
		err = p.serve(fd, options)
		unix.Close(fd)
		if err != nil {
			unix.Unlink(path)
			return nil, err
		}
	}
	address := "unix://" + path
	if err := writeAddress(address); err != nil {
		return nil, err
	}
	return p.result(address, os.Getenv("MAX_SHIM_VERSION")), nil
}

func writeAddress(address string) error {
	temp := "." + addressFile
	if err := os.WriteFile(temp, []byte(address), 0o600); err != nil {
		return err
	}
	return os.Rename(temp, addressFile)
}

// serve starts the server: this program again, with the socket.
func (p *Params) serve(listener int, o *api.Options) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	pid, err := p.Fork(self, "", listener)
	if err != nil {
		return err
	}
	if err := settle(pid, o); err != nil {
		unix.Kill(pid, unix.SIGKILL)
		return err
	}
	return nil
}

// Fork starts the server, the program at path, with a listening socket, in the directory dir, which is a bundle. Its pid is
// that of a child of the caller.
func (p *Params) Fork(path, dir string, listener int) (pid int, err error) {
	null, err := unix.Open("/dev/null", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return 0, err
	}
	defer unix.Close(null)
	argv := []string{path, "-namespace", p.Namespace, "-id", p.ID, "-address", p.Address, "-publish-binary", p.PublishBinary}
	if p.Debug {
		argv = append(argv, "-debug")
	}
	attr := &syscall.ProcAttr{
		Dir:   dir,
		Env:   p.environment(),
		Files: []uintptr{uintptr(null), uintptr(null), uintptr(null), uintptr(listener)},
		Sys:   &syscall.SysProcAttr{Setpgid: true},
	}
	if pid, err = syscall.ForkExec(path, argv, attr); err != nil {
		return 0, fmt.Errorf("cannot start the shim %s: %w", path, err)
	}
	return pid, nil
}

// noHugePages has Go's heap, of which a shim uses a few hundred KiB, made of pages of 4 KiB. Where the kernel gives huge pages
// to whoever does not ask for them, as Debian's does, it is 4 MiB otherwise (https://go.dev/issue/64332).
const noHugePages = "disablethp=1"

// environment is the server's.
func (p *Params) environment() []string {
	debug := noHugePages
	env := slices.DeleteFunc(os.Environ(), func(s string) bool {
		if old, ok := strings.CutPrefix(s, "GODEBUG="); ok && old != "" {
			debug = old + "," + debug
		}
		return strings.HasPrefix(s, "TTRPC_ADDRESS=") || strings.HasPrefix(s, "GODEBUG=")
	})
	return append(env, "TTRPC_ADDRESS="+p.TTRPCAddress, "GODEBUG="+debug)
}

// settle gives the server its control group and its place with the OOM killer: it goes after containerd's own
// processes would, and before containerd.
func settle(pid int, o *api.Options) error {
	if o.ShimCgroup != "" {
		if err := joinCgroup(o.ShimCgroup, pid); err != nil {
			return fmt.Errorf("cannot put the shim into its control group (ShimCgroup %s): %w", o.ShimCgroup, err)
		}
	}
	return AdjustOOMScore(pid, os.Getppid())
}

// joinCgroup puts pid into a control group, which is made if it is not there.
func joinCgroup(path string, pid int) error {
	host, err := cgroup.Detect()
	if err != nil {
		return err
	}
	plan, err := cgroup.Compile(host, path, "", nil)
	if err != nil {
		return err
	}
	g, err := plan.Create()
	if err != nil {
		return err
	}
	return g.Join(pid)
}

// maxOOMScore is OOM_SCORE_ADJ_MAX.
const maxOOMScore = 1000

// AdjustOOMScore makes the kernel choose the shim rather than its client, when memory is short.
func AdjustOOMScore(pid, client int) error {
	text, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(client), "oom_score_adj"))
	if err != nil {
		return fmt.Errorf("cannot read the OOM score adjustment of the shim's client: %w", err)
	}
	score, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil || score >= maxOOMScore {
		return err
	}
	err = os.WriteFile(filepath.Join("/proc", strconv.Itoa(pid), "oom_score_adj"), []byte(strconv.Itoa(score+1)), 0)
	if err != nil && !os.IsPermission(err) {
		return fmt.Errorf("cannot set the shim's OOM score adjustment: %w", err)
	}
	return nil
}
