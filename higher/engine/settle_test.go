package engine

import (
	"strings"
	"testing"

	"github.com/dhow-containers/dhow/higher/config"
)

// What the daemon would not start with does not pass --validate either.
func TestCheck(t *testing.T) {
	for args, want := range map[string]string{
		"":                                "",
		"--userns-remap=no-such-user":     "--userns-remap no-such-user",
		"--seccomp-profile=/no-such-file": "/no-such-file",
	} {
		c, _, err := config.Parse(append([]string{"--validate"}, strings.Fields(args)...))
		if err != nil {
			t.Fatal(err)
		}
		if err := Check(c.Config); want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%q: %v", args, err)
		}
	}
}
