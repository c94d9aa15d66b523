package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/dhow-containers/dhow/integration"
)

// report is everything one stage found out. It is the JSON output.
type report struct {
	Stage   integration.Stage
	Rows    []row
	Private map[string]int64 // KiB held by a created container, by side
	Limits  map[string]int64 // KiB, by side; hybrid only
}

// row sums up one series.
type row struct {
	key
	N                      int
	Wall, WallMin, WallMax time.Duration // median, least, most
	CPU                    time.Duration // median
	RSS                    int64         // median, KiB
}

func (s series) rows() []row {
	var rows []row
	for k, samples := range s {
		wall := column(samples, func(s sample) time.Duration { return s.Wall })
		rows = append(rows, row{
			key: k, N: len(samples), Wall: median(wall), WallMin: wall[0], WallMax: wall[len(wall)-1],
			CPU: median(column(samples, func(s sample) time.Duration { return s.CPU })),
			RSS: median(column(samples, func(s sample) int64 { return s.RSS })),
		})
	}
	slices.SortFunc(rows, func(a, b row) int {
		return cmp.Or(cmp.Compare(a.Profile, b.Profile), cmp.Compare(verbOrder[a.Verb], verbOrder[b.Verb]), cmp.Compare(sideOrder[a.Side], sideOrder[b.Side]))
	})
	return rows
}

var (
	verbOrder = map[string]int{"run true": 0, "create": 1, "start": 2, "exec true": 3, "state": 4, "delete": 5, "--version": 6}
	sideOrder = map[string]int{"ours": 0, "runc": 1, "crun": 2, "empty Go program": 3}
)

func column[T cmp.Ordered](samples []sample, f func(sample) T) []T {
	var values []T
	for _, s := range samples {
		values = append(values, f(s))
	}
	slices.Sort(values)
	return values
}

func median[T cmp.Ordered](sorted []T) T { return sorted[len(sorted)/2] }

// find is the row of one side, or nil.
func (r *report) find(verb, side string, p profile) *row {
	i := slices.IndexFunc(r.Rows, func(row row) bool { return row.key == key{Verb: verb, Side: side, Profile: p} })
	if i < 0 {
		return nil
	}
	return &r.Rows[i]
}

// ratio of ours to another side's median wall time; 0 when one of them is missing.
func (r *report) ratio(verb, side string, p profile) float64 {
	ours, theirs := r.find(verb, "ours", p), r.find(verb, side, p)
	if ours == nil || theirs == nil {
		return 0
	}
	return float64(ours.Wall) / float64(theirs.Wall)
}

func (r *report) print(out io.Writer) error {
	fmt.Fprintf(out, "\n%s host\n", r.Stage)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "profile\tverb\tprogram\twall ms\tmin\tmax\tcpu ms\tpeak KiB\tn\tours/it\t")
	for _, row := range r.Rows {
		ratio := ""
		if row.Side != "ours" {
			ratio = fmt.Sprintf("%.2f", r.ratio(row.Verb, row.Side, row.Profile))
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%d\t%d\t%s\t\n", row.Profile, row.Verb, row.Side,
			ms(row.Wall), ms(row.WallMin), ms(row.WallMax), ms(row.CPU), row.RSS, row.N, ratio)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	r.printMemory(out, "private memory of a created container", r.Private)
	r.printMemory(out, "smallest memory limit for `run true`, 10 of 10", r.Limits)
	return nil
}

func (r *report) printMemory(out io.Writer, what string, values map[string]int64) {
	for _, side := range []string{"ours", "runc", "crun"} {
		if kib, ok := values[side]; ok {
			fmt.Fprintf(out, "%s: %s %d KiB\n", what, side, kib)
		}
	}
}

func ms(d time.Duration) string { return fmt.Sprintf("%.2f", float64(d)/float64(time.Millisecond)) }
