package integration

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// EnginePatience is how long a daemon may take to get ready.
const EnginePatience = time.Minute

// An Engine is a daemon that serves the Docker API, with roots of its own: dhowd, or dockerd as a peer.
type Engine struct {
	Dir      string // of all that it has
	Programs string // directory of dhowd and what it needs, or of dockerd, containerd and runc
	Flags    []string
	peer     bool
	cmd      *exec.Cmd
}

// NewDhowd is a dhowd that has not been started; programs is what `make build` makes.
func NewDhowd(dir, programs string, flags ...string) *Engine {
	return &Engine{Dir: dir, Programs: programs, Flags: flags}
}

// NewDockerd is a dockerd that has not been started.
func NewDockerd(dir, programs string, flags ...string) *Engine {
	return &Engine{Dir: dir, Programs: programs, Flags: flags, peer: true}
}

// Socket is where it listens.
func (e *Engine) Socket() string { return "unix://" + filepath.Join(e.Dir, "d.sock") }

// Pid is that of its process.
func (e *Engine) Pid() int { return e.cmd.Process.Pid }

// Running says whether it was started, and has not been ended by one of the methods.
func (e *Engine) Running() bool { return e.cmd != nil && e.cmd.ProcessState == nil }

// Start returns once the daemon says that it is ready.
func (e *Engine) Start() error {
	log, err := os.OpenFile(filepath.Join(e.Dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	config := filepath.Join(e.Dir, "daemon.json")
	if _, err := os.Stat(config); err != nil {
		if err := os.WriteFile(config, []byte("{}"), 0o600); err != nil {
			return err
		}
	}
	args := append([]string{"-H", e.Socket(), "--data-root", e.Dir + "/data", "--exec-root", e.Dir + "/exec", "--pidfile", e.Dir + "/pid", "--config-file", config}, e.Flags...)
	name := "dhowd"
	if e.peer {
		name = "dockerd"
	}
	e.cmd = exec.Command(filepath.Join(e.Programs, name), args...)
	e.cmd.Stdout, e.cmd.Stderr = log, log
	e.cmd.Env = append(os.Environ(), "PATH="+e.Programs+":"+os.Getenv("PATH"))
	if err := e.startAndWait(); err != nil {
		return fmt.Errorf("%s does not get ready: %w\n%s", name, err, e.LogTail(30))
	}
	return nil
}

// startAndWait waits for sd_notify(3)'s READY=1, which both daemons send.
func (e *Engine) startAndWait() error {
	path := filepath.Join(e.Dir, "notify")
	os.Remove(path)
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return err
	}
	socket := os.NewFile(uintptr(fd), path)
	defer socket.Close()
	if err := unix.Bind(fd, &unix.SockaddrUnix{Name: path}); err != nil {
		return err
	}
	e.cmd.Env = append(e.cmd.Env, "NOTIFY_SOCKET="+path)
	if err := e.cmd.Start(); err != nil {
		return err
	}
	ended := make(chan error, 1)
	ctx, cancel := context.WithTimeout(context.Background(), EnginePatience)
	defer cancel()
	go func() { // a daemon that ends says nothing
		pidfd, err := unix.PidfdOpen(e.cmd.Process.Pid, 0)
		if err != nil {
			return
		}
		defer unix.Close(pidfd)
		for ctx.Err() == nil {
			if n, err := unix.Poll([]unix.PollFd{{Fd: int32(pidfd), Events: unix.POLLIN}}, 1000); n > 0 && err == nil {
				ended <- errors.New("it has ended")
				socket.SetReadDeadline(time.Now())
				return
			}
		}
	}()
	if err := socket.SetReadDeadline(time.Now().Add(EnginePatience)); err != nil {
		return err
	}
	for buf := make([]byte, 1024); ; {
		n, err := socket.Read(buf)
		if err != nil {
			e.Kill()
			select {
			case err = <-ended:
			default:
			}
			return err
		}
		if strings.Contains(string(buf[:n]), "READY=1") {
			return nil
		}
	}
}

// Kill is SIGKILL.
func (e *Engine) Kill() {
	_ = e.cmd.Process.Kill()
	_ = e.cmd.Wait() // its status is that of the signal
}

// Stop is SIGTERM.
func (e *Engine) Stop() error {
	if err := e.cmd.Process.Signal(unix.SIGTERM); err != nil {
		return err
	}
	if err := e.cmd.Wait(); err != nil {
		return fmt.Errorf("the daemon's end: %w\n%s", err, e.LogTail(30))
	}
	return nil
}

// Log is what it has logged.
func (e *Engine) Log() string {
	text, _ := os.ReadFile(filepath.Join(e.Dir, "log"))
	return string(text)
}

// LogTail is the end of it.
func (e *Engine) LogTail(n int) string {
	all := strings.Split(strings.TrimSpace(e.Log()), "\n")
	return strings.Join(all[max(0, len(all)-n):], "\n")
}

// A Client is a program that speaks to an engine: docker or dhow.
type Client struct {
	Program string
	Socket  string
	Home    string // with its configuration
	Dir     string // where it runs; "" for here
	Env     []string
}

// Result is what a command did.
type Result struct {
	Stdout, Stderr string
	Code           int // -1 if it did not end by itself
}

// Command is a command line of the client's.
func (c *Client) Command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, c.Program, args...)
	cmd.Dir = c.Dir
	cmd.Env = append(os.Environ(), "DOCKER_HOST="+c.Socket, "DOCKER_CONFIG="+c.Home, "DOCKER_CLI_HINTS=false", "TZ=UTC", "LANG=C")
	cmd.Env = append(cmd.Env, c.Env...)
	cmd.WaitDelay = time.Second
	return cmd
}

