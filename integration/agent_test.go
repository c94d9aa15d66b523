package integration

import (
	"encoding/binary"
	"encoding/json"
	"io"
	"net"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// seccompAgent serves seccomp listeners (seccomp_unotify(2)): it fails the system calls of one number with
// an errno and lets all others go on.
type seccompAgent struct {
	t      *testing.T
	Path   string
	socket *net.UnixListener
	nr     int
	errno  unix.Errno
	states chan specs.ContainerProcessState

	mu        sync.Mutex
	seen      []int // numbers of the calls that were notified of
	listeners []*os.File
}

// newAgent starts an agent on a socket of its own.
func newAgent(t *testing.T, nr int, errno unix.Errno) *seccompAgent {
	t.Helper()
	a := &seccompAgent{t: t, Path: filepath.Join(t.TempDir(), "agent"), nr: nr, errno: errno, states: make(chan specs.ContainerProcessState, 8)}
	var err error
	a.socket, err = net.ListenUnix("unix", &net.UnixAddr{Name: a.Path, Net: "unix"})
	must(t, err)
	t.Cleanup(a.stop)
	go func() {
		for {
			conn, err := a.socket.AcceptUnix()
			if err != nil {
				return
			}
			go a.take(conn)
		}
	}()
	return a
}

// stop closes the socket and every listener: what is waiting for an answer gets ENOSYS.
func (a *seccompAgent) stop() {
	a.socket.Close()
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, f := range a.listeners {
		f.Close()
	}
	a.listeners = nil
}

// take reads a state with its listener from a connection, and serves the listener.
func (a *seccompAgent) take(conn *net.UnixConn) {
	defer conn.Close()
	var text []byte
	var files []int
	for {
		data, oob := make([]byte, 4096), make([]byte, 256)
		n, oobn, _, _, err := conn.ReadMsgUnix(data, oob)
		if err != nil || n == 0 {
			break
		}
		text = append(text, data[:n]...)
		if msgs, err := unix.ParseSocketControlMessage(oob[:oobn]); err == nil && len(msgs) > 0 {
			fds, err := unix.ParseUnixRights(&msgs[0])
			if err != nil {
				a.t.Error(err)
			}
			files = append(files, fds...)
		}
	}
	var state specs.ContainerProcessState
	if err := json.Unmarshal(text, &state); err != nil || len(files) != 1 {
		if len(text) > 0 {
			a.t.Errorf("the agent got %q with files %v: %v", text, files, err)
		}
		return
	}
	f := os.NewFile(uintptr(files[0]), "seccomp listener")
	a.mu.Lock()
	a.listeners = append(a.listeners, f)
	a.mu.Unlock()
	a.states <- state
	a.serve(f)
}

// serve answers notifications until all processes with the filter are gone.
func (a *seccompAgent) serve(f *os.File) {
	const (
		reqSize, respSize = 80, 24 // struct seccomp_notif, struct seccomp_notif_resp
		goOn              = 1      // SECCOMP_USER_NOTIF_FLAG_CONTINUE
	)
	raw, err := f.SyscallConn()
	if err != nil {
		return
	}
	for {
		req, resp := make([]byte, reqSize), make([]byte, respSize)
		switch err := ioctl(raw, unix.SECCOMP_IOCTL_NOTIF_RECV, req); err {
		case nil:
		case unix.ENOENT, unix.EINTR: // a signal has taken the process out of the call; it will make it again
			continue
		default:
			return
		}
		nr := int(int32(binary.NativeEndian.Uint32(req[16:])))
		a.mu.Lock()
		a.seen = append(a.seen, nr)
		a.mu.Unlock()
		copy(resp, req[:8])
		if nr == a.nr {
			binary.NativeEndian.PutUint32(resp[16:], uint32(-int32(a.errno)))
		} else {
			binary.NativeEndian.PutUint32(resp[20:], goOn)
		}
		_ = ioctl(raw, unix.SECCOMP_IOCTL_NOTIF_SEND, resp) // the process may have died meanwhile
	}
}

type rawConn interface {
	Control(f func(fd uintptr)) error
}

// ioctl makes the call on a structure, as long as the file is open. It polls first, so that closing the file ends it.
func ioctl(raw rawConn, request uint, data []byte) (err error) {
	for {
		ready := false
		e := raw.Control(func(fd uintptr) {
			fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN | unix.POLLOUT}}
			n, _ := unix.Poll(fds, 100)
			if n > 0 && fds[0].Revents&unix.POLLHUP != 0 {
				err, ready = io.EOF, true
			} else if n > 0 && (fds[0].Revents&unix.POLLIN != 0 || request == unix.SECCOMP_IOCTL_NOTIF_SEND) {
				err, ready = pointerIoctl(fd, request, data), true
			} else {
				time.Sleep(time.Millisecond)
			}
		})
		if e != nil || ready {
			return max2(err, e)
		}
	}
}

func max2(a, b error) error {
	if a != nil {
		return a
	}
	return b
}

func pointerIoctl(fd uintptr, request uint, data []byte) error {
	var pin runtime.Pinner
	defer pin.Unpin()
	pin.Pin(&data[0])
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, fd, uintptr(request), reflect.ValueOf(&data[0]).Pointer())
	if errno != 0 {
		return errno
	}
	return nil
}

// State waits for the state that came with a listener.
func (a *seccompAgent) State() specs.ContainerProcessState {
	a.t.Helper()
	select {
	case s := <-a.states:
		return s
	case <-time.After(patience):
		a.t.Fatal("the agent got no listener")
	}
	panic("unreachable")
}

// Saw says whether the agent was notified of a system call.
func (a *seccompAgent) Saw(nr int) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Contains(a.seen, nr)
}
