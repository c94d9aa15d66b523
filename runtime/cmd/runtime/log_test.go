package main

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

//lint:ignore ST1005 an error as a badly behaved library might give it
var errTwoLines = errors.New("cannot start \"web\": first\nlast cause\n")

const oneLine = `cannot start "web": first; last cause`

func TestErrorText(t *testing.T) {
	_, _, errs := invoke(&fakeStore{err: errTwoLines}, "start", "web")
	if errs != "runtime: "+oneLine+"\n" {
		t.Errorf("got %q", errs)
	}
}

func TestErrorJSON(t *testing.T) {
	_, _, errs := invoke(&fakeStore{err: errTwoLines}, "--log-format", "json", "start", "web")
	checkJSONError(t, errs)
}

func TestErrorJSONFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log.json")
	_, _, errs := invoke(&fakeStore{err: errTwoLines}, "--log-format=json", "--log", path, "start", "web")
	if errs != "runtime: "+oneLine+"\n" {
		t.Errorf("stderr %q", errs)
	}
	checkJSONError(t, readFile(t, path))
}

func checkJSONError(t *testing.T, line string) {
	t.Helper()
	var got struct{ Level, Msg, Time string }
	if err := json.Unmarshal([]byte(line), &got); err != nil {
		t.Fatalf("%q: %v", line, err)
	}
	if got.Level != "error" || got.Msg != oneLine || got.Time == "" || strings.Count(line, "\n") != 1 {
		t.Errorf("got %q", line)
	}
}

func TestErrorTextFileAppends(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	for range 2 {
		invoke(&fakeStore{err: errTwoLines}, "--log", path, "start", "web")
	}
	lines := strings.Split(readFile(t, path), "\n")
	if len(lines) != 3 || !strings.HasPrefix(lines[1], "time=") ||
		!strings.HasSuffix(lines[1], ` level=error msg="cannot start \"web\": first; last cause"`) {
		t.Errorf("got %q", lines)
	}
}

func TestUsageErrorReachesLog(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	invoke(nil, "--log", path, "--nosuch")
	invoke(nil, "--log", path, "nosuch")
	if got := readFile(t, path); strings.Count(got, "level=error") != 2 {
		t.Errorf("got %q", got)
	}
}

func TestLogCannotBeOpened(t *testing.T) {
	code, _, errs := invoke(nil, "--log", filepath.Join(t.TempDir(), "no", "log"), "list")
	if code != 1 || !strings.HasPrefix(errs, "runtime: cannot open --log file: ") {
		t.Errorf("exit %d, %q", code, errs)
	}
}

func TestDebugTrace(t *testing.T) {
	dir := t.TempDir()
	for _, tt := range []struct{ args, want string }{
		{"--debug --log " + dir + "/on list", "level=debug msg=hello"},
		{"--log " + dir + "/off list", ""},
	} {
		args := strings.Fields(tt.args)
		a := &app{out: os.Stdout, err: os.Stderr, inherit: fourFiles, open: func(a *app) store {
			a.log.Debug("hello")
			return &fakeStore{infos: nil}
		}}
		a.out = new(strings.Builder)
		a.main(args)
		if got := readFile(t, a.logPath); !strings.Contains(got, tt.want) || (tt.want == "") != (got == "") {
			t.Errorf("%s: got %q", tt.args, got)
		}
	}
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
