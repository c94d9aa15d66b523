package launch

import (
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/runtime/plan"
)

// The kernel's answers to getppid(2) come from the test, through a seccomp listener (seccomp_unotify(2)), so that
// tries can be counted.

// notify is a filter that asks about getppid and allows the rest.
func notify() *plan.Mem {
	var insns []byte
	for _, i := range []struct {
		code   uint16
		jt, jf byte
		k      uint32
	}{
		{unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, 0, 0, 0},
		{unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, 0, 1, unix.SYS_GETPPID},
		{unix.BPF_RET | unix.BPF_K, 0, 0, 0x7fc00000}, // SECCOMP_RET_USER_NOTIF
		{unix.BPF_RET | unix.BPF_K, 0, 0, 0x7fff0000}, // SECCOMP_RET_ALLOW
	} {
		insns = le.AppendUint16(insns, i.code)
		insns = append(insns, i.jt, i.jf)
		insns = le.AppendUint32(insns, i.k)
	}
	prog := &plan.Mem{Data: make([]byte, 16), Refs: []plan.Ref{{Off: 8, To: &plan.Mem{Data: insns}}}}
	le.PutUint16(prog.Data, uint16(len(insns)/8))
	return prog
}

// notification and response are struct seccomp_notif and struct seccomp_notif_resp.
type (
	notification struct {
		id         uint64
		pid, flags uint32
		data       [64]byte
	}
	response struct {
		id, value    uint64
		errno, flags int32
	}
)

const notifyReceive, notifySend = 0xc0502100, 0xc0182101 // SECCOMP_IOCTL_NOTIF_RECV, SECCOMP_IOCTL_NOTIF_SEND

// asked waits for a call. Before Linux 6.11 a listener that waits in the ioctl is not told that nobody is left.
func asked(listener int) bool {
	for {
		p := []unix.PollFd{{Fd: int32(listener), Events: unix.POLLIN}}
		if _, err := unix.Poll(p, -1); err != unix.EINTR {
			return err == nil && p[0].Revents&unix.POLLIN != 0
		}
	}
}

// answerCalls answers up to limit calls with errno and then one with 77, and returns how many there were once the
// child has ended or failed.
func answerCalls(listener, limit int, errno unix.Errno) (tries int) {
	for asked(listener) {
		var n notification
		if _, _, e := unix.Syscall(unix.SYS_IOCTL, uintptr(listener), notifyReceive, uintptr(unsafe.Pointer(&n))); e == unix.EINTR {
			continue
		} else if e != 0 {
			return tries // ENOENT: nobody is left
		}
		tries++
		r := response{id: n.id, value: 77}
		if tries <= limit {
			r.value, r.errno = 0, -int32(errno)
		}
		if _, _, e := unix.Syscall(unix.SYS_IOCTL, uintptr(listener), notifySend, uintptr(unsafe.Pointer(&r))); e != 0 || tries > limit {
			return tries
		}
	}
	return tries
}

func TestRetry(t *testing.T) {
	const most = 128 // the tries that the interpreter has (interp_amd64.s)
	retry := call(unix.SYS_GETPPID)
	retry.Retry = true
	for name, c := range map[string]struct {
		step   plan.Step
		errno  unix.Errno
		errors int
		tries  int
		want   uint64
	}{
		"no error":              {retry, unix.EAGAIN, 0, 1, 77},
		"once":                  {retry, unix.EAGAIN, 1, 2, 77},
		"just often enough":     {retry, unix.EAGAIN, most - 1, most, 77},
		"gives up":              {anyError(retry, 7), unix.EAGAIN, most, most, 1},
		"EAGAIN without Retry":  {anyError(call(unix.SYS_GETPPID), 7), unix.EAGAIN, 1, 1, 1},
		"EINTR without Retry":   {call(unix.SYS_GETPPID), unix.EINTR, 3, 4, 77},
		"EINTR, most":           {call(unix.SYS_GETPPID), unix.EINTR, most - 1, most, 77},
		"EINTR gives up":        {ok(call(unix.SYS_GETPPID), 7, unix.EINTR), unix.EINTR, most, most, 1},
		"another error":         {ok(retry, 7, unix.EIO), unix.EIO, 1, 1, 1},
		"tries count each time": {retry, unix.EAGAIN, most - 1, most, 77},
	} {
		t.Run(name, func(t *testing.T) {
			c.step.Save = 3
			const newListener = 8 // SECCOMP_FILTER_FLAG_NEW_LISTENER
			steps := []plan.Step{
				call(unix.SYS_PRCTL, imm(unix.PR_SET_NO_NEW_PRIVS), imm(1), imm(0), imm(0), imm(0)),
				save(call(unix.SYS_SECCOMP, imm(1), imm(newListener), ptr(notify())), 2)}
			steps = append(append(steps, send(2)...), tell(imm(0)), c.step)
			steps = append(steps, jump(op(plan.Compare, imm(0), imm(0)), 8, 8), save(op(plan.Load, ptr(&plan.Mem{Data: []byte{1}}), imm(1), imm(1)), 3))
			p := start(t, program(append(steps, tell(reg(3)), exit(imm(0)))...), plain())
			defer p.Forget()
			tries := make(chan int, 1)
			var last uint64
			err := p.Serve(func(r *Request) (uint64, bool, error) {
				last = uint64(r.Code)
				if len(r.FDs) == 1 {
					listener := r.FDs[0]
					go func() {
						tries <- answerCalls(listener, c.errors, c.errno)
						unix.Close(listener)
					}()
				}
				return 0, false, nil
			})
			if code := wait(t, p); err != nil || code != 0 {
				t.Fatalf("it ends with %d, %v", code, err)
			}
			if got := <-tries; got != c.tries || last != c.want {
				t.Errorf("after %d tries it told %d, want %d after %d", got, last, c.want, c.tries)
			}
		})
	}
}
