package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// completionScript writes a shell's script and a "runtime" that lists two containers, first on PATH.
func completionScript(t *testing.T, shell string) (script string) {
	t.Helper()
	if _, err := exec.LookPath(shell); err != nil {
		t.Skip("needs " + shell)
	}
	code, out, errs := invoke(nil, "completion", shell)
	if code != 0 {
		t.Fatal(errs)
	}
	dir := t.TempDir()
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	t.Setenv("HOME", dir)
	fake := "#!/bin/sh\n[ \"$1\" = --root ] && echo under$2\n[ \"$*\" = 'list --quiet' ] && echo web && echo db\n"
	if err := os.WriteFile(filepath.Join(dir, "runtime"), []byte(fake), 0o755); err != nil {
		t.Fatal(err)
	}
	script = filepath.Join(dir, "script."+shell)
	if err := os.WriteFile(script, []byte(out), 0o644); err != nil {
		t.Fatal(err)
	}
	return script
}

func shellOutput(t *testing.T, shell, script string) string {
	t.Helper()
	out, err := exec.Command(shell, "-c", script).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", shell, err, out)
	}
	return strings.Join(strings.Fields(string(out)), " ")
}

func TestCompletionBash(t *testing.T) {
	script := completionScript(t, "bash")
	shellOutput(t, "bash", "bash -n "+script)
	for line, want := range map[string]string{
		"runtime st":                       "start state",
		"runtime --log-format ":            "text json",
		"runtime --log-format = j":         "json",
		"runtime start ":                   "web db",
		"runtime --root /x start ":         "under/x",
		"runtime delete -":                 "--force -f --help -h",
		"runtime --debug list --format ":   "table json",
		"runtime list -f t":                "table",
		"runtime completion ":              "bash zsh fish",
		"runtime exec -e A web ":           "",
		"runtime run --preserve-fds 3 --n": "--no-pivot --no-new-keyring --no-subreaper",
		"runtime help pl":                  "plan",
	} {
		words := strings.Split(line, " ")
		test := "source " + script + "; compopt() { :; }; COMP_WORDS=(" + quoteAll(words) + "); COMP_CWORD=$((${#COMP_WORDS[@]}-1)); _runtime; echo \"${COMPREPLY[@]}\""
		if got := shellOutput(t, "bash", test); got != want {
			t.Errorf("%q: %q, want %q", line, got, want)
		}
	}
}

func quoteAll(words []string) string { return "'" + strings.Join(words, "' '") + "'" }

func TestCompletionZsh(t *testing.T) {
	script := completionScript(t, "zsh")
	shellOutput(t, "zsh", "zsh -n "+script)
	shellOutput(t, "zsh", "autoload -U compinit; compinit -u -D; source "+script+"; [[ $_comps[runtime] == _runtime ]]")
}

func TestCompletionFish(t *testing.T) {
	script := completionScript(t, "fish")
	shellOutput(t, "fish", "fish --no-execute "+script)
	for line, want := range map[string]string{
		"runtime sta":              "start state",
		"runtime start ":           "db web",
		"runtime --root /x start":  "start",
		"runtime --root /x start ": "under/x",
		"runtime list --format ":   "json table",
		"runtime delete --fo":      "--force",
	} {
		out := shellOutput(t, "fish", "source "+script+"; complete -C '"+line+"' | string split -f1 \\t | sort")
		if out != want {
			t.Errorf("%q: %q, want %q", line, out, want)
		}
	}
}

func TestCompletionUnknownShell(t *testing.T) {
	refuse(t, "completion tcsh", 1, `cannot complete for shell "tcsh": want bash, zsh or fish (see 'runtime completion --help')`)
}
