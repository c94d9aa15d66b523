package main

import (
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/dhow-containers/dhow/integration"
)

// crunLimit is the smallest memory limit under which crun runs `true`, in KiB. It cannot be measured here:
// crun refuses hybrid hosts, and the unified view of one has no memory controller.
const crunLimit = 1024

// budget is a promise of the design, and what became of it.
type budget struct {
	What      string
	Got       float64
	Must, Aim float64
	Unit      string
	Verdict   string // PASS, PASS (aim), MISS or not measured
}

func budgets(reports map[integration.Stage]*report) []budget {
	hybrid, unified := reports[integration.Hybrid], reports[integration.Unified]
	list := []budget{
		{What: "run true, to crun, unified", Got: unified.ratio("run true", "crun", plain), Must: 1.0, Aim: 0.7},
		{What: "run true, to crun, unified, Docker's seccomp profile", Got: unified.ratio("run true", "crun", seccomp), Must: 1.0, Aim: 0.7},
		{What: "run true, to runc, hybrid", Got: hybrid.ratio("run true", "runc", plain), Must: 0.30, Aim: 0.2},
		{What: "run true, to runc, hybrid, Docker's seccomp profile", Got: hybrid.ratio("run true", "runc", seccomp), Must: 0.15, Aim: 0.1},
		{What: "run true, to runc, unified", Got: unified.ratio("run true", "runc", plain), Must: 0.30, Aim: 0.2},
		{What: "run true, to runc, unified, Docker's seccomp profile", Got: unified.ratio("run true", "runc", seccomp), Must: 0.15, Aim: 0.1},
		{What: "--version, to an empty Go program", Got: hybrid.ratio("--version", "empty Go program", plain), Must: 1.5, Aim: 1.2},
		{What: "smallest memory limit, run true 10 of 10", Got: float64(hybrid.Limits["ours"]), Must: crunLimit, Aim: 512, Unit: "KiB"},
		{What: "private memory of a created container", Got: float64(unified.Private["ours"]), Must: float64(unified.Private["crun"]), Aim: 300, Unit: "KiB"},
	}
	for i := range list {
		list[i].judge()
	}
	return list
}

func (b *budget) judge() {
	switch {
	case b.Got == 0 || b.Must == 0:
		b.Verdict = "not measured"
	case b.Got > b.Must:
		b.Verdict = "MISS"
	case b.Got <= b.Aim:
		b.Verdict = "PASS (aim)"
	default:
		b.Verdict = "PASS"
	}
}

func printBudgets(out io.Writer, list []budget) error {
	fmt.Fprintln(out, "\nbudgets")
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "what\tgot\tmust\taim\t")
	for _, b := range list {
		format := "%s\t%.2f %s\t%.2f\t%.2f\t%s\n"
		if b.Unit != "" {
			format = "%s\t%.0f %s\t%.0f\t%.0f\t%s\n"
		}
		fmt.Fprintf(w, format, b.What, b.Got, b.Unit, b.Must, b.Aim, b.Verdict)
	}
	return w.Flush()
}
