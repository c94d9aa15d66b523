// Command testcount reads the output of `go test -json` and writes it for people: one line for each package;
// why tests were skipped; what failed, with its output; and a last line with the counts.
//
//	go test -json ./... | testcount
//	testcount [-again N] 'go test -json ./...' 'go test -C dir -json ./...'
//
// In the second form it runs the commands itself, one after the other; the last word of each names the packages.
// With -again, up to N tests that failed are run once more, each alone. One that then passes does not fail the whole, but
// its first output is printed and the last line names it. More than N failures are no accident:
// then none is run again, nor when a package ended before all its tests had run.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
)

// event is one line of `go test -json` (see `go doc test2json`).
type event struct {
	Action, Package, Test, Output, ImportPath string
	Elapsed                                   float64
}

func main() {
	again := flag.Int("again", 0, "run up to `N` failed tests once more")
	flag.Parse()
	c := newCounts()
	if err := c.all(flag.Args(), *again, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "testcount:", err)
		os.Exit(1)
	}
	c.report(os.Stdout)
	if c.failed > 0 {
		os.Exit(1)
	}
}

// all counts the tests of every command, or those that standard input tells of if there is no command.
func (c *counts) all(commands []string, again int, out io.Writer) error {
	if len(commands) == 0 {
		return c.read(os.Stdin, out)
	}
	for _, command := range commands {
		if err := c.run(strings.Fields(command), out); err != nil {
			return err
		}
	}
	if len(c.failures) > again || c.cutShort {
		return nil
	}
	for _, f := range c.failures {
		if err := c.runAgain(f, out); err != nil {
			return err
		}
	}
	return nil
}

// run counts the tests of one go command. A command that fails without a failed test counts as one.
func (c *counts) run(command []string, out io.Writer) error {
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Stderr = os.Stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	before := c.failed
	c.command = command
	if err := cmd.Start(); err != nil {
		return err
	}
	if err := c.read(stdout, out); err != nil {
		return err
	}
	if cmd.Wait() != nil && c.failed == before {
		c.failed++
		c.cutShort = true
	}
	return nil
}

// runAgain runs a failed test alone, and takes its failure back if it passes now.
func (c *counts) runAgain(f *failure, out io.Writer) error {
	fmt.Fprintf(out, "again, alone: %s of %s\n", f.test, f.pack)
	words := f.command[:len(f.command)-1]
	second := newCounts()
	if err := second.run(append(words[:len(words):len(words)], "-run", "^"+f.test+"$", f.pack), out); err != nil {
		return err
	}
	if second.failed > 0 {
		f.output = append(f.output, "and again, alone:\n")
		for _, g := range second.failures {
			f.output = append(f.output, g.output...)
		}
		return nil
	}
	c.failed -= f.count
	c.passed += f.count
	f.passedAlone = true
	return nil
}

type counts struct {
	passed, failed, skipped int
	command                 []string            // that is being read
	output                  map[string][]string // by package and test, until the verdict
	failures                []*failure
	cutShort                bool // a package ended before all its tests had run
	reasons                 []string
}

// failure is a failed test with all its subtests.
type failure struct {
	pack, test  string
	command     []string
	output      []string
	count       int // with failed subtests
	passedAlone bool
}

func newCounts() *counts { return &counts{output: map[string][]string{}} }

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
		f := c.failureOf(e)
		f.count++
		f.output = append(f.output, output...)
	case "skip":
		c.skipped++
		c.reasons = append(c.reasons, e.Test+": "+reason(output))
	}
}

// failureOf is the failure of a test, or of the test that it is a part of.
func (c *counts) failureOf(e event) *failure {
	test, _, _ := strings.Cut(e.Test, "/")
	for _, f := range c.failures {
		if f.pack == e.Package && f.test == test {
			return f
		}
	}
	f := &failure{pack: e.Package, test: test, command: c.command}
	c.failures = append(c.failures, f)
	return f
}

// verdictOfPackage counts a package only if it failed without a failing test: a panic, a failed set-up.
func (c *counts) verdictOfPackage(e event, output []string, out io.Writer) {
	if e.Action == "fail" {
		if !slices.ContainsFunc(c.failures, func(f *failure) bool { return f.pack == e.Package }) {
			c.failed++
		}
		if !slices.Contains(output, "FAIL\n") { // the last word of a program that ran all its tests
			c.cutShort = true
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
	var passedAlone []string
	for _, f := range c.failures {
		fmt.Fprintf(out, "failed: %s of %s\n%s", f.test, f.pack, strings.Join(f.output, ""))
		if f.passedAlone {
			passedAlone = append(passedAlone, f.test)
		}
	}
	fmt.Fprintf(out, "%d passed, %d failed, %d skipped\n", c.passed, c.failed, c.skipped)
	if len(passedAlone) > 0 {
		fmt.Fprintf(out, "passed only when run again, alone: %s\n", strings.Join(passedAlone, ", "))
	}
}
