package console

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"
)

// maxName is the most that receivers of a descriptor read of its name (go-runc, conmon).
const maxName = 4096

// Connect connects to the AF_UNIX stream socket at path. A caller that will send a terminal connects
// before it creates anything, so that a missing socket costs nothing.
func Connect(path string) (sock *os.File, err error) {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("cannot make a socket: %w", err)
	}
	if err := connect(fd, path); err != nil {
		return nil, errors.Join(fmt.Errorf("cannot connect to socket %s: %w", path, err), unix.Close(fd))
	}
	return os.NewFile(uintptr(fd), path), nil
}

// connect reaches paths longer than a socket address through a descriptor of their directory.
func connect(fd int, path string) error {
	if len(path) < unixPathMax {
		return connectRetry(fd, path)
	}
	dir, err := unix.Open(filepath.Dir(path), unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	short := "/proc/self/fd/" + strconv.Itoa(dir) + "/" + filepath.Base(path)
	if len(short) >= unixPathMax {
		return errors.Join(unix.ENAMETOOLONG, unix.Close(dir))
	}
	return errors.Join(connectRetry(fd, short), unix.Close(dir))
}

// unixPathMax is the room for a path and its NUL in struct sockaddr_un, unix(7).
const unixPathMax = 108

func connectRetry(fd int, path string) error {
	for {
		err := unix.Connect(fd, &unix.SockaddrUnix{Name: path})
		switch err {
		case unix.EINTR:
			continue
		case unix.EISCONN: // an interrupted attempt went through
			return nil
		}
		return err
	}
}

// Send sends the master end of a terminal, and the name it goes by, over a connected socket. Both ends
// stay open.
func Send(sock, master *os.File, name string) error {
	if name == "" || len(name) >= maxName {
		return fmt.Errorf("internal error: a terminal's name of %d bytes", len(name))
	}
	rights := unix.UnixRights(int(master.Fd()))
	for {
		err := unix.Sendmsg(int(sock.Fd()), []byte(name), rights, nil, unix.MSG_NOSIGNAL)
		if err == nil {
			return nil
		}
		if err != unix.EINTR {
			return fmt.Errorf("cannot send terminal to socket %s: %w", sock.Name(), err)
		}
	}
}

// SendMaster connects to the socket at path and sends it the master end of a terminal.
func SendMaster(path string, master *os.File, name string) error {
	sock, err := Connect(path)
	if err != nil {
		return err
	}
	return errors.Join(Send(sock, master, name), sock.Close())
}

// RecvFD receives one message with one descriptor from a connected socket. n is the length of the data
// put into buf. The descriptor is close-on-exec; it is -1 when err is not nil. A message with no
// descriptor, or with several, is an error, and leaves none open.
func RecvFD(sockfd int, buf []byte) (n int, fd int, err error) {
	// Room for more than one, so that a second is seen rather than cut off.
	oob := make([]byte, unix.CmsgSpace(4*2))
	var oobn, flags int
	for {
		n, oobn, flags, _, err = unix.Recvmsg(sockfd, buf, oob, unix.MSG_CMSG_CLOEXEC)
		if err != unix.EINTR {
			break
		}
	}
	if err != nil {
		return 0, -1, fmt.Errorf("cannot receive a file descriptor: %w", err)
	}
	fds, err := rights(oob[:oobn])
	switch {
	case err != nil:
	case flags&(unix.MSG_CTRUNC|unix.MSG_TRUNC) != 0:
		err = errors.New("the message was cut off")
	case len(fds) != 1:
		err = fmt.Errorf("the message has %d", len(fds))
	default:
		return n, fds[0], nil
	}
	for _, fd := range fds {
		err = errors.Join(err, unix.Close(fd))
	}
	return 0, -1, fmt.Errorf("cannot receive a file descriptor: %w", err)
}

// rights collects the descriptors of a message's ancillary data.
func rights(oob []byte) ([]int, error) {
	messages, err := unix.ParseSocketControlMessage(oob)
	if err != nil {
		return nil, err
	}
	var all []int
	for i := range messages {
		h := messages[i].Header
		if h.Level != unix.SOL_SOCKET || h.Type != unix.SCM_RIGHTS {
			continue
		}
		fds, err := unix.ParseUnixRights(&messages[i])
		all = append(all, fds...)
		if err != nil {
			return all, err
		}
	}
	return all, nil
}
