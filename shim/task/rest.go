package task

import (
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// restAfter is how long after the last start of a process the shim gives the memory back that it took: from then on it
// most likely waits for a long time.
const restAfter = time.Second

// What the garbage collector lets the heap grow by, in percent of what lives, counting from 4 MiB at least. A start needs less than
// the first: it goes by without a collection, each of which leaves tens of KiB of the collector's own behind. While the
// shim rests, what it keeps matters more than what a collection costs.
const (
	busyGrowth = 400
	restGrowth = 20
)

// rest is how the shim, which waits for most of its life, takes little memory for it.
type rest struct {
	timer *time.Timer

	mu   sync.Mutex
	busy bool
}

func newRest() *rest {
	r := &rest{}
	r.timer = time.AfterFunc(restAfter, r.begin)
	r.disturb()
	return r
}

// disturb is for what is going to be started.
func (r *rest) disturb() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.busy {
		r.busy = true
		debug.SetGCPercent(busyGrowth)
	}
	r.timer.Reset(restAfter)
}

// begin gives memory back.
func (r *rest) begin() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.busy = false
	debug.SetGCPercent(restGrowth)
	debug.FreeOSMemory()
	releaseProgram()
}

// releaseProgram takes the pages of the program itself out of this process. They stay in the page cache, which is then free to
// drop them, and what is used of them again comes back by page faults.
func releaseProgram() {
	text, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		return
	}
	for line := range strings.Lines(string(text)) {
		// start-end perms offset device inode path (proc_pid_maps(5))
		f := strings.Fields(line)
		if len(f) < 6 || f[4] == "0" || f[1] != "r-xp" && f[1] != "r--p" {
			continue
		}
		from, to, _ := strings.Cut(f[0], "-")
		start, err := strconv.ParseUint(from, 16, 64)
		end, err2 := strconv.ParseUint(to, 16, 64)
		if err == nil && err2 == nil {
			_, _, _ = unix.Syscall(unix.SYS_MADVISE, uintptr(start), uintptr(end-start), unix.MADV_DONTNEED) // advice
		}
	}
}
