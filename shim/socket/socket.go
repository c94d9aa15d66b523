package socket

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// ErrServed says that somebody listens on the socket.
var ErrServed = errors.New("somebody listens on the socket")

// viaDescriptor is in front of the names of sockets whose paths are too long.
const viaDescriptor = "/proc/self/fd/"

// maxPath is the longest path that fits into sockaddr_un with its end (unix(7)).
const maxPath = 107

// at calls f with an address of path.
func at(path string, f func(unix.Sockaddr) error) error {
	if len(path) <= maxPath {
		return f(&unix.SockaddrUnix{Name: path})
	}
	dir, err := unix.Open(filepath.Dir(path), unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(dir)
	return f(&unix.SockaddrUnix{Name: fmt.Sprintf("%s%d/%s", viaDescriptor, dir, filepath.Base(path))})
}

// Listen makes a socket of a type (unix.SOCK_STREAM) that nobody but this user gets at. A file that nobody listens on is
// what somebody who was killed has left.
func Listen(path string, typ int) (int, error) {
	fd, err := unix.Socket(unix.AF_UNIX, typ|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, os.NewSyscallError("socket", err)
	}
	err = bind(fd, path)
	if err == unix.EADDRINUSE {
		if Served(path, typ) {
			unix.Close(fd)
			return -1, ErrServed
		}
		unix.Unlink(path)
		err = bind(fd, path)
	}
	if err == nil {
		err = unix.Listen(fd, unix.SOMAXCONN)
	}
	if err != nil {
		unix.Close(fd)
		return -1, &fs.PathError{Op: "bind", Path: path, Err: err}
	}
	return fd, nil
}

func bind(fd int, path string) error {
	if err := unix.Fchmod(fd, 0o600); err != nil { // bind(2) makes the file with the socket's mode, less the umask
		return err
	}
	return at(path, func(a unix.Sockaddr) error { return unix.Bind(fd, a) })
}

// Dial connects.
func Dial(path string, typ int) (int, error) {
	fd, err := unix.Socket(unix.AF_UNIX, typ|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, os.NewSyscallError("socket", err)
	}
	err = at(path, func(a unix.Sockaddr) error {
		for {
			if err := unix.Connect(fd, a); err != unix.EINTR {
				return err
			}
		}
	})
	if err != nil {
		unix.Close(fd)
		return -1, &fs.PathError{Op: "connect", Path: path, Err: err}
	}
	return fd, nil
}

// Served says whether somebody listens.
func Served(path string, typ int) bool {
	fd, err := Dial(path, typ)
	if err != nil {
		return false
	}
	unix.Close(fd)
	return true
}

// Remove removes the file of a listening socket, by the name that it was bound to.
func Remove(listener *os.File) {
	var path string
	err := control(listener, func(fd int) error {
		name, err := unix.Getsockname(fd)
		if u, ok := name.(*unix.SockaddrUnix); ok {
			path = u.Name
		}
		return err
	})
	if err != nil || path == "" {
		return
	}
	if strings.HasPrefix(path, viaDescriptor) { // of who made it; this process's working directory is the same
		path = filepath.Base(path)
	}
	unix.Unlink(path)
}

// File makes a file of fd that Go's poller waits for.
func File(fd int, name string) (*os.File, error) {
	if err := unix.SetNonblock(fd, true); err != nil {
		unix.Close(fd)
		return nil, os.NewSyscallError("fcntl", err)
	}
	return os.NewFile(uintptr(fd), name), nil
}

// Accept waits for a connection of this user.
func Accept(listener *os.File) (*os.File, error) {
	raw, err := listener.SyscallConn()
	if err != nil {
		return nil, err
	}
	for {
		fd, accepted := -1, error(nil)
		if err := raw.Read(func(l uintptr) bool {
			fd, _, accepted = unix.Accept4(int(l), unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK)
			return accepted != unix.EAGAIN
		}); err != nil {
			return nil, err
		}
		switch accepted {
		case nil:
		case unix.EINTR, unix.ECONNABORTED:
			continue
		default:
			return nil, os.NewSyscallError("accept4", accepted)
		}
		if sameUser(fd) {
			return os.NewFile(uintptr(fd), "connection"), nil
		}
		unix.Close(fd)
	}
}

// sameUser keeps other users' processes out.
func sameUser(fd int) bool {
	cred, err := unix.GetsockoptUcred(fd, unix.SOL_SOCKET, unix.SO_PEERCRED)
	return err == nil && int(cred.Uid) == os.Geteuid()
}

func control(f *os.File, call func(fd int) error) error {
	raw, err := f.SyscallConn()
	if err != nil {
		return err
	}
	var result error
	if err := raw.Control(func(fd uintptr) { result = call(int(fd)) }); err != nil {
		return err
	}
	return result
}
