package checkpoint

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"github.com/checkpoint-restore/go-criu/v8/rpc"
	"golang.org/x/sys/unix"
)

// Criu is a running `criu swrk`, which serves one request. It opens the descriptors of a Job through
// /proc/PID/fd of the process that made the socket, which is this one.
type Criu struct {
	Pid    int
	pidfd  int
	sock   int
	waited bool

	task, taskPid int // pidfd of the restored process, -1 before criu has told of it
	grace         time.Duration
	stuck         bool // it did not notice that the restored process has ended, and was killed
}

// FirstFD is the number that the first of the further descriptors has in criu.
const FirstFD = 4

// Start starts criu with the three standard streams, and further descriptors from FirstFD on.
func Start(program string, stdio [3]uintptr, further ...uintptr) (*Criu, error) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("cannot make a socket for criu: %w", err)
	}
	defer unix.Close(pair[1])
	c := &Criu{pidfd: -1, sock: pair[0], task: -1, grace: grace}
	attr := &syscall.ProcAttr{Env: os.Environ(), Files: append([]uintptr{stdio[0], stdio[1], stdio[2], uintptr(pair[1])}, further...),
		Sys: &syscall.SysProcAttr{PidFD: &c.pidfd}}
	c.Pid, err = syscall.ForkExec(program, []string{"criu", "swrk", "3"}, attr)
	if err != nil {
		unix.Close(pair[0])
		return nil, fmt.Errorf("cannot run criu: %w", &os.PathError{Op: "exec", Path: program, Err: err})
	}
	return c, nil
}

// Close hangs up, which ends criu, and takes back what it has not finished; then it buries criu.
func (c *Criu) Close() {
	unix.Close(c.sock)
	c.wait()
	closeFD(c.pidfd)
	closeFD(c.task)
}

func (c *Criu) wait() (ws unix.WaitStatus) {
	if c.waited {
		return 0
	}
	c.waited = true
	for {
		if _, err := unix.Wait4(c.Pid, &ws, 0, nil); err != unix.EINTR {
			return ws
		}
	}
}

// Notification is what criu tells between request and answer (criu(8), "--action-script"). Script is the
// name, Pid the restored init where there is one, FD a descriptor that came along, which the handler owns, or
// -1.
type Notification struct {
	Script string
	Pid    int
	FD     int
}

// Handler answers a notification; an error makes criu give up.
type Handler func(Notification) error

// Dump saves processes.
func (c *Criu) Dump(j *Job, handle Handler) error {
	req, err := j.dump()
	if err != nil {
		return err
	}
	_, err = c.do(req, handle)
	return err
}

// Restore restores processes. When it returns nil they run.
func (c *Criu) Restore(j *Job, handle Handler) error {
	req, err := j.restore()
	if err != nil {
		return err
	}
	if _, err := c.do(req, handle); err != nil {
		return err
	}
	if ws := c.wait(); ws.Signaled() || ws.ExitStatus() != 0 {
		return &Failure{Verb: "restore", Died: died(ws)}
	}
	return nil
}

// do sends one request and serves criu until the answer. An error of handle goes before what criu makes of it.
func (c *Criu) do(req *rpc.CriuReq, handle Handler) (*rpc.CriuResp, error) {
	if err := c.send(req); err != nil {
		return nil, err
	}
	verb := verbs(req.GetType())
	var failed error
	for {
		resp, fd, err := c.receive()
		switch {
		case err != nil:
			return nil, errors.Join(failed, err)
		case resp == nil && failed != nil:
			return nil, failed
		case resp == nil:
			return nil, c.gone(verb)
		case resp.GetType() == rpc.CriuReqType_NOTIFY && resp.GetSuccess() && handle != nil:
			err := c.notify(Notification{resp.GetNotify().GetScript(), int(resp.GetNotify().GetPid()), fd}, handle)
			ack := &rpc.CriuReq{Type: new(rpc.CriuReqType_NOTIFY), NotifySuccess: new(err == nil)}
			if e := c.send(ack); err == nil && !errors.Is(e, unix.EPIPE) { // how criu has ended is seen next
				err = e
			}
			if failed == nil {
				failed = err
			}
			continue
		}
		closeFD(fd)
		if failed == nil && !resp.GetSuccess() {
			failed = &Failure{Verb: verb, Errno: unix.Errno(max(resp.GetCrErrno(), 0)), Reason: errorOf(resp.GetCrErrmsg())}
		}
		return resp, failed
	}
}

// gone says how criu has ended, or why it had to.
func (c *Criu) gone(verb string) error {
	f := &Failure{Verb: verb, Died: died(c.wait())}
	if c.stuck {
		f.Ended = c.taskEnded()
	}
	return f
}

func (c *Criu) send(req *rpc.CriuReq) error {
	data, err := req.MarshalVT()
	if err == nil {
		_, err = unix.SendmsgN(c.sock, data, nil, nil, unix.MSG_NOSIGNAL)
	}
	if err != nil {
		return fmt.Errorf("cannot talk to criu: %w", err)
	}
	return nil
}

// maxMessage bounds an answer of criu, in bytes.
const maxMessage = 64 << 10

// receive reads one message and the descriptor that came with it, -1 for none; nil when criu has hung up.
func (c *Criu) receive() (*rpc.CriuResp, int, error) {
	buf := make([]byte, maxMessage)
	oob := make([]byte, unix.CmsgSpace(4*4))
	for {
		if more, err := c.await(); err != nil || !more {
			return nil, -1, err
		}
		n, oobn, _, _, err := unix.Recvmsg(c.sock, buf, oob, unix.MSG_CMSG_CLOEXEC)
		switch {
		case err == unix.EINTR:
			continue
		case err == unix.ECONNRESET || err == nil && n == 0:
			return nil, -1, nil
		case err != nil:
			return nil, -1, fmt.Errorf("cannot hear from criu: %w", err)
		}
		fd, err := descriptor(oob[:oobn])
		resp := &rpc.CriuResp{}
		if err == nil {
			err = resp.UnmarshalVT(buf[:n])
		}
		if err != nil {
			closeFD(fd)
			return nil, -1, fmt.Errorf("cannot understand criu: %w", err)
		}
		return resp, fd, nil
	}
}

// descriptor takes the one descriptor out of a control message, and closes any others.
func descriptor(oob []byte) (int, error) {
	fd := -1
	messages, err := unix.ParseSocketControlMessage(oob)
	for i := range messages {
		if messages[i].Header.Type != unix.SCM_RIGHTS {
			continue
		}
		list, e := unix.ParseUnixRights(&messages[i])
		for _, f := range list {
			closeFD(fd)
			fd = f
		}
		err = errors.Join(err, e)
	}
	return fd, err
}

func closeFD(fd int) {
	if fd >= 0 {
		unix.Close(fd)
	}
}
