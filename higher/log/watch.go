package log

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// watch looks after the file that is written, and opens those that come after it as soon as they come, because rotation
// removes them.
type watch struct {
	path   string
	notify *os.File
	woken  chan struct{} // receives after changes; closed when there is nothing to watch any more

	mu    sync.Mutex
	last  *file   // the youngest that was opened, which is open still; nil: there is none yet
	queue []*file // that have come, the oldest first
}

// maxQueue bounds the files that are open for a reader who is slow.
const maxQueue = 64

func newWatch(path string) (*watch, error) {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return nil, os.NewSyscallError("inotify_init1", err)
	}
	w := &watch{path: path, notify: os.NewFile(uintptr(fd), "inotify"), woken: make(chan struct{}, 1)}
	dir := filepath.Dir(path)
	_, err = unix.InotifyAddWatch(fd, dir, unix.IN_MODIFY|unix.IN_CREATE|unix.IN_MOVED_TO|unix.IN_DELETE|unix.IN_DELETE_SELF|unix.IN_ONLYDIR)
	if err != nil {
		w.notify.Close()
		return nil, &os.PathError{Op: "watch", Path: dir, Err: err}
	}
	return w, nil
}

// run waits for changes until the watch is closed.
func (w *watch) run() {
	defer close(w.woken)
	buf := make([]byte, 4<<10)
	for {
		n, err := w.notify.Read(buf)
		if err != nil {
			return
		}
		changed, gone := w.look(buf[:n])
		if changed {
			select {
			case w.woken <- struct{}{}:
			default:
			}
		}
		if gone {
			return
		}
	}
}

// look reads events (inotify(7)).
func (w *watch) look(b []byte) (changed, gone bool) {
	for len(b) >= unix.SizeofInotifyEvent {
		mask, length := binary.NativeEndian.Uint32(b[4:]), binary.NativeEndian.Uint32(b[12:])
		name := strings.TrimRight(string(b[unix.SizeofInotifyEvent:][:length]), "\x00")
		b = b[unix.SizeofInotifyEvent+length:]
		switch {
		case mask&(unix.IN_DELETE_SELF|unix.IN_IGNORED) != 0, mask&unix.IN_DELETE != 0 && name == filepath.Base(w.path):
			gone = true // with the container: rotation leaves a file of this name at any moment
		case mask&unix.IN_Q_OVERFLOW != 0, name == filepath.Base(w.path):
			changed = true
			if mask&unix.IN_MODIFY == 0 {
				w.refresh()
			}
		}
	}
	return changed, gone
}

// refresh opens the files that have come since.
func (w *watch) refresh() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.queue) >= maxQueue {
		return
	}
	fresh, _ := walk(w.path, func(f *file) bool { return w.last != nil && w.last.is(f) }) // what cannot be opened is not there any more
	if len(fresh) > 0 {
		w.last = fresh[0]
	}
	slices.Reverse(fresh)
	w.queue = append(w.queue, fresh...)
}

// take returns the next file that has come; nil if none has.
func (w *watch) take() *file {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.queue) == 0 {
		return nil
	}
	f := w.queue[0]
	w.queue = w.queue[1:]
	return f
}

func (w *watch) close() {
	w.notify.Close()
	for range w.woken { // until run has ended
	}
	closeAll(w.queue)
}
