package launch

import (
	"errors"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/runtime/plan"
)

func TestRendezvousValue(t *testing.T) {
	p := start(t, program(save(tell(imm(1)), 2), tell(reg(2)), save(tell(imm(3)), 2), tell(reg(2)), exit(imm(0))), plain())
	defer p.Forget()
	const big = 0xfedcba9876543210
	var told []plan.Code
	err := p.Serve(func(r *Request) (uint64, bool, error) {
		told = append(told, r.Code)
		return map[plan.Code]uint64{1: big, 3: ^uint64(0)}[r.Code], false, nil // -1 is a value, not an error
	})
	if code := wait(t, p); err != nil || code != 0 || len(told) != 4 || told[1] != big || told[3] != ^plan.Code(0) {
		t.Errorf("it ends with %d, %v and told %#x", code, err, told)
	}
}

// TestRendezvousError: an error of the handler is Serve's, and the end of the child.
func TestRendezvousError(t *testing.T) {
	p := start(t, program(tell(imm(1)), tell(imm(2)), exit(imm(0))), plain())
	defer p.Forget()
	refused := errors.New("no")
	calls := 0
	err := p.Serve(func(*Request) (uint64, bool, error) {
		calls++
		return 5, false, refused
	})
	if code := wait(t, p); err != refused || code != 1 || calls != 1 {
		t.Errorf("it ends with %d, %v after %d calls", code, err, calls)
	}
}

// TestRendezvousStop: Serve returns after the answer; a second Serve goes on.
func TestRendezvousStop(t *testing.T) {
	p := start(t, program(tell(imm(1)), tell(imm(2)), exit(imm(6))), plain())
	defer p.Forget()
	var told []plan.Code
	for i, stop := range []bool{true, false} {
		err := p.Serve(func(r *Request) (uint64, bool, error) {
			told = append(told, r.Code)
			return 0, stop, nil
		})
		if err != nil || len(told) != i+1 {
			t.Fatalf("Serve gives %v, told %v", err, told)
		}
	}
	if code := wait(t, p); code != 6 {
		t.Errorf("it ends with %d", code)
	}
}

// TestHangUp: a child that waits for an answer ends when the parent closes, and so does one that only then comes to a
// rendezvous.
func TestHangUp(t *testing.T) {
	p := start(t, program(tell(imm(1)), exit(imm(0))), plain())
	if m, _, err := p.receive(); err != nil || m == nil || m.value != 1 {
		t.Fatalf("received %v, %v", m, err)
	}
	p.Close()
	if code := wait(t, p); code != 1 {
		t.Errorf("waiting, it ends with %d", code)
	}
	unix.Close(p.Pidfd)

	p = start(t, program(tell(imm(1)), tell(imm(2)), exit(imm(0))), plain())
	if err := p.Serve(func(*Request) (uint64, bool, error) { return 0, true, nil }); err != nil {
		t.Fatal(err)
	}
	p.Close()
	if code := wait(t, p); code != 1 && code != 128+int(unix.SIGPIPE) {
		t.Errorf("coming to a rendezvous, it ends with %d", code)
	}
	unix.Close(p.Pidfd)
}

// rights is a message to the parent with a place for descriptors in its control data, as plan builds it.
func rights() (msg, control *plan.Mem) {
	payload := &plan.Mem{Data: make([]byte, 16)}
	le.PutUint32(payload.Data[4:], plan.FilesMessage)
	iov := &plan.Mem{Data: make([]byte, 16), Refs: []plan.Ref{{To: payload}}}
	le.PutUint64(iov.Data[8:], 16)
	control = &plan.Mem{Data: make([]byte, 24)}
	le.PutUint64(control.Data, 20)
	le.PutUint32(control.Data[8:], unix.SOL_SOCKET)
	le.PutUint32(control.Data[12:], unix.SCM_RIGHTS)
	msg = &plan.Mem{Data: make([]byte, unix.SizeofMsghdr), Refs: []plan.Ref{{Off: 16, To: iov}, {Off: 32, To: control}}}
	le.PutUint64(msg.Data[24:], 1)
	le.PutUint64(msg.Data[40:], 24)
	return msg, control
}

// send are the steps that send the descriptor in a register.
func send(fd int) []plan.Step {
	msg, control := rights()
	return []plan.Step{op(plan.Store, at(control, 16), reg(fd), imm(4)), call(unix.SYS_SENDMSG, reg(int(plan.Report)), ptr(msg), imm(unix.MSG_NOSIGNAL))}
}

// A program of a container that executes /proc/self/exe at once walks the steps again. What it then takes for its
// parent may be a socket that the steps have made, and from which no answer will come.
func TestNobodyToReportTo(t *testing.T) {
	for _, last := range []plan.Step{op(plan.Fail, imm(uint64(unix.EIO))), tell(imm(1))} {
		p := start(t, program(call(unix.SYS_CLOSE, imm(3)), call(unix.SYS_SOCKET, imm(unix.AF_INET), imm(unix.SOCK_DGRAM), imm(0)), last, exit(imm(0))), plain())
		if err := p.Serve(func(*Request) (uint64, bool, error) { t.Error("called"); return 0, false, nil }); err != nil {
			t.Errorf("Serve gives %v for a closed channel", err)
		}
		if code := wait(t, p); code != 1 {
			t.Errorf("it ends with %d", code)
		}
		p.Forget()
	}
}

