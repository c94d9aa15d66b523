// Command benchengine measures dhowd beside dockerd, the two in turn within each round, by the same docker CLI. It needs
// root, the docker CLI and, for a peer, a dockerd; run it on an otherwise idle machine: `make bench-engine`.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/integration"
)

// A side is an engine, and the client that drives it.
type side struct {
	name string
	*integration.Engine
	*integration.Client
}

// bench has what all measurements share.
type bench struct {
	n       int
	sides   []side
	archive string // an image busybox
	report
}

const stageVariable = "DHOW_BENCH_ENGINE"

func main() {
	n := flag.Int("n", 30, "rounds")
	only := flag.String("only", "", "measurements, with commas: "+names())
	peer := flag.String("peer", "", "directory of a dockerd, with containerd, its shim and runc; default: where dockerd is in $PATH")
	many := flag.Int("many", 300, "containers for ps and for the memory of each")
	flag.Parse()
	if os.Getenv(stageVariable) == "" {
		os.Exit(again())
	}
	if err := run(*n, *many, *only, *peer); err != nil {
		fmt.Fprintln(os.Stderr, "benchengine:", err)
		os.Exit(1)
	}
}

// again runs this program in network and mount namespaces of its own.
func again() int {
	runtime.LockOSThread()
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Env = append(os.Environ(), stageVariable+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: unix.CLONE_NEWNS | unix.CLONE_NEWNET, Pdeathsig: syscall.SIGKILL}
	var exit *exec.ExitError
	if err := cmd.Run(); errors.As(err, &exit) {
		return max(exit.ExitCode(), 1)
	} else if err != nil {
		fmt.Fprintln(os.Stderr, "benchengine:", err)
		return 1
	}
	return 0
}

func run(n, many int, only, peer string) (err error) {
	runtimePath, err := integration.RuntimePath()
	if err != nil {
		return err
	}
	docker, err := exec.LookPath("docker")
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "dhowbe")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	b := &bench{n: n}
	if b.archive, err = integration.BusyboxImage(dir); err != nil {
		return err
	}
	if err := integration.RaiseLoopback(); err != nil {
		return err
	}
	if peer == "" {
		if path, err := exec.LookPath("dockerd"); err == nil {
			peer = filepath.Dir(path)
		}
	}
	engines := map[string]func(string) *integration.Engine{
		ours: func(dir string) *integration.Engine { return integration.NewDhowd(dir, filepath.Dir(runtimePath)) },
	}
	order := []string{ours}
	if peer != "" {
		engines[theirs] = func(dir string) *integration.Engine {
			return integration.NewDockerd(dir, peer, "--bridge", "dock0", "--userland-proxy=false")
		}
		order = append(order, theirs)
	}
	for _, name := range order {
		home := filepath.Join(dir, name)
		if err := os.Mkdir(home, 0o755); err != nil {
			return err
		}
		s := side{name: name, Engine: engines[name](home)}
		s.Client = &integration.Client{Program: docker, Socket: s.Engine.Socket(), Home: home}
		if name == theirs {
			if err := integration.AddBridge("dock0", "172.31.0.1/16"); err != nil {
				return err
			}
		}
		if err := s.Start(); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, s.RemoveAll(), s.Stop()) }()
		if _, err := s.Do("load", "-q", "-i", b.archive); err != nil {
			return err
		}
		b.sides = append(b.sides, s)
	}
	defer func() {
		if b.registry != nil {
			b.registry.Close()
		}
	}()
	if err := b.measure(only, many); err != nil {
		return err
	}
	return b.print(os.Stdout)
}
