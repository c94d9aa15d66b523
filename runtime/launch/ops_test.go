package launch

import (
	"errors"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/runtime/plan"
)

func TestLoad(t *testing.T) {
	mem := &plan.Mem{Data: []byte{0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x91, 0xfe}}
	const all = ^uint64(0)
	for name, c := range map[string]struct {
		off        int
		size, mask uint64
		want       uint64
	}{
		"byte":        {0, 1, all, 0x88},
		"two bytes":   {0, 2, all, 0x7788},
		"four bytes":  {0, 4, all, 0x55667788},
		"eight bytes": {0, 8, all, 0x9122334455667788},
		"unaligned":   {1, 8, all, 0xfe91223344556677},
		"high byte":   {8, 1, all, 0xfe},
		"masked":      {0, 8, 0xff00ff00, 0x55007700},
		"high mask":   {0, 8, 0xf << 60, 9 << 60},
		"all masked":  {0, 8, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			tells(t, program(save(op(plan.Load, at(mem, c.off), imm(c.size), imm(c.mask)), 2), tell(reg(2)), exit(imm(0))), c.want)
		})
	}
}

func TestStore(t *testing.T) {
	for name, c := range map[string]struct{ size, want uint64 }{
		"four bytes":  {4, 0xffffffff55667788},
		"eight bytes": {8, 0x1122334455667788},
	} {
		t.Run(name, func(t *testing.T) {
			from := &plan.Mem{Data: []byte{0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11}}
			to := &plan.Mem{Data: []byte("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff")}
			tells(t, program(
				save(op(plan.Load, ptr(from), imm(8), imm(^uint64(0))), 2),
				op(plan.Store, at(to, 4), reg(2), imm(c.size)),
				save(op(plan.Load, at(to, 4), imm(8), imm(^uint64(0))), 3), tell(reg(3)),
				save(op(plan.Load, ptr(to), imm(4), imm(^uint64(0))), 4), tell(reg(4)),
				save(op(plan.Load, at(to, 12), imm(4), imm(^uint64(0))), 5), tell(reg(5)),
				exit(imm(0)),
			), c.want, 0xffffffff, 0xffffffff)
		})
	}
}

func TestCompare(t *testing.T) {
	for name, c := range map[string]struct {
		a, b plan.Arg
		want uint64
	}{
		"equal":            {imm(7), imm(7), 1},
		"different":        {imm(7), imm(8), 2},
		"high bits":        {imm(7), imm(7 | 1<<40), 2},
		"register equal":   {reg(2), imm(5), 1},
		"register differs": {reg(2), imm(0), 2},
		"registers":        {reg(2), reg(2), 1},
		"unset register":   {reg(3), imm(0), 1},
		"negative as is":   {imm(^uint64(99)), imm(^uint64(99)), 1},
	} {
		t.Run(name, func(t *testing.T) {
			p := program(
				save(op(plan.Load, ptr(&plan.Mem{Data: []byte{5}}), imm(1), imm(0xff)), 2),
				jump(op(plan.Compare, c.a, c.b), 2, 4),
				tell(imm(1)), exit(imm(0)),
				tell(imm(2)), exit(imm(0)),
			)
			p.Regs = 4
			tells(t, p, c.want)
		})
	}
}

func TestFail(t *testing.T) {
	p := program(tell(imm(1)), op(plan.Fail, imm(uint64(unix.EPERM)), text("it is not allowed")), tell(imm(2)))
	fails(t, p, 1, unix.EPERM)
	_, _, err := walk(t, p)
	if want := "cannot do the test (test.field): it is not allowed"; err == nil || err.Error() != want {
		t.Errorf("the error is %q, want %q", err, want)
	}
	if !errors.Is(err, unix.EPERM) {
		t.Errorf("%v does not wrap EPERM", err)
	}
}

func TestFailingCall(t *testing.T) {
	p := program(call(unix.SYS_GETPID), call(unix.SYS_CLOSE, imm(999)), tell(imm(2)))
	fails(t, p, 1, unix.EBADF)
	_, _, err := walk(t, p)
	if want := "cannot do the test (test.field): close: bad file descriptor"; err == nil || err.Error() != want {
		t.Errorf("the error is %q, want %q", err, want)
	}
}

func TestTolerated(t *testing.T) {
	closing := call(unix.SYS_CLOSE, imm(999)) // EBADF
	for name, c := range map[string]struct {
		step plan.Step
		want uint64
	}{
		"first":        {ok(closing, 3, unix.EBADF), 2},
		"second":       {ok(closing, 3, unix.EPERM, unix.EBADF), 2},
		"third":        {ok(closing, 3, unix.EPERM, unix.ENOENT, unix.EBADF), 2},
		"fourth":       {ok(closing, 3, unix.EPERM, unix.ENOENT, unix.EACCES, unix.EBADF), 2},
		"any":          {anyError(closing, 3), 2},
		"no error":     {ok(call(unix.SYS_GETPID), 3, unix.EBADF), 1},
		"any of none":  {anyError(call(unix.SYS_GETPID), 3), 1},
		"both go on":   {ok(closing, 1, unix.EBADF), 1},
		"after errors": {anyError(call(1<<20), 3), 2},
	} {
		t.Run(name, func(t *testing.T) {
			tells(t, program(c.step, tell(imm(1)), exit(imm(0)), tell(imm(2)), exit(imm(0))), c.want)
		})
	}
	fails(t, program(ok(closing, 1, unix.EPERM, unix.ENOENT)), 0, unix.EBADF)
	fails(t, program(call(1<<20)), 0, unix.ENOSYS)
}

