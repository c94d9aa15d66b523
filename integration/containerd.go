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
	shims     string // directory of our shim
	process   *exec.Cmd
}

// NewContainerd starts containerd with dir, an empty directory with a short name, for its state. The directory shims
// holds our shim.
func NewContainerd(dir, namespace, shims string) (*Containerd, error) {
	c := &Containerd{Dir: dir, Namespace: namespace, shims: shims}
	config := fmt.Sprintf(`version = 2
root = %q
state = %q
disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.internal.v1.opt"]
[grpc]
  address = %q
`, dir+"/root", dir+"/state", c.Socket())
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
	c.process = exec.Command("containerd", "--config", filepath.Join(c.Dir, "config.toml"))
	c.process.Env = append(os.Environ(), "PATH="+c.shims+":"+os.Getenv("PATH"))
	c.process.Stdout, c.process.Stderr = log, log
	if err := c.process.Start(); err != nil {
		return err
	}
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
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

// Ctr prepares a call of ctr.
func (c *Containerd) Ctr(args ...string) *exec.Cmd {
	return exec.Command("ctr", append([]string{"--address", c.Socket(), "--namespace", c.Namespace}, args...)...)
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
