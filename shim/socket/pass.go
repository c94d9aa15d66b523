package socket

import (
	"errors"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// maxMessage is more than is sent over a socket of type SOCK_SEQPACKET.
const maxMessage = 64 << 10

// Send sends a message, with a descriptor if fd is not -1.
func Send(conn *os.File, message []byte, fd int) error {
	raw, err := conn.SyscallConn()
	if err != nil {
		return err
	}
	var rights []byte
	if fd >= 0 {
		rights = unix.UnixRights(fd)
	}
	var sent error
	err = raw.Write(func(c uintptr) bool {
		for {
			_, sent = unix.SendmsgN(int(c), message, rights, nil, unix.MSG_NOSIGNAL)
			if sent != unix.EINTR {
				return sent != unix.EAGAIN
			}
		}
	})
	if err != nil {
		return err
	}
	return os.NewSyscallError("sendmsg", sent)
}

// Receive receives a message of a socket of type SOCK_SEQPACKET; fd is -1 if no descriptor comes with it. The error is
// io.EOF when the other side has closed.
func Receive(conn *os.File) (message []byte, fd int, err error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return nil, -1, err
	}
	buf, oob := make([]byte, maxMessage), make([]byte, unix.CmsgSpace(4))
	var n, oobn, flags int
	var got error
	err = raw.Read(func(c uintptr) bool {
		for {
			n, oobn, flags, _, got = unix.Recvmsg(int(c), buf, oob, unix.MSG_CMSG_CLOEXEC)
			if got != unix.EINTR {
				return got != unix.EAGAIN
			}
		}
	})
	if err = errors.Join(err, os.NewSyscallError("recvmsg", got)); err != nil {
		return nil, -1, err
	}
	if fd, err = descriptor(oob[:oobn]); err != nil {
		return nil, -1, err
	}
	switch {
	case flags&(unix.MSG_TRUNC|unix.MSG_CTRUNC) != 0:
		err = unix.EMSGSIZE
	case n == 0 && fd < 0:
		err = io.EOF
	}
	if err != nil && fd >= 0 {
		unix.Close(fd)
		fd = -1
	}
	return buf[:n], fd, err
}

// descriptor finds the one that came along; there is room for no more.
func descriptor(oob []byte) (int, error) {
	if len(oob) == 0 {
		return -1, nil
	}
	messages, err := unix.ParseSocketControlMessage(oob)
	if err != nil {
		return -1, err
	}
	for i := range messages {
		fds, err := unix.ParseUnixRights(&messages[i])
		if err != nil || len(fds) == 0 {
			continue
		}
		for _, extra := range fds[1:] {
			unix.Close(extra)
		}
		return fds[0], nil
	}
	return -1, nil
}
