package main

import (
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

//go:embed csrc/spawn.c
var spawnSource string

//go:embed csrc/rlimit.c
var rlimitSource string

// tools are the C helpers, compiled for this run.
type tools struct {
	spawn  string // runs one program and says what it cost
	rlimit string // preloaded into crun
}

func buildTools(dir string) (tools, error) {
	t := tools{spawn: filepath.Join(dir, "spawn"), rlimit: filepath.Join(dir, "rlimit.so")}
	if err := compileC(spawnSource, t.spawn, "-static"); err != nil {
		return t, err
	}
	return t, compileC(rlimitSource, t.rlimit, "-shared", "-fPIC")
}

func compileC(source, out string, flags ...string) error {
	cmd := exec.Command("gcc", append(append([]string{"-O2", "-Wall"}, flags...), "-o", out, "-x", "c", "-")...)
	cmd.Stdin = strings.NewReader(source)
	if text, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("cannot compile %s: %w\n%s", filepath.Base(out), err, text)
	}
	return nil
}

// sample is what one run of a program cost.
type sample struct {
	Wall, CPU time.Duration
	RSS       int64 // peak, KiB, of the program or any child it waited for
}

// measure runs a program once. The clock runs in the helper, from before vfork to after wait4.
func (t tools) measure(env []string, argv ...string) (sample, error) {
	read, write, err := os.Pipe()
	if err != nil {
		return sample{}, err
	}
	defer read.Close()
	cmd := exec.Command(t.spawn, append([]string{"3"}, argv...)...)
	cmd.Env, cmd.ExtraFiles = env, []*os.File{write}
	err = cmd.Run()
	write.Close()
	if err != nil {
		return sample{}, fmt.Errorf("cannot measure %v: %w", argv, err)
	}
	var wall, user, system, rss, status int64
	if _, err := fmt.Fscan(read, &wall, &user, &system, &rss, &status); err != nil {
		return sample{}, err
	}
	if ws := syscall.WaitStatus(status); ws != 0 {
		return sample{}, fmt.Errorf("%v failed: exit %d signal %d", argv, ws.ExitStatus(), ws.Signal())
	}
	return sample{Wall: time.Duration(wall), CPU: time.Duration(user+system) * time.Microsecond, RSS: rss}, nil
}
