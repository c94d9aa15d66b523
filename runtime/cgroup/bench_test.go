package cgroup_test

import (
	"os"
	"os/exec"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/dhow-containers/dhow/runtime/cgroup"
	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

func BenchmarkDetect(b *testing.B) {
	for b.Loop() {
		detect(b)
	}
}

// BenchmarkCompile includes the facts that a Host reads when needed.
func BenchmarkCompile(b *testing.B) {
	h := detect(b)
	for b.Loop() {
		h.Own = nil
		must(cgroup.Compile(h, "", "c1", nil))
	}
}

// BenchmarkCreateDelete reports what each half costs. The default devices make
// the filter part of it; allowing all leaves it out.
func BenchmarkCreateDelete(b *testing.B) {
	needRoot(b)
	all := &specs.LinuxResources{Devices: []specs.LinuxDeviceCgroup{{Allow: true, Access: "rwm"}}}
	for name, r := range map[string]*specs.LinuxResources{"default": nil, "all-devices": all} {
		h := detect(b)
		p := must(cgroup.Compile(h, newPath(), "c1", r))
		b.Run(name+"/create", func(b *testing.B) {
			for b.Loop() {
				g, err := p.Create()
				if err != nil {
					b.Fatal(err)
				}
				b.StopTimer()
				if err := g.Delete(); err != nil {
					b.Fatal(err)
				}
				b.StartTimer()
			}
		})
		b.Run(name+"/both", func(b *testing.B) {
			for b.Loop() {
				g, err := p.Create()
				if err != nil {
					b.Fatal(err)
				}
				if err := g.Delete(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkMove compares the ways into a version 1 group: a thread that moves
// itself through the tasks file, and a parent that moves a process. There is a
// pause before each move: the kernel's lock stays cheap for writers that follow
// each other closely, which container starts do not.
func BenchmarkMove(b *testing.B) {
	needRoot(b)
	h := detect(b)
	if h.V1["pids"] == "" {
		b.Skip("needs the pids controller of cgroup v1")
	}
	to := [2]*cgroup.Group{create(b, h, newPath(), nil), create(b, h, newPath(), nil)}
	move := func(b *testing.B, file, value string) {
		took := make([]time.Duration, b.N)
		for i := range took {
			time.Sleep(40 * time.Millisecond)
			start := time.Now()
			write(b, to[i%2].Paths["pids"]+file, value)
			took[i] = time.Since(start)
		}
		slices.Sort(took)
		b.ReportMetric(0, "ns/op")
		b.ReportMetric(float64(took[len(took)/2].Microseconds()), "median-µs")
		b.ReportMetric(float64(took[len(took)-1].Microseconds()), "max-µs")
	}
	b.Run("self-through-tasks", func(b *testing.B) {
		onDoomedThread(func() { move(b, "/tasks", "0") })
	})
	for _, file := range []string{"/cgroup.procs", "/tasks"} {
		b.Run("parent-through-"+file[1:], func(b *testing.B) {
			cmd := exec.Command("/bin/sleep", "1000")
			if err := cmd.Start(); err != nil {
				b.Fatal(err)
			}
			defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()
			move(b, file, itoa(cmd.Process.Pid))
		})
	}
}

// onDoomedThread runs f on a thread that ends with it, so that nothing has to be
// moved back. That cannot be the process's first thread.
func onDoomedThread(f func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread()
		if unix.Gettid() == unix.Getpid() {
			defer runtime.UnlockOSThread()
			onDoomedThread(f)
			return
		}
		f()
	}()
	<-done
}

func write(b *testing.B, file, value string) {
	fd, err := unix.Open(file, os.O_WRONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		b.Fatal(err)
	}
	defer unix.Close(fd)
	if _, err := unix.Write(fd, []byte(value)); err != nil {
		b.Fatal(err)
	}
}
