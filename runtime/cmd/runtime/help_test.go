package main

import (
	"slices"
	"strings"
	"testing"
)

func TestHelpGolden(t *testing.T) {
	_, out, _ := invoke(nil, "--help")
	golden(t, "help.txt", out)
	for _, name := range verbNames() {
		code, out, errs := invoke(nil, name, "--help")
		if code != 0 || errs != "" {
			t.Errorf("%s --help: exit %d, %s", name, code, errs)
		}
		golden(t, "help-"+name+".txt", out)
	}
}

func TestHelpSpellings(t *testing.T) {
	_, want, _ := invoke(nil, "--help")
	for _, line := range []string{"", "-h", "help", "h"} {
		if code, out, _ := invoke(nil, strings.Fields(line)...); code != 0 || out != want {
			t.Errorf("%q: exit %d, differs from --help", line, code)
		}
	}
	_, want, _ = invoke(nil, "run", "-h")
	if _, out, _ := invoke(nil, "help", "run"); out != want {
		t.Error("help run differs from run -h")
	}
}

// TestHelpNamesEveryVerb keeps the words that complete "help" in step with the table.
func TestHelpNamesEveryVerb(t *testing.T) {
	want := slices.DeleteFunc(verbNames(), func(n string) bool { return n == "help" })
	if got := helpVerb().words; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestHelpFitsTerminal(t *testing.T) {
	for _, v := range verbs() {
		for line := range strings.Lines(v.about) {
			if len(line) > 110 {
				t.Errorf("%s: %d columns: %s", v.name, len(line), line)
			}
		}
	}
}

func TestFlagNamesUnique(t *testing.T) {
	for _, v := range verbs() {
		seen := map[string]bool{"help": true, "h": true}
		for _, f := range v.new().flags() {
			if seen[f.Name] || f.Short != "" && seen[f.Short] {
				t.Errorf("%s: --%s twice", v.name, f.Name)
			}
			seen[f.Name], seen[f.Short] = true, true
			if (f.Arg == "") != f.IsBool() {
				t.Errorf("%s: --%s: Arg %q does not fit its kind", v.name, f.Name, f.Arg)
			}
		}
	}
}
