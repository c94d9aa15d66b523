//go:build embedseccomp

package seccomp

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/runtime/seccomp/internal/compiled"
)

// maxMessage bounds what is read of the program's error message, in bytes.
const maxMessage = 4096

// runProgram runs an executable with input as its standard input and returns its standard output.
// All three streams are files in memory: nothing has to be copied while it runs, and nothing can block.
func runProgram(program string, input []byte, scratch string) ([]byte, error) {
	var streams [3]*os.File
	for i, name := range []string{"profile", "filter", "message"} {
		f, err := memfile("seccomp-"+name, unix.MFD_NOEXEC_SEAL)
		if err != nil {
			return nil, fmt.Errorf("cannot run the seccomp compiler: %w", err)
		}
		defer f.Close() // memory
		streams[i] = f
	}
	if _, err := streams[0].WriteAt(input, 0); err != nil {
		return nil, fmt.Errorf("cannot hand over the profile: %w", err)
	}
	status, err := execute(program, streams, scratch)
	if err != nil {
		return nil, fmt.Errorf("cannot run the seccomp compiler: %w", err)
	}
	if status.Exited() && status.ExitStatus() == 0 {
		blob, err := content(streams[1], compiled.MaxSize)
		if err != nil || len(blob) > 0 {
			return blob, err
		}
	}
	return nil, failure(status, streams[2])
}

// failure turns the program's end into an error: its message, if it left one.
func failure(status syscall.WaitStatus, stderr *os.File) error {
	message, err := content(stderr, maxMessage)
	if err != nil {
		return err
	}
	text := strings.TrimSpace(string(message))
	switch {
	case status.Signaled() && (status.Signal() == unix.SIGXCPU || status.Signal() == unix.SIGKILL):
		return errors.New("/linux/seccomp: libseccomp takes too long or too much memory to compile the profile (it does not come" +
			" to an end over rules for one system call that share one condition and differ in the next)")
	case status.Signaled():
		return fmt.Errorf("cannot compile the seccomp profile: the compiler died: %v", status.Signal())
	case text == "":
		return fmt.Errorf("cannot compile the seccomp profile: the compiler failed with status %d", status.ExitStatus())
	}
	return errors.New(text)
}

// content reads a stream from its start, at most limit bytes.
func content(f *os.File, limit int64) ([]byte, error) {
	st, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("cannot read the compiler's answer: %w", err)
	}
	b := make([]byte, min(st.Size(), limit))
	if _, err := f.ReadAt(b, 0); err != nil {
		return nil, fmt.Errorf("cannot read the compiler's answer: %w", err)
	}
	return b, nil
}

// spawn runs the executable open as exe and waits for it. It is descriptor 3 of the child, because ForkExec keeps only
// what it is told of out of the way of the descriptors that it makes there itself.
func spawn(exe *os.File, streams [3]*os.File) (status syscall.WaitStatus, err error) {
	attr := &syscall.ProcAttr{
		// One thread and no garbage collection: it lives for some milliseconds.
		Env:   []string{"GOMAXPROCS=1", "GOGC=off"},
		Files: []uintptr{streams[0].Fd(), streams[1].Fd(), streams[2].Fd(), exe.Fd()},
	}
	pid, err := syscall.ForkExec("/proc/self/fd/3", []string{"seccomp-compile"}, attr)
	if err != nil {
		return 0, &os.PathError{Op: "exec", Path: exe.Name(), Err: err}
	}
	for {
		_, err := syscall.Wait4(pid, &status, 0, nil)
		switch err {
		case nil, syscall.ECHILD: // somebody else waits for every child: the answer speaks for itself
			return status, nil
		case syscall.EINTR:
		default:
			return 0, fmt.Errorf("wait4: %w", err)
		}
	}
}
