package boot

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// socketRoot is where containerd's shims have their sockets.
const socketRoot = "/run/containerd/s"

// socketPath is the path that all shims of a group have in common. It is a hash, as sun_path is short (unix(7)).
func (p *Params) socketPath(group string) string {
	dir := p.SocketDir
	if dir == "" {
		dir = socketRoot
	}
	sum := sha256.Sum256([]byte(filepath.Join(p.Address, p.Namespace, group)))
	return filepath.Join(dir, hex.EncodeToString(sum[:]))
}

// errServed says that a shim listens on the socket.
var errServed = errors.New("a shim serves this group")

// listen makes the socket. One that nobody listens on is what a killed shim has left.
func listen(path string) (int, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return -1, err
	}
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, os.NewSyscallError("socket", err)
	}
	err = bind(fd, path)
	if err == unix.EADDRINUSE {
		if Served(path) {
			unix.Close(fd)
			return -1, errServed
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

// bind makes the socket's file, for nobody else.
func bind(fd int, path string) error {
	if err := unix.Fchmod(fd, 0o600); err != nil { // bind(2) makes the file with the socket's mode, less the umask
		return err
	}
	return unix.Bind(fd, &unix.SockaddrUnix{Name: path})
}

// Served says whether somebody listens on a socket.
func Served(path string) bool {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return false
	}
	defer unix.Close(fd)
	return unix.Connect(fd, &unix.SockaddrUnix{Name: path}) == nil
}
