// Command testcount reads the output of `go test -json` and writes it for people: what failed, with its
// output; why tests were skipped; one line for each package; and a last line with the counts.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

// event is one line of `go test -json` (see `go doc test2json`).
type event struct {
	Action, Package, Test, Output, ImportPath string
	Elapsed                                   float64
}

func main() {
	c := counts{output: map[string][]string{}, failedIn: map[string]bool{}}
	if err := c.read(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "testcount:", err)
		os.Exit(1)
	}
	c.report(os.Stdout)
	if c.failed > 0 {
		os.Exit(1)
	}
}

type counts struct {
	passed, failed, skipped int
	output                  map[string][]string // by package and test, until the verdict
	failedIn                map[string]bool     // packages with a failed test
	reasons                 []string
}

func (c *counts) read(in io.Reader, out io.Writer) error {
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var e event
		if json.Unmarshal(lines.Bytes(), &e) != nil {
			fmt.Fprintln(out, lines.Text()) // not an event: the go command itself speaks
			continue
		}
		c.take(e, out)
	}
	return lines.Err()
}

func (c *counts) take(e event, out io.Writer) {
	key := e.Package + " " + e.Test
	switch e.Action {
	case "output":
		c.output[key] = append(c.output[key], e.Output)
	case "build-output":
		fmt.Fprint(out, e.Output)
	case "build-fail":
		c.failed++
	case "pass", "fail", "skip":
		c.verdict(e, c.output[key], out)
		delete(c.output, key)
	}
}

func (c *counts) verdict(e event, output []string, out io.Writer) {
	if e.Test == "" {
		c.verdictOfPackage(e, output, out)
		return
	}
	switch e.Action {
	case "pass":
		c.passed++
	case "fail":
		c.failed++
		c.failedIn[e.Package] = true
		fmt.Fprint(out, strings.Join(output, ""))
	case "skip":
		c.skipped++
		c.reasons = append(c.reasons, e.Test+": "+reason(output))
	}
}

// verdictOfPackage counts a package only if it failed without a failing test: a panic, a failed set-up.
func (c *counts) verdictOfPackage(e event, output []string, out io.Writer) {
	if e.Action == "fail" {
		if !c.failedIn[e.Package] {
			c.failed++
		}
		fmt.Fprint(out, strings.Join(output, ""))
		return
	}
	for _, line := range output {
		if strings.HasPrefix(line, "ok ") {
			fmt.Fprint(out, line)
		}
	}
}

// reason is the last line that the test itself printed.
func reason(output []string) string {
	for _, line := range slices.Backward(output) {
		line = strings.TrimSpace(line)
		if line != "" && !strings.HasPrefix(line, "---") && !strings.HasPrefix(line, "===") {
			return line
		}
	}
	return "no reason given"
}

func (c *counts) report(out io.Writer) {
	if len(c.reasons) > 0 {
		fmt.Fprintln(out, "skipped:")
		for _, r := range c.reasons {
			fmt.Fprintln(out, "  "+r)
		}
	}
	fmt.Fprintf(out, "%d passed, %d failed, %d skipped\n", c.passed, c.failed, c.skipped)
}
