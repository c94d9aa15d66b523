package task_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	specs "github.com/opencontainers/runtime-spec/specs-go"

	"github.com/dhow-containers/dhow/higher/task"
)

// BenchmarkTrue is the life of a container that runs `true`, and its parts.
func BenchmarkTrue(b *testing.B) {
	w := newWorld(b)
	bundle := w.bundle("bench", "", func(s *specs.Spec) { s.Process.Args = []string{"true"} })
	parts, least := [4]time.Duration{}, [4]time.Duration{1 << 40, 1 << 40, 1 << 40, 1 << 40}
	for b.Loop() {
		mark := time.Now()
		lap := func(i int, err error) {
			w.must(err)
			passed := time.Since(mark)
			parts[i] += passed
			least[i] = min(least[i], passed)
			mark = time.Now()
		}
		t, err := w.Create(b.Context(), task.CreateOptions{ID: "bench", Bundle: bundle, Log: task.LogConfig{Path: filepath.Join(w.dir, "log")}})
		lap(0, err)
		lap(1, t.Start(b.Context()))
		_, err = t.Wait(b.Context())
		lap(2, err)
		_, err = t.Delete(b.Context())
		lap(3, err)
	}
	for i, name := range []string{"create", "start", "wait", "delete"} {
		b.ReportMetric(float64(parts[i].Microseconds())/float64(b.N)/1000, name+"-ms")
		b.ReportMetric(float64(least[i].Microseconds())/1000, "least-"+name+"-ms")
	}
}

// BenchmarkIdle is the memory of a shim whose container has run for a while, without what is its program's file.
func BenchmarkIdle(b *testing.B) {
	w := newWorld(b)
	const n = 5
	for range n {
		c := w.create("echo hello; sleep 1000", nil, nil)
		c.start()
	}
	time.Sleep(3 * time.Second) // a shim gives memory back a second after the start
	sums := map[string]int{}
	for _, pid := range w.shims() {
		text, err := os.ReadFile("/proc/" + pid + "/status")
		w.must(err)
		for line := range strings.Lines(string(text)) {
			var name string
			var value int
			if _, err := fmt.Sscan(line, &name, &value); err == nil {
				sums[name] += value
			}
		}
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(sums["RssAnon:"])/n, "anon-KiB")
	b.ReportMetric(float64(sums["VmHWM:"])/n, "peak-KiB")
	b.ReportMetric(float64(sums["Threads:"])/n, "threads")
}