// TestNoSave: a tolerated error leaves the register as it was.
func TestNoSave(t *testing.T) {
	seven := save(op(plan.Load, ptr(&plan.Mem{Data: []byte{7}}), imm(1), imm(0xff)), 2)
	tells(t, program(seven, save(anyError(call(unix.SYS_CLOSE, imm(999)), 2), 2), tell(reg(2)), exit(imm(0))), 7)
}

// TestArguments passes six arguments in registers: mmap(2) with each in its place gives the address asked for.
func TestArguments(t *testing.T) {
	const address = 0x10000000
	steps := []plan.Step{}
	values := []uint64{address, 4096, unix.PROT_READ, unix.MAP_PRIVATE | unix.MAP_ANONYMOUS | unix.MAP_FIXED, ^uint64(0), 0}
	var args []plan.Arg
	for i, v := range values {
		m := &plan.Mem{Data: le.AppendUint64(nil, v)}
		steps = append(steps, save(op(plan.Load, ptr(m), imm(8), imm(^uint64(0))), 10+i))
		args = append(args, reg(10+i))
	}
	steps = append(steps, save(call(unix.SYS_MMAP, args...), 2), tell(reg(2)), exit(imm(0)))
	tells(t, program(steps...), address)
}

// TestRegisters uses several hundred registers, all of which keep their values.
func TestRegisters(t *testing.T) {
	const count = 400
	var steps []plan.Step
	var want []uint64
	for i := 2; i < count; i++ {
		v := uint64(i) * 0x0101010101010101
		steps = append(steps, save(op(plan.Load, ptr(&plan.Mem{Data: le.AppendUint64(nil, v)}), imm(8), imm(^uint64(0))), i))
		want = append(want, v)
	}
	for i := 2; i < count; i++ {
		steps = append(steps, tell(reg(i)))
	}
	tells(t, program(append(steps, exit(imm(0)))...), want...)
}

// TestManySteps: a Program may be longer than what is first set aside for it.
func TestManySteps(t *testing.T) {
	var steps []plan.Step
	for range 3000 {
		steps = append(steps, call(unix.SYS_GETPID))
	}
	tells(t, program(append(steps, tell(text(strings.Repeat("x", 100))), exit(imm(0)))...), uint64(dataBase+regsOffset+16+3003*stepSize+1))
}

func TestExit(t *testing.T) {
	for _, want := range []int{0, 1, 7, 255} {
		told, code, err := walk(t, program(exit(imm(uint64(want))), tell(imm(1))))
		if err != nil || code != want || told != nil {
			t.Errorf("exit(%d) gives %d, %v, told %v", want, code, err, told)
		}
	}
	if _, code, err := walk(t, program(call(unix.SYS_GETPID))); err != nil || code != 0 {
		t.Errorf("a Program that just ends gives %d, %v", code, err)
	}
}

func TestKilled(t *testing.T) {
	for _, sig := range []unix.Signal{unix.SIGTERM, unix.SIGKILL, unix.SIGSEGV} {
		p := program(save(call(unix.SYS_GETPID), 2), call(unix.SYS_KILL, reg(2), imm(uint64(sig))), tell(imm(1)))
		told, code, err := walk(t, p)
		if err != nil || code != 128+int(sig) || told != nil {
			t.Errorf("%v gives %d, %v, told %v", sig, code, err, told)
		}
	}
}

func TestExecve(t *testing.T) {
	execve := func(path string) plan.Step {
		argv := &plan.Mem{Data: make([]byte, 16), Refs: []plan.Ref{{Str: path}}}
		return call(unix.SYS_EXECVE, text(path), ptr(argv), ptr(&plan.Mem{Data: make([]byte, 8)}))
	}
	closeAll := call(unix.SYS_CLOSE_RANGE, imm(3), imm(0xffffffff), imm(unix.CLOSE_RANGE_CLOEXEC))
	for path, want := range map[string]int{"/bin/true": 0, "/bin/false": 1} {
		told, code, err := walk(t, program(closeAll, execve(path), tell(imm(1))))
		if err != nil || code != want || told != nil {
			t.Errorf("%s gives %d, %v, told %v", path, code, err, told)
		}
	}
	fails(t, program(closeAll, execve("/nonexistent")), 1, unix.ENOENT)
	fails(t, program(closeAll, execve("/dev")), 1, unix.EACCES)
	tells(t, program(closeAll, ok(execve("/nonexistent"), 2, unix.ENOENT), tell(imm(3)), exit(imm(0))), 3)
}
