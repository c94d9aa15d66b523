package mount

import (
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

// OnThread calls f on a thread that ends with it, and so may change what belongs to it. To be called by a goroutine that
// ends then, too. The main thread would not, and what it has would be taken for the
// whole process's (/proc/self): while it is locked here, another goroutine gets another thread.
func OnThread(f func()) {
	runtime.LockOSThread() // and not unlocked: so the thread ends with the goroutine
	if unix.Gettid() != os.Getpid() {
		f()
		return
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread()
		f()
	}()
	<-done
	runtime.UnlockOSThread()
}
