package launch

import (
	"errors"
	"math"
	"os"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/runtime/plan"
)

// Hand-made Programs. A step whose Next or Else is 0 goes on at the following one.

func imm(v uint64) plan.Arg            { return plan.Arg{Val: v} }
func reg(n int) plan.Arg               { return plan.Arg{Kind: plan.InReg, Val: uint64(n)} }
func text(s string) plan.Arg           { return plan.Arg{Kind: plan.Text, Str: s} }
func ptr(m *plan.Mem) plan.Arg         { return plan.Arg{Kind: plan.Pointer, Mem: m} }
func at(m *plan.Mem, off int) plan.Arg { return plan.Arg{Kind: plan.Pointer, Mem: m, Val: uint64(off)} }

func op(o plan.Op, args ...plan.Arg) plan.Step {
	return plan.Step{Op: o, Args: args}
}

func call(nr uint32, args ...plan.Arg) plan.Step {
	s := op(plan.Syscall, args...)
	s.Call = nr
	return s
}

func save(s plan.Step, r int) plan.Step { s.Save = plan.Reg(r); return s }

func ok(s plan.Step, to int, errs ...unix.Errno) plan.Step {
	copy(s.Ok[:], errs)
	s.Else = int32(to)
	return s
}

func anyError(s plan.Step, to int) plan.Step { s.Any, s.Else = true, int32(to); return s }

func jump(s plan.Step, then, otherwise int) plan.Step {
	s.Next, s.Else = int32(then), int32(otherwise)
	return s
}

func exit(a plan.Arg) plan.Step { return op(plan.Exit, a) }

// tell is a rendezvous that tells the parent a value.
func tell(a plan.Arg) plan.Step { return op(plan.Rendezvous, a) }

// program puts steps together, with one task for all.
func program(steps ...plan.Step) *plan.Program {
	p := &plan.Program{Steps: steps, Regs: 2, Tasks: []plan.Task{{What: "do the test", Field: "test.field"}}}
	for i := range p.Steps {
		s := &p.Steps[i]
		if s.Next == 0 {
			s.Next = int32(i + 1)
		}
		if s.Else == 0 {
			s.Else = int32(i + 1)
		}
		p.Regs = max(p.Regs, int(s.Save)+1)
	}
	return p
}

// start starts p, which must be well-formed.
func start(t *testing.T, p *plan.Program, o Options) *Process {
	t.Helper()
	if err := p.Verify(); err != nil {
		t.Fatal(err)
	}
	proc, err := Start(p, o)
	if err != nil {
		t.Fatal(err)
	}
	return proc
}

// plain are Options without anything.
func plain() Options {
	return Options{Stdio: [3]uintptr{0, 1, 2}, Cgroup: -1, Listener: -1, Pidfd: -1}
}

// walk carries p out to its end. told are the values of its rendezvous, which are answered with 0.
func walk(t *testing.T, p *plan.Program) (told []uint64, code int, err error) {
	t.Helper()
	proc := start(t, p, plain())
	defer proc.Forget()
	err = proc.Serve(func(r *Request) (uint64, bool, error) {
		told = append(told, uint64(r.Code))
		return 0, false, nil
	})
	return told, wait(t, proc), err
}

func wait(t *testing.T, proc *Process) int {
	t.Helper()
	code, err := proc.Wait()
	if err != nil {
		t.Fatal(err)
	}
	return code
}

// tells fails the test unless p ends well after telling exactly these values.
func tells(t *testing.T, p *plan.Program, want ...uint64) {
	t.Helper()
	told, code, err := walk(t, p)
	if err != nil || code != 0 {
		t.Fatalf("it ends with %d, %v", code, err)
	}
	same := len(told) == len(want)
	for i := range want {
		same = same && told[i] == want[i]
	}
	if !same {
		t.Errorf("told %#x, want %#x", told, want)
	}
}

// fails fails the test unless p ends in a StepError of the step and errno.
func fails(t *testing.T, p *plan.Program, step int, errno unix.Errno) {
	t.Helper()
	_, code, err := walk(t, p)
	var e *StepError
	if !errors.As(err, &e) || e.Step != step || e.Errno != errno || code != 1 {
		t.Errorf("it ends with %d, %v; want step %d to fail with %v", code, err, step, errno)
	}
}

func needRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root: makes namespaces")
	}
}

// TestMain hides the descriptors that this process was started with: they are not Start's to pass on.
func TestMain(m *testing.M) {
	if err := unix.CloseRange(3, math.MaxUint32, unix.CLOSE_RANGE_CLOEXEC); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}
