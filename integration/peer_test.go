package integration

import (
	"os/exec"
	"strings"
	"testing"
)

// notRunc11 skips a test of something that runc has learned after 1.1, Debian 12's.
func notRunc11(t *testing.T, reason string) {
	t.Helper()
	needRoot(t)
	if underTest.kind != Runc {
		return
	}
	out, err := exec.Command(underTest.runtime, "--version").Output()
	must(t, err)
	if strings.HasPrefix(string(out), "runc version 1.1.") {
		skip(t, "not on runc 1.1: "+reason)
	}
}
