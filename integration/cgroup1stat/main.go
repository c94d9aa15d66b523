// Command cgroup1stat prints what containerd's own library reads from the v1 control groups of a process:
// an opinion on the limits that is independent of the runtime that set them. A program of its own, so
// that the library's dependencies stay out of the tests.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strconv"

	"github.com/containerd/cgroups/v3/cgroup1"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "cgroup1stat:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("usage: cgroup1stat PID")
	}
	pid, err := strconv.Atoi(args[0])
	if err != nil {
		return err
	}
	group, err := cgroup1.Load(cgroup1.PidPath(pid))
	if err != nil {
		return err
	}
	stat, err := group.Stat(cgroup1.IgnoreNotExist)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(map[string]uint64{
		"memory": stat.GetMemory().GetUsage().GetLimit(),
		"pids":   stat.GetPids().GetLimit(),
	})
}
