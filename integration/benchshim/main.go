// Command benchshim measures our shim beside containerd-shim-runc-v2 with runc, the two in turn within each round, under
// a containerd of its own and by calls of the task service. It needs root and Debian's containerd; run it on an otherwise
// idle machine: `make bench-shim`.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/dhow-containers/dhow/integration"
)

// A side is one of the two shims.
type side struct {
	name    string
	runtime string // for containerd
	shim    string // program
}

// bench has what all measurements share.
type bench struct {
	n       int
	dir     string
	bundle  *integration.Bundle
	host    *integration.Containerd
	sides   []side
	samples map[string]map[string][]float64 // by what, by side
	order   []string
}

func main() {
	n := flag.Int("n", 30, "rounds")
	only := flag.String("only", "", "one of the measurements: run, parallel, calls or memory")
	flag.Parse()
	if err := run(*n, *only); err != nil {
		fmt.Fprintln(os.Stderr, "benchshim:", err)
		os.Exit(1)
	}
}

func run(n int, only string) error {
	if os.Getuid() != 0 {
		return errors.New("needs root: it runs containers")
	}
	runtime, err := integration.RuntimePath()
	if err != nil {
		return err
	}
	peer, err := exec.LookPath("containerd-shim-runc-v2")
	if err != nil {
		return err
	}
	ours := filepath.Join(filepath.Dir(runtime), "containerd-shim-dhow-v2")
	b := &bench{n: n, samples: map[string]map[string][]float64{}, sides: []side{
		{"dhow", integration.ShimRuntime, ours}, {"runc", integration.RuncRuntime, peer}}}
	if b.dir, err = os.MkdirTemp("", "dhowbs"); err != nil {
		return err
	}
	defer os.RemoveAll(b.dir)
	if b.bundle, err = integration.NewBundle(b.dir); err != nil {
		return err
	}
	if b.host, err = integration.NewContainerd(b.dir, fmt.Sprint("dhowbench", os.Getpid()), filepath.Dir(runtime)); err != nil {
		return err
	}
	defer b.host.Close()
	if err := b.measure(only); err != nil {
		return err
	}
	return b.print()
}

// measure goes through all measurements; the first round of each is thrown away.
func (b *bench) measure(only string) error {
	for _, m := range []struct {
		name   string
		rounds int
		f      func(side, int) error
	}{{"run", b.n, b.ctrRun}, {"parallel", max(b.n/10, 3), b.parallel}, {"calls", b.n, b.calls}, {"memory", max(b.n/10, 3), b.memory}} {
		if only != "" && only != m.name {
			continue
		}
		for round := range m.rounds + 1 {
			for _, s := range b.sides {
				if err := m.f(s, round); err != nil {
					return fmt.Errorf("%s: %w", s.name, err)
				}
			}
			if round == 0 {
				for _, what := range b.samples {
					for name, list := range what {
						if len(list) == 1 {
							delete(what, name)
						}
					}
				}
			}
		}
	}
	return nil
}

func (b *bench) add(what string, s side, value float64) {
	if b.samples[what] == nil {
		b.samples[what] = map[string][]float64{}
		b.order = append(b.order, what)
	}
	b.samples[what][s.name] = append(b.samples[what][s.name], value)
}

func ms(since time.Time) float64 { return float64(time.Since(since).Microseconds()) / 1000 }

// run runs ctr and makes its output part of an error.
func (b *bench) ctr(args ...string) error {
	if out, err := b.host.Ctr(args...).CombinedOutput(); err != nil {
		return fmt.Errorf("ctr %v: %w: %s", args, err, out)
	}
	return nil
}

func (b *bench) ctrTrue(s side, id string) error {
	return b.ctr("run", "--rm", "--runtime", s.runtime, "--rootfs", b.bundle.Rootfs(), id, "/bin/true")
}

func (b *bench) ctrRun(s side, round int) error {
	begin := time.Now()
	err := b.ctrTrue(s, fmt.Sprint("r", round))
	b.add("ctr run --rm true, ms", s, ms(begin))
	return err
}

// parallel runs 20 containers at once.
func (b *bench) parallel(s side, round int) error {
	const width = 20
	begin, results := time.Now(), make(chan error, width)
	for i := range width {
		go func() { results <- b.ctrTrue(s, fmt.Sprint("p", round, "-", i)) }()
	}
	var err error
	for range width {
		err = errors.Join(err, <-results)
	}
	b.add("20 × ctr run --rm true at once, ms", s, ms(begin))
	return err
}

func median(list []float64) float64 {
	if len(list) == 0 {
		return 0
	}
	list = slices.Clone(list)
	slices.Sort(list)
	return list[len(list)/2]
}

func (b *bench) print() error {
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "median of\trounds\tdhow\trunc\tratio\tmust")
	for _, what := range b.order {
		ours, theirs := median(b.samples[what]["dhow"]), median(b.samples[what]["runc"])
		must := map[string]string{"ctr run --rm true, ms": "0.5", "PSS of one idle shim, KiB": "0.6"}[what]
		fmt.Fprintf(w, "%s\t%d\t%.1f\t%.1f\t%.2f\t%s\n", what, len(b.samples[what]["dhow"]), ours, theirs, ours/theirs, must)
	}
	return w.Flush()
}
