package manifest

import (
	"maps"
	"slices"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// platforms are the architectures of operating systems that docker lets one annotate an image with.
func platforms() map[string][]string {
	return map[string][]string{
		"darwin":    {"386", "amd64", "arm", "arm64"},
		"dragonfly": {"amd64"},
		"freebsd":   {"386", "amd64", "arm"},
		"linux":     {"386", "amd64", "arm", "arm64", "mips64", "mips64le", "ppc64le", "riscv64", "s390x"},
		"netbsd":    {"386", "amd64", "arm"},
		"openbsd":   {"386", "amd64", "arm"},
		"plan9":     {"386", "amd64"},
		"solaris":   {"amd64"},
		"windows":   {"386", "amd64"},
	}
}

func known(p *ocispec.Platform) bool { return slices.Contains(platforms()[p.OS], p.Architecture) }

func systems() []string { return slices.Sorted(maps.Keys(platforms())) }

func architectures() []string { return platforms()["linux"] }
