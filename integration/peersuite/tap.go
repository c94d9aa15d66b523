package main

import (
	"regexp"
	"strings"
)

// A verdict is what TAP says of a test.
type verdict string

const (
	passed  verdict = "pass"
	failed  verdict = "FAIL"
	skipped verdict = "skip"
	missing verdict = "-" // the test did not run
)

// A test is one line of TAP and the comment lines behind it.
type test struct {
	File, Name, Reason string
	Verdict            verdict
	Output             []string
}

type results map[string]test

func (t test) key() string { return t.File + ": " + t.Name }

// "ok 3 name in 27ms # skip reason"; bats puts the time before or behind the directive, by version.
var (
	line      = regexp.MustCompile(`^(not ok|ok) \d+ (.*)$`)
	directive = regexp.MustCompile(`^(.*?) # skip ?(.*)$`)
	took      = regexp.MustCompile(` in \d+(ms|sec)`)
)

// parseTAP reads the output of `bats --tap`.
func parseTAP(text string) []test {
	var tests []test
	for l := range strings.Lines(text) {
		l = strings.TrimRight(l, "\n")
		m := line.FindStringSubmatch(l)
		if m == nil {
			if rest, ok := strings.CutPrefix(l, "#"); ok && len(tests) > 0 {
				last := &tests[len(tests)-1]
				last.Output = append(last.Output, rest)
			}
			continue
		}
		tests = append(tests, parseLine(m[1], m[2]))
	}
	return tests
}

func parseLine(status, rest string) test {
	t := test{Verdict: passed}
	if status == "not ok" {
		t.Verdict = failed
	} else if m := directive.FindStringSubmatch(rest); m != nil {
		t.Verdict, t.Reason, rest = skipped, took.ReplaceAllString(m[2], ""), m[1]
	}
	t.Name = took.ReplaceAllString(rest, "")
	return t
}
