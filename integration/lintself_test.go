package integration

import (
	"os"
	"path/filepath"
	"testing"
)

// A rule that finds nothing may be a rule that cannot find anything: each must catch its own example.
func TestLintRulesCatchTheirExamples(t *testing.T) {
	t.Parallel()
	for name, code := range map[string]string{
		"paths into a root file system":   `import "os"; func f() { os.Create("x") }`,
		"joins with a rootfs":             `import "path/filepath"; func f(c struct{ Rootfs string }) string { return filepath.Join(c.Rootfs, "etc") }`,
		"regexp in the runtime":           `import "regexp"; var _ = regexp.MustCompile`,
		"heavy imports in the runtime":    `import "net/http"; var _ = http.Get`,
		"grpc in the shim":                `import "google.golang.org/grpc/codes"; var _ = codes.OK`,
		"other programs doing our work":   `import "os/exec"; func f() { exec.Command("/sbin/iptables", "-L") }`,
		"unsafe outside the step machine": `import "unsafe"; var _ unsafe.Pointer`,
		"sleeping":                        `import later "time"; func f() { later.Sleep(1) }`,
		"printing from libraries":         `import "fmt"; func f() { fmt.Println() }`,
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "x.go")
			must(t, os.WriteFile(path, []byte("package x; "+code), 0o644))
			s, err := parseSource(dir, path)
			must(t, err)
			for _, rule := range lintRules {
				if rule.name == name && len(rule.find(s)) == 0 {
					t.Errorf("the rule does not find %s", code)
				}
			}
		})
	}
}
