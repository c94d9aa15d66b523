package main

import (
	"strings"
	"testing"
)

const tap = `1..5
ok 1 runs in 12ms
not ok 2 fails in 1sec in 340ms
# (in test file a.bats, line 3)
#   'false' failed
ok 3 skips in 5ms # skip test requires cgroups_v2
ok 4 skips too # skip requires systemd >= v244 in 9ms
ok 5 untimed
`

func TestParseTAP(t *testing.T) {
	var got []string
	for _, x := range parseTAP(tap) {
		got = append(got, x.Name+"="+string(x.Verdict)+"/"+x.Reason)
	}
	want := "runs=pass/ fails=FAIL/ skips=skip/test requires cgroups_v2 skips too=skip/requires systemd >= v244 untimed=pass/"
	if s := strings.Join(got, " "); s != want {
		t.Errorf("got  %s\nwant %s", s, want)
	}
}

func TestExceptions(t *testing.T) {
	known := parseExceptions("| test | why |\n| --- | --- |\n| a.bats: x [y] | prints a pid |\n| other | thing |\n")
	if len(known) != 1 || known["a.bats: x [y]"] != "prints a pid" {
		t.Errorf("got %v", known)
	}
}

func TestCompare(t *testing.T) {
	side := func(verdicts ...verdict) results {
		r := results{}
		for i, v := range verdicts {
			x := test{File: "a.bats", Name: string(rune('a' + i)), Verdict: v}
			r[x.key()] = x
		}
		return r
	}
	//                both    known   to do   stale   better  neither
	peer := side(passed, passed, passed, passed, failed, failed)
	ours := side(passed, failed, skipped, passed, passed, skipped)
	r := compare(peer, ours, map[string]string{"a.bats: b": "why", "a.bats: d": "why"})
	var b strings.Builder
	r.print(&b, "hybrid")
	for _, line := range []string{
		"exception: a.bats: b (why)\n", "no exception any more: a.bats: d\n", "runc passes, dhow does not: a.bats: c\n",
		"hybrid: 2 pass with both, 1 only here, 1 exceptions, 1 to do\n",
	} {
		if !strings.Contains(b.String(), line) {
			t.Errorf("%q is missing from\n%s", line, b.String())
		}
	}
}
