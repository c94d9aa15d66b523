package image

import (
	"strings"
	"testing"

	"github.com/containerd/platforms"
)

func TestHostLevel(t *testing.T) {
	v2 := "fpu cx16 lahf_lm popcnt pni sse4_1 sse4_2 ssse3"
	v3 := v2 + " abm avx avx2 bmi1 bmi2 f16c fma movbe xsave"
	for _, c := range []struct{ cpuinfo, want string }{
		{"", "v1"},
		{"model name\t: x\nflags\t\t: fpu\n", "v1"},
		{"flags\t\t: " + v2 + "\n", "v2"},
		{"flags\t\t: " + strings.Replace(v3, " cx16", "", 1) + "\n", "v1"},
		{"flags\t\t: " + v3 + "\n", "v3"},
		{"flags\t\t: " + v3 + " avx512f avx512bw avx512cd avx512dq avx512vl\n", "v4"},
		{"flags\t\t: fpu\n\nprocessor\t: 1\nflags\t\t: " + v2 + "\n", "v1"}, // the first one counts
	} {
		if got := level(flagsOf(strings.NewReader(c.cpuinfo))); got != c.want {
			t.Errorf("%q: %s, want %s", c.cpuinfo, got, c.want)
		}
	}
	if p := Host(); !platforms.Only(p).Match(platforms.DefaultSpec()) {
		t.Errorf("an image for any such machine does not fit %s", platforms.FormatAll(p))
	}
}
