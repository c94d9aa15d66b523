package stdio

import (
	"context"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// openAt opens a file that is there.
func openAt(path string, flags int) (*os.File, error) {
	for {
		fd, err := unix.Open(path, flags|unix.O_CLOEXEC|unix.O_NOCTTY, 0)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return nil, &os.PathError{Op: "open", Path: path, Err: err}
		}
		return os.NewFile(uintptr(fd), path), nil
	}
}

// openWriter opens a fifo for writing once it has a reader: without one, what is written by a process that ends at
// once would be gone before the client comes. Anything else is opened for appending.
func openWriter(ctx context.Context, path string) (*os.File, error) {
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		return nil, &os.PathError{Op: "stat", Path: path, Err: err}
	}
	if st.Mode&unix.S_IFMT != unix.S_IFIFO {
		return openAt(path, unix.O_WRONLY|unix.O_APPEND)
	}
	f, err := openAt(path, unix.O_WRONLY|unix.O_NONBLOCK)
	if e, ok := err.(*os.PathError); !ok || e.Err != unix.ENXIO {
		return f, err
	}
	return awaitReader(ctx, path)
}

// awaitReader lets open(2) wait for a reader of the fifo.
func awaitReader(ctx context.Context, path string) (*os.File, error) {
	type result struct {
		f   *os.File
		err error
	}
	opened := make(chan result, 1)
	go func() {
		f, err := openAt(path, unix.O_WRONLY)
		if err == nil {
			err = unix.SetNonblock(int(f.Fd()), true)
		}
		if err == nil { // a new file, because the old one does not know that it can be waited for
			var fd int
			if fd, err = unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 3); err == nil {
				f.Close()
				f = os.NewFile(uintptr(fd), path)
			}
		}
		opened <- result{f, err}
	}()
	select {
	case r := <-opened:
		return r.f, r.err
	case <-ctx.Done():
	}
	// A reader of our own ends the wait.
	if reader, err := openAt(path, unix.O_RDONLY|unix.O_NONBLOCK); err == nil {
		defer reader.Close()
		if r := <-opened; r.err == nil {
			r.f.Close()
		}
	}
	return nil, &os.PathError{Op: "open", Path: path, Err: ctx.Err()}
}

// openLog opens, or makes, a log file and the directories above it.
func openLog(path string) (*os.File, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, err
	}
	return os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o644)
}

func isFifo(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeNamedPipe != 0
}

// newPipe makes a pipe; its read end can be waited for.
func newPipe(o Options) (r, w *os.File, err error) {
	var p [2]int
	if err := unix.Pipe2(p[:], unix.O_CLOEXEC); err != nil {
		return nil, nil, os.NewSyscallError("pipe2", err)
	}
	w = os.NewFile(uintptr(p[1]), "pipe")
	if err = unix.SetNonblock(p[0], true); err == nil && (o.UID != 0 || o.GID != 0) {
		err = unix.Fchown(p[1], o.UID, o.GID)
	}
	if err != nil {
		unix.Close(p[0])
		w.Close()
		return nil, nil, err
	}
	return os.NewFile(uintptr(p[0]), "pipe"), w, nil
}

// control calls f with the descriptor of a file that stays in non-blocking mode.
func control(file *os.File, f func(fd int) error) error {
	raw, err := file.SyscallConn()
	if err != nil {
		return err
	}
	var result error
	if err := raw.Control(func(fd uintptr) { result = f(int(fd)) }); err != nil {
		return err
	}
	return result
}
