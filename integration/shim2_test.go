package integration

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// underContainerd2 are the tests of the shim that TestShim2 repeats.
var underContainerd2 = map[string]func(*testing.T){
	"Run": TestShimRun, "Output": TestShimOutput, "Exec": TestShimExec, "Pause": TestShimPause, "Terminal": TestShimTerminal,
	"Parallel": TestShimParallel, "Killed": TestShimKilled, "Events": TestShimEvents, "OutlivesContainerd": TestShimOutlivesContainerd,
	"OfAPod": TestShimOfAPod, "PublishToContainerd": TestShimPublishToContainerd, "ManyContainers": TestShimManyContainers,
}

const test2 = "TestShim2/"

// TestShim2 has the tests that run under Debian's containerd, 1.6, once more under containerd 2.
func TestShim2(t *testing.T) {
	t.Parallel()
	for name, test := range underContainerd2 {
		t.Run(name, test)
	}
}

// TestListOfShim2 keeps the list whole.
func TestListOfShim2(t *testing.T) {
	t.Parallel()
	function := regexp.MustCompile(`(?s)\nfunc TestShim(\w+)\(t \*testing\.T\) \{\n(.*?)\n\}\n`)
	files, err := filepath.Glob("shim*_test.go")
	must(t, err)
	for _, file := range files {
		for _, match := range function.FindAllStringSubmatch(readFile(t, file), -1) {
			if strings.Contains(match[2], "newShimHost(t)") && underContainerd2[match[1]] == nil {
				t.Errorf("TestShim%s is not in the list underContainerd2", match[1])
			}
		}
	}
}

// containerdPrograms gives the directory with containerd 2 to the tests that are part of TestShim2, and "", for $PATH,
// to all others.
func containerdPrograms(t *testing.T) string {
	t.Helper()
	if !strings.HasPrefix(t.Name(), test2) {
		for _, program := range []string{"containerd", "ctr"} {
			if _, err := exec.LookPath(program); err != nil {
				skip(t, "needs Debian's package containerd")
			}
		}
		return ""
	}
	return needContainerd2(t)
}

// needContainerd2 skips where containerd 2 is neither built nor to be built. On a CI machine that is an error.
func needContainerd2(t *testing.T) string {
	t.Helper()
	dir, err := Containerd2Programs()
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		skip(t, err.Error())
	}
	return dir
}
