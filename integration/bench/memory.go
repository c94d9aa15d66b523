package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	specs "github.com/opencontainers/runtime-spec/specs-go"

	"github.com/dhow-containers/dhow/integration"
)

// privateMemory is what a created, not yet started container holds for itself, in KiB.
func (s *side) privateMemory(bundle string) (int64, error) {
	id := s.id()
	defer func() { _, _ = s.call("delete", "--force", id) }()
	if _, err := s.call("create", "--bundle", bundle, id); err != nil {
		return 0, err
	}
	st, err := s.state(id)
	if err != nil {
		return 0, err
	}
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", st.Pid))
	if err != nil {
		return 0, err
	}
	var total int64
	for line := range strings.Lines(string(data)) {
		var kib int64
		if name, rest, _ := strings.Cut(line, ":"); strings.HasPrefix(name, "Private_") {
			if _, err := fmt.Sscan(rest, &kib); err != nil {
				return 0, err
			}
			total += kib
		}
	}
	return total, nil
}

// Limits to try, in KiB, smallest first.
var limits = []int64{64, 96, 128, 192, 256, 320, 384, 448, 512, 640, 768, 1024, 1280, 1536, 2048, 3072, 4096, 5120, 6144, 8192, 12288, 16384, 32768, 65536}

// smallestLimit is the first memory limit, in KiB, under which `run true` works ten times of ten.
func (s *side) smallestLimit(dir string) (int64, error) {
	for _, kib := range limits {
		limit := kib << 10
		bundle, err := makeBundle(filepath.Join(dir, fmt.Sprintf("limit-%s-%d", s.name, kib)),
			integration.Resources(func(r *specs.LinuxResources) { r.Memory = &specs.LinuxMemory{Limit: &limit} }))
		if err != nil {
			return 0, err
		}
		if s.worksTenTimes(bundle) {
			return kib, nil
		}
	}
	return 0, fmt.Errorf("%s: `run true` fails under %d KiB still", s.name, limits[len(limits)-1])
}

func (s *side) worksTenTimes(bundle string) bool {
	for range 10 {
		if !s.worksOnce(bundle) {
			return false
		}
	}
	return true
}

// worksOnce gives the runtime five seconds: some hang when the kernel kills a helper of theirs.
func (s *side) worksOnce(bundle string) bool {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	id := s.id()
	argv := s.argv("run", "--bundle", bundle, id)
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Env = s.env
	if cmd.Run() == nil {
		return true
	}
	_, _ = s.call("delete", "--force", id) // it may be gone already
	return false
}
