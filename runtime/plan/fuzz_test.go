package plan

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// FuzzCompile compiles whatever package spec lets through: nothing panics, and what comes out is printable and keeps
// the rules, for a new container on three kinds of host and for an exec.
func FuzzCompile(f *testing.F) {
	files, err := filepath.Glob("testdata/*/config.json")
	if err != nil || len(files) == 0 {
		f.Fatal("no seeds", err)
	}
	for _, file := range append(files, "../../spec/testdata/everything.json", "../../spec/testdata/docker.json") {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, tweak := range []func(*Input){
			func(*Input) {},
			func(in *Input) {
				joinHybrid(in)
				in.Wait, in.NewKeyring, in.Filter, in.Preserved = true, true, fakeFilter(), 3
			},
			func(in *Input) { in.Host, in.NoPivot = Host{}, true },
		} {
			in, err := goldenInput(data)
			if err != nil || tooLong(data) {
				return
			}
			tweak(in)
			if p, err := Compile(in); err == nil {
				fuzzRules(t, p, in)
			} else {
				fuzzError(t, err)
			}
			if p, err := CompileExec(in, 42); err == nil {
				fuzzRules(t, p, in)
			} else {
				fuzzError(t, err)
			}
		}
	})
}

// tooLong keeps the fuzzer from configs whose Programs take long to check.
func tooLong(data []byte) bool { return len(data) > 16<<10 || bytes.Count(data, []byte("/")) > 400 }

func fuzzError(t *testing.T, err error) {
	if text := err.Error(); !strings.HasPrefix(text, "cannot ") {
		t.Errorf("the error is %q", text)
	}
}

func fuzzRules(t *testing.T, p *Program, in *Input) {
	if err := p.Verify(); err != nil {
		t.Fatal(err)
	}
	if err := p.WriteTable(io.Discard); err != nil {
		t.Fatal(err)
	}
	facts := newFacts(p, in, false)
	for _, rule := range rules {
		for _, problem := range rule.check(facts) {
			t.Errorf("%s: %s", rule.name, problem)
		}
	}
}
