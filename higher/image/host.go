package image

import (
	"bufio"
	"io"
	"os"
	"strings"
	"sync"

	"github.com/containerd/platforms"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// Host is the platform of this machine, on amd64 with the level of its processor, as Docker has it: where a list has an
// image for amd64/v3 too, that one is taken by a machine that can run it.
var Host = sync.OnceValue(func() ocispec.Platform {
	p := platforms.DefaultSpec()
	if p.Architecture != "amd64" {
		return p
	}
	f, err := os.Open("/proc/cpuinfo")
	if err != nil {
		return p // the level that every processor has
	}
	defer f.Close()
	p.Variant = level(flagsOf(f))
	return p
})

// levels are the features that a level of amd64 has beyond that below it, by the kernel's names. See the psABI of x86-64.
var levels = []struct {
	name     string
	features []string
}{
	{"v2", []string{"cx16", "lahf_lm", "popcnt", "pni", "sse4_1", "sse4_2", "ssse3"}},
	{"v3", []string{"abm", "avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "movbe", "xsave"}},
	{"v4", []string{"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"}},
}

func level(has map[string]bool) string {
	name := "v1"
	for _, l := range levels {
		for _, feature := range l.features {
			if !has[feature] {
				return name
			}
		}
		name = l.name
	}
	return name
}

// flagsOf reads the features of the first processor in /proc/cpuinfo.
func flagsOf(r io.Reader) map[string]bool {
	has := map[string]bool{}
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		key, value, _ := strings.Cut(lines.Text(), ":")
		if strings.TrimSpace(key) != "flags" {
			continue
		}
		for _, feature := range strings.Fields(value) {
			has[feature] = true
		}
		break
	}
	return has
}
