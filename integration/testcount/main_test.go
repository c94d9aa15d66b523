package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// module makes a module with one test file, and returns the command that runs it.
func module(t *testing.T, body string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"go.mod":    "module m\n\ngo 1.21\n",
		"m_test.go": "package m\n\nimport (\n\t\"os\"\n\t\"testing\"\n)\n\nvar _ = os.Args\n\n" + body,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return "go test -C " + dir + " -json -count=1 ./..."
}

const (
	good    = "func TestGood(t *testing.T) {}\n"
	bad     = "func TestBad(t *testing.T) { t.Error(\"of TestBad\") }\n"
	onceBad = "func TestOnce(t *testing.T) { t.Run(\"a\", func(t *testing.T) {\n\tif os.Mkdir(\"once\", 0o700) == nil { t.Error(\"of TestOnce\") }\n}) }\n"
	panics  = "func TestPanics(t *testing.T) { if os.Mkdir(\"once\", 0o700) == nil { panic(\"now\") } }\n"
)

func TestAgain(t *testing.T) {
	for _, c := range []struct {
		name, body string
		again      int
		failed     int
		passed     int
		want       string // in the report
	}{
		{"good", good, 2, 0, 1, "1 passed, 0 failed, 0 skipped\n"},
		{"passes alone", good + onceBad, 2, 0, 3, "of TestOnce\n"},
		{"is named", good + onceBad, 2, 0, 3, "passed only when run again, alone: TestOnce\n"},
		{"fails twice", good + bad, 2, 1, 1, "and again, alone:\n"},
		{"not asked for", good + onceBad, 0, 2, 1, "of TestOnce\n"},
		{"too many", good + onceBad + bad, 1, 3, 1, "of TestOnce\n"},
		{"one of two", onceBad + bad, 2, 1, 2, "passed only when run again, alone: TestOnce\n"},
		{"a panic", panics + good, 2, 1, 0, "panic: now"},
		{"no program", "func TestX(t *testing.T) { x }\n", 2, 1, 0, "0 passed, 1 failed, 0 skipped\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := newCounts()
			var out strings.Builder
			if err := got.all([]string{module(t, c.body)}, c.again, &out); err != nil {
				t.Fatal(err)
			}
			if got.failed != c.failed || got.passed != c.passed {
				t.Errorf("%d failed, %d passed; want %d and %d", got.failed, got.passed, c.failed, c.passed)
			}
			got.report(&out)
			if !strings.Contains(out.String(), c.want) {
				t.Errorf("no %q in\n%s", c.want, &out)
			}
		})
	}
}
