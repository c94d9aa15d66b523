package plan

import (
	"golang.org/x/sys/unix"
)

// builder collects a Program's steps. Labels are forward references: made by label, used as a step's
// next or else, and fixed by place.
type builder struct {
	p      Program
	labels []int32 // label number (negative in steps) → step
	task   int32
	args   []Arg // room for the arguments of steps to come
	answer *Mem  // room for what a system call writes, until it is loaded
	hows   []*Mem
	nextFD int
	reg    Reg
}

type label int32

func newBuilder(firstFD int) *builder {
	b := &builder{nextFD: firstFD, reg: Report}
	b.p.Steps = make([]Step, 0, 768)
	b.p.Tasks = make([]Task, 0, 96)
	b.labels = append(b.labels, 0) // label 0 is "the following step"
	return b
}

// doing starts a task: the steps that follow are for it.
func (b *builder) doing(what, field string) {
	b.p.Tasks = append(b.p.Tasks, Task{what, field})
	b.task = int32(len(b.p.Tasks) - 1)
}

// file adds a descriptor for the parent to open and returns it as an argument.
func (b *builder) file(f File) Arg {
	f.FD = b.nextFD
	b.nextFD++
	b.p.Files = append(b.p.Files, f)
	return num(uint64(f.FD))
}

func (b *builder) add(s Step) *stepRef {
	s.Task = b.task
	b.p.Steps = append(b.p.Steps, s)
	return &stepRef{b, len(b.p.Steps) - 1}
}

// call adds a system call.
func (b *builder) call(nr uint32, args ...Arg) *stepRef {
	return b.add(Step{Call: nr, Args: b.keep(args)})
}

// keep copies arguments to where they stay, many steps' in one allocation.
func (b *builder) keep(args []Arg) []Arg {
	if len(b.args)+len(args) > cap(b.args) {
		b.args = make([]Arg, 0, 256)
	}
	start := len(b.args)
	b.args = append(b.args, args...)
	return b.args[start:len(b.args):len(b.args)]
}

func (b *builder) op(op Op, args ...Arg) *stepRef {
	return b.add(Step{Op: op, Args: b.keep(args)})
}

// newReg returns a fresh register.
func (b *builder) newReg() Reg {
	b.reg++
	return b.reg
}

// label returns a place that is still to come.
func (b *builder) label() label {
	b.labels = append(b.labels, 0)
	return label(len(b.labels) - 1)
}

// place puts a label before the step that is added next.
func (b *builder) place(l label) { b.labels[l] = int32(len(b.p.Steps)) }

// jump goes to l whatever happened.
func (b *builder) jump(l label) { b.op(Compare, num(0), num(0)).then(l) }

// finish turns labels into step numbers.
func (b *builder) finish() *Program {
	for i := range b.p.Steps {
		s := &b.p.Steps[i]
		s.Next = b.target(s.Next, i)
		s.Else = b.target(s.Else, i)
	}
	b.p.Regs = int(b.reg) + 1
	return &b.p
}

func (b *builder) target(l int32, step int) int32 {
	if l == 0 {
		return int32(step + 1)
	}
	return b.labels[l]
}

// stepRef lets a step just added be completed.
type stepRef struct {
	b *builder
	i int
}

func (r *stepRef) step() *Step { return &r.b.p.Steps[r.i] }

// save keeps the result in a fresh register.
func (r *stepRef) save() Reg {
	reg := r.b.newReg()
	r.step().Save = reg
	return reg
}

// saveTo keeps the result in reg, so that two branches can leave theirs in one place.
func (r *stepRef) saveTo(reg Reg) *stepRef {
	r.step().Save = reg
	return r
}

// ok names the errors after which the Program goes on.
func (r *stepRef) ok(errs ...unix.Errno) *stepRef {
	s := r.step()
	n := 0
	for n < len(s.Ok) && s.Ok[n] != 0 {
		n++
	}
	copy(s.Ok[n:], errs)
	return r
}

// any makes the Program go on after every error.
func (r *stepRef) any() *stepRef {
	r.step().Any = true
	return r
}

// then says where to go on success, or when Compare finds its operands equal.
func (r *stepRef) then(l label) *stepRef {
	r.step().Next = int32(l)
	return r
}

// otherwise says where to go after a tolerated error, or when Compare finds a difference.
func (r *stepRef) otherwise(l label) *stepRef {
	r.step().Else = int32(l)
	return r
}

func num(v uint64) Arg        { return Arg{Val: v} }
func neg(v int64) Arg         { return Arg{Val: uint64(v)} }
func str(s string) Arg        { return Arg{Kind: Text, Str: s} }
func ptr(m *Mem) Arg          { return Arg{Kind: Pointer, Mem: m} }
func (r Reg) arg() Arg        { return Arg{Kind: InReg, Val: uint64(r)} }
func room(n int) *Mem         { return &Mem{Data: make([]byte, n)} }
func (m *Mem) at(off int) Arg { return Arg{Kind: Pointer, Mem: m, Val: uint64(off)} }
