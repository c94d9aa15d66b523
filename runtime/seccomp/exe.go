//go:build embedseccomp

package seccomp

import (
	"errors"
	"fmt"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// execute runs program from memory. Hosts may refuse that (vm.memfd_noexec=2, a security module): then
// from an unnamed file in scratch or, because /run is often mounted noexec, in /var/tmp.
func execute(program string, streams [3]*os.File, scratch string) (syscall.WaitStatus, error) {
	exe, err := sealed(program)
	if err == nil {
		defer exe.Close() // memory
		var status syscall.WaitStatus
		if status, err = spawn(exe, streams); err == nil {
			return status, nil
		}
	}
	for _, dir := range []string{scratch, "/var/tmp"} {
		if dir == "" || !refused(err) {
			continue
		}
		status, e := executeIn(dir, program, streams)
		if e == nil {
			return status, nil
		}
		err = fmt.Errorf("%w; %w", err, e)
	}
	return 0, err
}

// refused tells whether an error is the host's policy, or that of the file system tried.
func refused(err error) bool {
	for _, errno := range []error{unix.EACCES, unix.EPERM, unix.ENOSYS, unix.EOPNOTSUPP, unix.EROFS, unix.ENOENT} {
		if errors.Is(err, errno) {
			return true
		}
	}
	return false
}

// memfile makes a file in memory. kind is MFD_EXEC or MFD_NOEXEC_SEAL; kernels before 6.3 know neither.
func memfile(name string, kind int) (*os.File, error) {
	const flags = unix.MFD_CLOEXEC | unix.MFD_ALLOW_SEALING
	fd, err := unix.MemfdCreate(name, flags|kind)
	if err == unix.EINVAL {
		fd, err = unix.MemfdCreate(name, flags)
	}
	if err != nil {
		return nil, &os.PathError{Op: "memfd_create", Path: name, Err: err}
	}
	return os.NewFile(uintptr(fd), "memfd:"+name), nil
}

// sealed returns a file in memory that holds program and can no longer change.
func sealed(program string) (*os.File, error) {
	f, err := memfile("seccomp-compile", unix.MFD_EXEC)
	if err != nil {
		return nil, err
	}
	if _, err = f.WriteString(program); err == nil {
		const seals = unix.F_SEAL_SEAL | unix.F_SEAL_SHRINK | unix.F_SEAL_GROW | unix.F_SEAL_WRITE
		if _, err = unix.FcntlInt(f.Fd(), unix.F_ADD_SEALS, seals); err != nil {
			err = fmt.Errorf("cannot seal the compiler program: %w", err)
		}
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// executeIn runs program from a file without a name in dir.
func executeIn(dir, program string, streams [3]*os.File) (syscall.WaitStatus, error) {
	// Another thread's fork would keep the file open for writing, and exec fail with ETXTBSY.
	syscall.ForkLock.RLock()
	exe, err := unnamed(dir, program)
	syscall.ForkLock.RUnlock()
	if err != nil {
		return 0, err
	}
	defer exe.Close() // read only
	return spawn(exe, streams)
}

// unnamed returns a file without a name that holds program, open for reading alone.
func unnamed(dir, program string) (*os.File, error) {
	fd, err := unix.Open(dir, unix.O_TMPFILE|unix.O_WRONLY|unix.O_CLOEXEC, 0o500)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: dir, Err: err}
	}
	w := os.NewFile(uintptr(fd), dir+"/seccomp-compile")
	defer w.Close()
	if _, err := w.WriteString(program); err != nil {
		return nil, err
	}
	return os.Open(fmt.Sprintf("/proc/self/fd/%d", w.Fd()))
}
