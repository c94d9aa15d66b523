package integration

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Kind tells the programs apart that share runc's command line.
type Kind string

// The kinds, as the first word of `--version` names them.
const (
	Dhow Kind = "dhow"
	Runc Kind = "runc"
	Crun Kind = "crun"
)

// KindOf asks a runtime for its version.
func KindOf(path string) (Kind, error) {
	out, err := exec.Command(path, "--version").Output()
	if err != nil {
		return "", fmt.Errorf("cannot run %s --version: %w", path, err)
	}
	switch word, _, _ := strings.Cut(string(out), " "); word {
	case "runc":
		return Runc, nil
	case "crun":
		return Crun, nil
	}
	return Dhow, nil
}

// modulePath is the module of the source tree; containerd2/ below has one of its own.
const modulePath = "github.com/dhow-containers/dhow"

// Tree is the top folder of the source tree: the nearest one above the working directory with our go.mod.
func Tree() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for ; dir != "/"; dir = filepath.Dir(dir) {
		data, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if err == nil && strings.HasPrefix(string(data), "module "+modulePath+"\n") {
			return dir, nil
		}
	}
	return "", errors.New("cannot find go.mod above the working directory")
}

// BuildStatic builds one of the helper programs below integration/ without cgo.
func BuildStatic(out, pkg string) error {
	tree, err := Tree()
	if err != nil {
		return err
	}
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", out, pkg)
	cmd.Dir, cmd.Env = tree, append(os.Environ(), "CGO_ENABLED=0")
	if text, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("cannot build %s: %w\n%s", pkg, err, text)
	}
	return nil
}

// RuntimePath is the program under test: $RUNTIME, or bin/runtime, which it builds first.
func RuntimePath() (string, error) {
	if path := os.Getenv("RUNTIME"); path != "" {
		return exec.LookPath(path)
	}
	tree, err := Tree()
	if err != nil {
		return "", err
	}
	cmd := exec.Command("make", "-s", "build")
	cmd.Dir = tree
	if text, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("cannot build bin/runtime: %w\n%s", err, text)
	}
	return filepath.Join(tree, "bin/runtime"), nil
}
