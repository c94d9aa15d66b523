package release

import (
	"runtime/debug"
	"testing"
)

func TestFrom(t *testing.T) {
	git := []debug.BuildSetting{{Key: "vcs", Value: "git"}, {Key: "vcs.revision", Value: "0123456789abcdef"}, {Key: "vcs.time", Value: "2026-01-02T03:04:05Z"}}
	for name, c := range map[string]struct {
		linked Info
		build  *debug.BuildInfo
		want   Info
	}{
		"nothing":          {want: Info{fallback, "unknown", "unknown"}},
		"linked":           {Info{"1.2.3", "abc", "now"}, &debug.BuildInfo{Main: debug.Module{Version: "v9.9.9"}, Settings: git}, Info{"1.2.3", "abc", "now"}},
		"go build":         {build: &debug.BuildInfo{Main: debug.Module{Version: "(devel)"}, Settings: git}, want: Info{fallback, "01234567", "2026-01-02T03:04:05Z"}},
		"go install":       {build: &debug.BuildInfo{Main: debug.Module{Version: "v1.4.0"}}, want: Info{"v1.4.0", "unknown", "unknown"}},
		"commit is linked": {Info{Commit: "abc"}, &debug.BuildInfo{Settings: git}, Info{fallback, "abc", "2026-01-02T03:04:05Z"}},
	} {
		if got := from(c.linked, c.build); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}
