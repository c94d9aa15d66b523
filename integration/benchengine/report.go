package main

import (
	"fmt"
	"io"
	"slices"
	"text/tabwriter"

	"github.com/dhow-containers/dhow/integration"
)

// The names of the sides.
const (
	ours   = "dhowd"
	theirs = "dockerd"
)

// report collects samples.
type report struct {
	samples  map[string]map[string][]float64 // by what, by side
	order    []string
	discard  bool // this round is to warm up
	registry *integration.Registry
}

func (r *report) add(what string, s side, value float64) {
	if r.discard {
		return
	}
	if r.samples == nil {
		r.samples = map[string]map[string][]float64{}
	}
	if r.samples[what] == nil {
		r.samples[what] = map[string][]float64{}
		r.order = append(r.order, what)
	}
	r.samples[what][s.name] = append(r.samples[what][s.name], value)
}

// budgets are the ratios that DESIGN.md wants.
var budgets = map[string]string{
	"run --rm true, network bridge, ms":    "0.4",
	"run --rm true, network none, ms":      "0.4",
	"memory of the idle daemon (PSS), MiB": "0.5",
}

func (r *report) print(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "median of\trounds\tdhowd (min–max)\tdockerd (min–max)\tratio\tmust")
	for _, what := range r.order {
		own, peer := spread(r.samples[what][ours]), spread(r.samples[what][theirs])
		ratio := "-"
		if peer[1] > 0 {
			ratio = fmt.Sprintf("%.2f", own[1]/peer[1])
		}
		fmt.Fprintf(w, "%s\t%d\t%.1f (%.1f–%.1f)\t%.1f (%.1f–%.1f)\t%s\t%s\n", what, len(r.samples[what][ours]),
			own[1], own[0], own[2], peer[1], peer[0], peer[2], ratio, budgets[what])
	}
	return w.Flush()
}

// spread is the least, the median and the most.
func spread(list []float64) [3]float64 {
	if len(list) == 0 {
		return [3]float64{}
	}
	list = slices.Clone(list)
	slices.Sort(list)
	return [3]float64{list[0], list[len(list)/2], list[len(list)-1]}
}