func TestDescriptors(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(dir+"/file", []byte("content"), 0o600); err != nil {
		t.Fatal(err)
	}
	open := save(call(unix.SYS_OPENAT, imm(^uint64(99)), text(dir+"/file"), imm(unix.O_RDONLY), imm(0)), 2)
	steps := append([]plan.Step{open}, send(2)...)
	steps = append(append(steps, send(2)...), tell(imm(5)), tell(imm(6)), exit(imm(0)))
	proc := start(t, program(steps...), plain())
	defer proc.Forget()
	var counts []int
	err := proc.Serve(func(r *Request) (uint64, bool, error) {
		counts = append(counts, len(r.FDs))
		for _, fd := range r.FDs {
			buf := make([]byte, 16)
			if n, err := unix.Pread(fd, buf, 0); err != nil || string(buf[:n]) != "content" {
				t.Errorf("the descriptor reads %q, %v", buf[:n], err)
			}
			if flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err != nil || flags&unix.FD_CLOEXEC == 0 {
				t.Errorf("the descriptor's flags are %#x, %v", flags, err)
			}
			unix.Close(fd)
		}
		return 0, false, nil
	})
	if code := wait(t, proc); err != nil || code != 0 || len(counts) != 2 || counts[0] != 2 || counts[1] != 0 {
		t.Errorf("it ends with %d, %v; descriptors came %v", code, err, counts)
	}
}

// TestDescriptorsClosed: what was sent without a rendezvous does not stay open.
func TestDescriptorsClosed(t *testing.T) {
	open := save(call(unix.SYS_OPENAT, imm(^uint64(99)), text("/dev/null"), imm(unix.O_RDONLY), imm(0)), 2)
	p := program(append(append([]plan.Step{open}, send(2)...), op(plan.Fail, imm(1), text("no")))...)
	before := descriptors(t)
	fails(t, p, 3, unix.EPERM)
	if after := descriptors(t); after != before {
		t.Errorf("%d descriptors are open, %d were", after, before)
	}
}

// stranger is the other end of a Peer that was not started here, as `start` has it.
func stranger(t *testing.T) (peer *Peer, other int) {
	t.Helper()
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	peer = NewPeer(pair[0], program(tell(imm(1)), op(plan.Fail, imm(1), text("because"))))
	t.Cleanup(func() { peer.Close() })
	return peer, pair[1]
}

func packet(step, kind uint32, value uint64) []byte {
	b := le.AppendUint32(nil, step)
	return le.AppendUint64(le.AppendUint32(b, kind), value)
}

// TestStranger feeds a Peer what no child of ours sends, too.
func TestStranger(t *testing.T) {
	for name, c := range map[string]struct {
		send  []byte
		calls int
		want  string
	}{
		"failed step":     {packet(1, kindFailed, uint64(unix.EPERM)), 0, "cannot do the test (test.field): because"},
		"step of nowhere": {packet(1<<31, kindFailed, uint64(unix.ENOENT)), 0, "cannot run the program: no such file"},
		"unknown errno":   {packet(0, kindFailed, 1<<40), 0, "cannot do the test"},
		"short":           {make([]byte, 15), 0, "internal error: a report of 15 bytes"},
		"one byte":        {[]byte{1}, 0, "internal error: a report of 1 bytes"},
		"long is cut":     {append(packet(0, kindRendezvous, 9), 1, 2, 3), 1, ""},
		"rendezvous":      {packet(0, kindRendezvous, 9), 1, ""},
		"only files":      {packet(0, kindFiles, 9), 0, ""},
	} {
		t.Run(name, func(t *testing.T) {
			peer, other := stranger(t)
			if err := unix.Send(other, c.send, 0); err != nil {
				t.Fatal(err)
			}
			if err := unix.Shutdown(other, unix.SHUT_WR); err != nil {
				t.Fatal(err)
			}
			defer unix.Close(other)
			calls := 0
			err := peer.Serve(func(r *Request) (uint64, bool, error) {
				calls++
				return 4, false, nil
			})
			if calls != c.calls || (err == nil) != (c.want == "") || err != nil && !strings.HasPrefix(err.Error(), c.want) {
				t.Errorf("Serve gives %v after %d calls, want %q after %d", err, calls, c.want, c.calls)
			}
			if calls == 1 {
				answer := make([]byte, 32)
				if n, err := unix.Read(other, answer); err != nil || n != 16 || le.Uint64(answer) != 0 || le.Uint64(answer[8:]) != 4 {
					t.Errorf("the answer is %v, %v", answer[:n], err)
				}
			}
		})
	}
}

func TestStrangerGone(t *testing.T) {
	peer, other := stranger(t)
	unix.Close(other)
	if err := peer.Serve(func(*Request) (uint64, bool, error) { t.Error("called"); return 0, false, nil }); err != nil {
		t.Errorf("Serve gives %v for a closed channel", err)
	}
	peer, other = stranger(t)
	if err := unix.Send(other, packet(0, kindRendezvous, 1), 0); err != nil {
		t.Fatal(err)
	}
	unix.Close(other)
	err := peer.Serve(func(*Request) (uint64, bool, error) { return 0, false, nil })
	if !errors.Is(err, unix.EPIPE) {
		t.Errorf("Serve gives %v when nobody takes the answer", err)
	}
}
