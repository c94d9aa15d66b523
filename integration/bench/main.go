// Command bench measures the runtime beside its peers, the programs in turn within each round, and says
// whether the design's budgets are kept. It needs root, gcc, and the peers installed; run it on an
// otherwise idle machine: `make bench`, or `go run ./integration/bench --n 50 --format json`.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"

	"github.com/dhow-containers/dhow/integration"
)

type options struct {
	n      int
	format string
	ours   string
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run() error {
	var o options
	flag.IntVar(&o.n, "n", 50, "samples of each verb, at least 30 for figures to quote")
	flag.StringVar(&o.format, "format", "table", "table or json")
	flag.Parse()
	if o.format != "table" && o.format != "json" {
		return fmt.Errorf("cannot print as %q: table or json", o.format)
	}
	if os.Getuid() != 0 {
		return errors.New("needs root: it runs containers")
	}
	var err error
	if o.ours, err = integration.RuntimePath(); err != nil {
		return err
	}
	if stage := integration.CurrentStage(); stage != integration.Host {
		return runStage(stage, o)
	}
	return runBoth(o)
}

// runBoth measures in either view of the host, each in a process of its own, and sums up.
func runBoth(o options) error {
	load, _ := os.ReadFile("/proc/loadavg")
	fmt.Fprintf(os.Stderr, "load of the machine: %s", load)
	reports := map[integration.Stage]*report{}
	for _, stage := range []integration.Stage{integration.Hybrid, integration.Unified} {
		r, err := inStage(stage, o)
		if err != nil {
			return fmt.Errorf("%s host: %w", stage, err)
		}
		reports[stage] = r
	}
	list := budgets(reports)
	if o.format == "json" {
		return encode(os.Stdout, struct {
			Reports map[integration.Stage]*report
			Budgets []budget
		}{reports, list})
	}
	for _, stage := range []integration.Stage{integration.Hybrid, integration.Unified} {
		if err := reports[stage].print(os.Stdout); err != nil {
			return err
		}
	}
	return printBudgets(os.Stdout, list)
}

func inStage(stage integration.Stage, o options) (*report, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	runtime.LockOSThread() // the child dies with this thread
	defer runtime.UnlockOSThread()
	cmd := integration.InStage(exec.Command(self, os.Args[1:]...), stage)
	cmd.Env = append(cmd.Env, "RUNTIME="+o.ours)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, err
	}
	r := &report{}
	return r, json.NewDecoder(strings.NewReader(string(out))).Decode(r)
}

// runStage is the child: it measures and prints one report.
func runStage(stage integration.Stage, o options) error {
	if err := integration.EnterStage(); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "dhow-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	state, err := os.MkdirTemp("/dev/shm", "dhow-bench-") // a tmpfs, as /run is, where runtimes keep their state
	if err != nil {
		return err
	}
	defer os.RemoveAll(state)
	b := &bench{samples: series{}}
	if b.tools, err = buildTools(dir); err != nil {
		return err
	}
	empty, err := buildEmpty(dir)
	if err != nil {
		return err
	}
	b.sides = sides(o.ours, b.tools, stage, state)
	r := &report{Stage: stage, Private: map[string]int64{}, Limits: map[string]int64{}}
	if err := b.measureAll(r, dir, o.n, empty); err != nil {
		return err
	}
	r.Rows = b.samples.rows()
	return encode(os.Stdout, r)
}

func (b *bench) measureAll(r *report, dir string, n int, empty string) error {
	for _, p := range []profile{plain, seccomp} {
		made, err := makeBundles(dir, p)
		if err != nil {
			return err
		}
		fmt.Fprintf(os.Stderr, "%s host, %s: %d rounds\n", r.Stage, p, n)
		if err := b.measureProfile(p, made, n); err != nil {
			return err
		}
		if p == plain {
			if err := b.measureMemory(r, made, dir); err != nil {
				return err
			}
		}
	}
	return b.measureVersions(empty, n)
}

func (b *bench) measureMemory(r *report, made bundles, dir string) (err error) {
	for _, s := range b.sides {
		if r.Private[s.name], err = s.privateMemory(made.brief); err != nil {
			return err
		}
		if r.Stage != integration.Hybrid {
			continue // no memory controller in the unified view of a hybrid host
		}
		if r.Limits[s.name], err = s.smallestLimit(dir); err != nil {
			return err
		}
	}
	return nil
}

func encode(out io.Writer, v any) error {
	e := json.NewEncoder(out)
	e.SetIndent("", "  ")
	return e.Encode(v)
}
