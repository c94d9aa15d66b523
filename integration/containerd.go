package integration

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Runtime names for containerd: ours, and that of containerd's own shim with runc.
const (
	ShimRuntime = "io.containerd.dhow.v2"
	RuncRuntime = "io.containerd.runc.v2"
)

// Containerd is a containerd on a root, a state directory and sockets of its own.
type Containerd struct {
	Dir       string // all of it
	Namespace string // of its containers
	Programs  string // directory of containerd and ctr
	path      string // its $PATH: our shim, then Programs
	process   *exec.Cmd
}

// NewContainerd starts the containerd of Debian's package, with dir, an empty directory with a short name, for its
// state. The directory shims holds our shim.
func NewContainerd(dir, namespace, shims string) (*Containerd, error) {
	program, err := exec.LookPath("containerd")
	if err != nil {
		return nil, err
	}
	return NewContainerdWith(dir, namespace, shims, filepath.Dir(program), ContainerdConfig)
}

// NewContainerd2 is NewContainerd with programs of containerd 2 (Containerd2Programs).
func NewContainerd2(dir, namespace, shims, programs string) (*Containerd, error) {
	return NewContainerdWith(dir, namespace, shims, programs, Containerd2Config)
}

// ContainerdConfig and Containerd2Config have everything in one directory, and leave out what the task service does
// not need.
const (
	ContainerdConfig = `version = 2
root = "DIR/root"
state = "DIR/state"
disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.internal.v1.opt"]
[grpc]
  address = "DIR/c.sock"
`
	Containerd2Config = `version = 3
root = "DIR/root"
state = "DIR/state"
disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.cri.v1.runtime", "io.containerd.cri.v1.images",
  "io.containerd.podsandbox.controller.v1.podsandbox", "io.containerd.nri.v1.nri", "io.containerd.internal.v1.opt"]
[grpc]
  address = "DIR/c.sock"
`
)

// NewContainerdWith starts the containerd in the directory programs with a config, where DIR stands for dir.
func NewContainerdWith(dir, namespace, shims, programs, config string) (*Containerd, error) {
	c := &Containerd{Dir: dir, Namespace: namespace, Programs: programs, path: shims + ":" + programs + ":" + os.Getenv("PATH")}
	config = strings.ReplaceAll(config, "DIR", dir)
	if err := os.WriteFile(filepath.Join(dir, "config.toml"), []byte(config), 0o600); err != nil {
		return nil, err
	}
	return c, c.Start()
}

// Socket is containerd's gRPC socket.
func (c *Containerd) Socket() string { return c.Dir + "/c.sock" }

// Start starts containerd, also again after Stop.
func (c *Containerd) Start() error {
	log, err := os.OpenFile(filepath.Join(c.Dir, "log"), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	c.process = exec.Command(filepath.Join(c.Programs, "containerd"), "--config", filepath.Join(c.Dir, "config.toml"))
	c.process.Env = append(os.Environ(), "PATH="+c.path)
	c.process.Stdout, c.process.Stderr = log, log
	if err := c.process.Start(); err != nil {
		return err
	}
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if c.Ctr("version").Run() == nil {
			return nil
		}
	}
	c.Stop(unix.SIGKILL)
	text, _ := os.ReadFile(log.Name())
	return fmt.Errorf("containerd does not answer: %s", text)
}

// Stop ends containerd and leaves its containers alone.
func (c *Containerd) Stop(sig unix.Signal) {
	if c.process != nil {
		c.process.Process.Signal(sig)
		c.process.Wait()
		c.process = nil
	}
}

// Ctr prepares a call of ctr, which is not to speak of control groups of version 1 each time.
func (c *Containerd) Ctr(args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(c.Programs, "ctr"), append([]string{"--address", c.Socket(), "--namespace", c.Namespace}, args...)...)
	cmd.Env = append(os.Environ(), "CONTAINERD_SUPPRESS_DEPRECATION_WARNINGS=1")
	return cmd
}

// Close ends all containers, then containerd.
func (c *Containerd) Close() {
	if c.process == nil && c.Start() != nil {
		return
	}
	for _, list := range []string{"tasks", "containers"} {
		out, _ := c.Ctr(list, "ls", "-q").Output()
		for _, id := range strings.Fields(string(out)) {
			if list == "tasks" {
				c.Ctr("tasks", "kill", "-s", "KILL", "-a", id).Run()
			}
			c.Ctr(list, "rm", "-f", id).Run()
		}
	}
	c.Stop(unix.SIGTERM)
}
