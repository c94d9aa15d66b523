package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// rest is how long daemons are left alone before their memory is looked at.
const rest = 5 * time.Second

// idle is the memory of a daemon with nothing to do, with those that it has started (containerd).
func (b *bench) idle(s side, _, _ int) error {
	time.Sleep(rest)
	kib, err := b.memory(s)
	b.add("memory of the idle daemon (PSS), MiB", s, kib/1024)
	return err
}

// many looks at an engine that has many containers.
func (b *bench) many(s side, _, many int) error {
	before, err := b.memory(s)
	if err != nil {
		return err
	}
	begin := time.Now()
	for i := range many {
		if _, err := s.Do("run", "-d", "--network", "none", "--name", fmt.Sprint("many", i), "busybox", "sleep", "100000"); err != nil {
			return err
		}
	}
	b.add(fmt.Sprintf("run -d of %d containers, each, ms", many), s, ms(begin)/float64(many))
	time.Sleep(rest)
	after, err := b.memory(s)
	if err != nil {
		return err
	}
	b.add("memory for each container (PSS of daemon and shims), MiB", s, (after-before)/1024/float64(many))
	for range 10 {
		if err := b.timed(fmt.Sprintf("ps with %d containers", many), s, "ps", "-q"); err != nil {
			return err
		}
	}
	begin = time.Now()
	err = s.RemoveAll()
	b.add(fmt.Sprintf("rm -f of %d containers, each, ms", many), s, ms(begin)/float64(many))
	return err
}

// memory sums up the PSS of a daemon, of what it has started, and of the shims, in KiB: all whose command line or
// working directory is in the engine's directory.
func (b *bench) memory(s side) (float64, error) {
	dirs, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return 0, err
	}
	var sum float64
	for _, dir := range dirs {
		line, _ := os.ReadFile(dir + "/cmdline")
		place, _ := os.Readlink(dir + "/cwd")
		if !strings.Contains(string(line)+place, s.Engine.Dir) {
			continue
		}
		text, err := os.ReadFile(dir + "/smaps_rollup")
		if err != nil {
			continue // it has gone
		}
		_, after, _ := strings.Cut(string(text), "\nPss:")
		kib, err := strconv.ParseFloat(strings.Fields(after)[0], 64)
		if err != nil {
			return 0, err
		}
		sum += kib
	}
	return sum, nil
}
