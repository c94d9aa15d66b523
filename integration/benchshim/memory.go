package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// idle is how long a shim is left alone before its memory is looked at.
const idle = 3 * time.Second

// memory measures the shim of a container that sleeps.
func (b *bench) memory(s side, round int) error {
	id := fmt.Sprint("m", round)
	if err := b.ctr("run", "-d", "--null-io", "--runtime", s.runtime, "--rootfs", b.bundle.Rootfs(), id, "/bin/sleep", "1000"); err != nil {
		return err
	}
	time.Sleep(idle)
	pid, err := b.shimPid(id)
	if err == nil {
		err = b.addMemory(s, pid)
	}
	if e := b.ctr("tasks", "kill", "-s", "KILL", id); err == nil {
		err = e
	}
	_ = b.ctr("tasks", "rm", "-f", id) // its exit code is the container's
	if e := b.ctr("containers", "rm", id); err == nil {
		err = e
	}
	return err
}

// shimPid finds the server by its command line.
func (b *bench) shimPid(id string) (int, error) {
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		return 0, err
	}
	want := []byte("\x00-namespace\x00" + b.host.Namespace + "\x00-id\x00" + id + "\x00")
	for _, path := range files {
		if line, err := os.ReadFile(path); err == nil && bytes.Contains(line, want) {
			return strconv.Atoi(filepath.Base(filepath.Dir(path)))
		}
	}
	return 0, fmt.Errorf("cannot find the shim of %s", id)
}

func (b *bench) addMemory(s side, pid int) error {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		return err
	}
	for _, field := range []struct{ what, name string }{
		{"PSS of one idle shim, KiB", "Pss:"}, {"anonymous memory of one idle shim, KiB", "Pss_Anon:"},
	} {
		_, rest, _ := strings.Cut(string(text), "\n"+field.name)
		value, err := strconv.ParseFloat(strings.Fields(rest)[0], 64)
		if err != nil {
			return err
		}
		b.add(field.what, s, value)
	}
	tasks, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	b.add("threads of one idle shim", s, float64(len(tasks)))
	return err
}
