package command

import (
	"errors"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/shim/socket"
)

// consoleSocket is where the program sends the master end of a terminal.
type consoleSocket struct {
	listener int
	dir      *os.File // makes the path short enough for a socket's address
	file     string
	path     string // for the program
}

func (r *Runtime) newConsole() (*consoleSocket, error) {
	c := &consoleSocket{listener: -1, file: r.name("tty")}
	dir, err := os.Open(r.Bundle)
	if err != nil {
		return nil, err
	}
	c.dir, c.path = dir, filepath.Join(inProc(dir), filepath.Base(c.file))
	if c.listener, err = socket.Listen(c.file, unix.SOCK_STREAM); err != nil {
		dir.Close()
		return nil, err
	}
	return c, nil
}

func (c *consoleSocket) close() {
	unix.Close(c.listener)
	unix.Unlink(c.file)
	c.dir.Close()
}

// take takes the terminal. The program has ended: what it has sent is there.
func (c *consoleSocket) take() (*os.File, error) {
	if err := unix.SetNonblock(c.listener, true); err != nil {
		return nil, err
	}
	fd, _, err := unix.Accept4(c.listener, unix.SOCK_CLOEXEC)
	if err == unix.EAGAIN {
		return nil, errors.New("nothing was sent to --console-socket")
	}
	if err != nil {
		return nil, os.NewSyscallError("accept4", err)
	}
	conn, err := socket.File(fd, "console")
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	_, terminal, err := socket.Receive(conn)
	if err == nil && terminal < 0 {
		err = errors.New("no descriptor was sent to --console-socket")
	}
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(terminal), "terminal"), nil
}