// Run runs a command line.
func (c *Client) Run(stdin io.Reader, args ...string) Result {
	ctx, cancel := context.WithTimeout(context.Background(), EnginePatience)
	defer cancel()
	cmd := c.Command(ctx, args...)
	var out, errs strings.Builder
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, &out, &errs
	if err := cmd.Run(); cmd.ProcessState == nil {
		return Result{Stderr: err.Error(), Code: -1}
	}
	r := Result{Stdout: out.String(), Stderr: errs.String(), Code: cmd.ProcessState.ExitCode()}
	if ctx.Err() != nil {
		r.Stderr += fmt.Sprintf("\n[killed after %v]", EnginePatience)
	}
	return r
}

// Do is Run for who wants success; it returns what was printed, without the space around it.
func (c *Client) Do(args ...string) (string, error) {
	r := c.Run(nil, args...)
	if r.Code != 0 {
		return "", fmt.Errorf("%s %s: exit %d: %s%s", filepath.Base(c.Program), strings.Join(args, " "), r.Code, r.Stdout, r.Stderr)
	}
	return strings.TrimSpace(r.Stdout), nil
}

// RemoveAll removes all containers of an engine, with their volumes.
func (c *Client) RemoveAll() error {
	out, err := c.Do("ps", "-aq")
	if err != nil || out == "" {
		return err
	}
	_, err = c.Do(append([]string{"rm", "-f", "-v"}, strings.Fields(out)...)...)
	return err
}

// Links are the devices of this network namespace. A list that has changed while the kernel told it may lack some: it is
// asked for again.
func Links() ([]netlink.Link, error) {
	for {
		if all, err := netlink.LinkList(); !errors.Is(err, netlink.ErrDumpInterrupted) {
			return all, err
		}
	}
}

// RaiseLoopback turns the loopback device of this network namespace on.
func RaiseLoopback() error {
	lo, err := netlink.LinkByName("lo")
	if err != nil {
		return err
	}
	return netlink.LinkSetUp(lo)
}

// AddBridge makes a bridge with an address.
func AddBridge(name, address string) error {
	attrs := netlink.NewLinkAttrs()
	attrs.Name = name
	bridge := &netlink.Bridge{LinkAttrs: attrs}
	if err := netlink.LinkAdd(bridge); err != nil {
		return err
	}
	a, err := netlink.ParseAddr(address)
	if err != nil {
		return err
	}
	if err := netlink.AddrAdd(bridge, a); err != nil {
		return err
	}
	return netlink.LinkSetUp(bridge)
}

// BusyboxImage writes the archive of an image busybox:latest into a directory, and returns its path.
func BusyboxImage(dir string) (string, error) {
	root := filepath.Join(dir, "rootfs")
	for _, sub := range []string{"bin", "etc", "tmp", "root", "var/www", "home"} {
		if err := os.MkdirAll(filepath.Join(root, sub), 0o755); err != nil {
			return "", err
		}
	}
	for name, text := range map[string]string{
		"etc/passwd": "root:x:0:0:root:/root:/bin/sh\nwww:x:33:33:www:/var/www:/bin/sh\n",
		"etc/group":  "root:x:0:\nwww:x:33:\nextra:x:44:www\n",
	} {
		if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o644); err != nil {
			return "", err
		}
	}
	program, err := os.ReadFile("/bin/busybox")
	if err != nil {
		return "", fmt.Errorf("needs Debian's busybox-static: %w", err)
	}
	if err := os.WriteFile(filepath.Join(root, "bin/busybox"), program, 0o755); err != nil {
		return "", err
	}
	applets, err := exec.Command("/bin/busybox", "--list").Output()
	if err != nil {
		return "", err
	}
	for _, name := range strings.Fields(string(applets)) {
		if name == "busybox" {
			continue
		}
		if err := os.Symlink("busybox", filepath.Join(root, "bin", name)); err != nil {
			return "", err
		}
	}
	path := filepath.Join(dir, "busybox.tar")
	return path, ImageArchive(path, "busybox:latest", root, "sh")
}
