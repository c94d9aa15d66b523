package container

import (
	"os"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"testing"

	"golang.org/x/sys/unix"
)

// A new network namespace is another one, and no thread stays in it. The first thread, by which others know the process,
// is not in it for a moment.
func TestNewNetwork(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	own, err := os.Readlink("/proc/self/ns/net")
	if err != nil {
		t.Fatal(err)
	}
	var done atomic.Bool
	watched := make(chan string)
	go func() {
		for !done.Load() {
			if now, err := os.Readlink("/proc/self/ns/net"); err != nil || now != own {
				watched <- now
				return
			}
		}
		watched <- ""
	}()
	for range 20 {
		fds := make(chan int)
		for range 2 * runtime.NumCPU() {
			go func() {
				fd, err := newNetwork()
				if err != nil {
					t.Error(err)
				}
				fds <- fd
			}()
		}
		for range 2 * runtime.NumCPU() {
			fd := <-fds
			var theirs, ours unix.Stat_t
			if unix.Fstat(fd, &theirs) != nil || unix.Stat("/proc/self/ns/net", &ours) != nil || theirs.Ino == ours.Ino {
				t.Error("it is not a new one")
			}
			unix.Close(fd)
		}
	}
	done.Store(true)
	if now := <-watched; now != "" {
		t.Errorf("the process was seen in %s, not %s", now, own)
	}
	tasks, _ := filepath.Glob("/proc/self/task/*/ns/net")
	for _, name := range tasks {
		if now, err := os.Readlink(name); err == nil && now != own {
			t.Errorf("%s is %s, not %s", name, now, own)
		}
	}
}
