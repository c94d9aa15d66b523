package main

import (
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/dhow-containers/dhow/integration"
)

// A report is the comparison of one stage.
type report struct {
	rows           []row
	passed, better int   // of the tests that runc passes: passed here too; passed only here
	open, known    []row // passed by runc and not here: without and with a reason
	stale          []row // listed as an exception, and passed all the same
}

type row struct {
	key        string
	peer, ours verdict
	reason     string
}

// compare matches the tests by file and name.
func compare(peer, ours results, known map[string]string) report {
	var r report
	names := maps.Clone(peer)
	maps.Copy(names, ours)
	for _, key := range slices.Sorted(maps.Keys(names)) {
		w := row{key: key, peer: verdictOf(peer, key), ours: verdictOf(ours, key), reason: known[key]}
		r.rows = append(r.rows, w)
		switch {
		case w.peer == passed && w.ours == passed:
			r.passed++
			if w.reason != "" {
				r.stale = append(r.stale, w)
			}
		case w.peer == passed && w.reason != "":
			r.known = append(r.known, w)
		case w.peer == passed:
			r.open = append(r.open, w)
		case w.ours == passed:
			r.better++
		}
	}
	return r
}

func verdictOf(r results, key string) verdict {
	if t, ok := r[key]; ok {
		return t.Verdict
	}
	return missing
}

// print writes a line for each test, then what differs, then the counts.
func (r report) print(out io.Writer, stage string) {
	fmt.Fprintf(out, "\n%s: runc, dhow\n", stage)
	for _, w := range r.rows {
		fmt.Fprintf(out, "  %-4s  %-4s  %s\n", w.peer, w.ours, w.key)
	}
	for _, w := range r.known {
		fmt.Fprintf(out, "exception: %s (%s)\n", w.key, w.reason)
	}
	for _, w := range r.stale {
		fmt.Fprintf(out, "no exception any more: %s\n", w.key)
	}
	for _, w := range r.open {
		fmt.Fprintf(out, "runc passes, dhow does not: %s\n", w.key)
	}
	fmt.Fprintf(out, "%s: %d pass with both, %d only here, %d exceptions, %d to do\n",
		stage, r.passed, r.better, len(r.known), len(r.open))
}

// exceptions reads the table in integration/README.md: | file.bats: test | reason |.
func exceptions() (map[string]string, error) {
	tree, err := integration.Tree()
	if err != nil {
		return nil, err
	}
	text, err := os.ReadFile(filepath.Join(tree, "integration/README.md"))
	if err != nil {
		return nil, err
	}
	return parseExceptions(string(text)), nil
}

func parseExceptions(text string) map[string]string {
	known := map[string]string{}
	for l := range strings.Lines(text) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(l), "|"), "|")
		if len(cells) == 2 && strings.Contains(cells[0], ".bats: ") {
			known[strings.TrimSpace(cells[0])] = strings.TrimSpace(cells[1])
		}
	}
	return known
}
