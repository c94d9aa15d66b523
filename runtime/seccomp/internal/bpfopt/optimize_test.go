package bpfopt

import (
	"bytes"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/runtime/seccomp/internal/bpfvm"
)

func ld(off uint32) unix.SockFilter { return unix.SockFilter{Code: opLoad, K: off} }
func ret(v uint32) unix.SockFilter  { return unix.SockFilter{Code: opRet, K: v} }
func ja(skip uint32) unix.SockFilter {
	return unix.SockFilter{Code: opJA, K: skip}
}
func jump(code uint16, k uint32, jt, jf uint8) unix.SockFilter {
	return unix.SockFilter{Code: code, Jt: jt, Jf: jf, K: k}
}

// list is a filter as libseccomp makes it: for architecture 7, the given numbers return 1, number 9000
// looks at its first argument, all others return 0. Other architectures return 5.
func list(numbers ...uint32) program {
	p := program{ld(offArch), jump(opJEQ, 7, 1, 0), ret(5), ld(offNr)}
	for _, nr := range numbers {
		p = append(p, jump(opJEQ, nr, 0, 1), ret(1))
	}
	return append(p, jump(opJEQ, 9000, 0, 5), ld(16), unix.SockFilter{Code: opAnd, K: 0xff}, jump(opJGT, 3, 0, 1), ret(2), ja(0), ret(0))
}

func upTo(n uint32) []uint32 {
	numbers := make([]uint32, n)
	for i := range numbers {
		numbers[i] = uint32(i)
	}
	return numbers
}

// alternating returns every second number, so that no two are in one run.
func alternating(n uint32) []uint32 {
	numbers := upTo(n)
	for i := range numbers {
		numbers[i] *= 3
		numbers[i] += uint32(i % 2)
	}
	return numbers
}

// checkSame compares two filters on every number up to 10000 and some others.
func checkSame(t *testing.T, p, q []byte) {
	t.Helper()
	for _, arch := range []uint32{7, 0, 8, ^uint32(0)} {
		for nr := range uint32(10010) {
			if nr == 10000 {
				nr = 1 << 31
			} else if nr > 10000 {
				nr = -nr
			}
			for _, arg := range []uint64{0, 3, 4, 0x1ff, 0x100} {
				d := &bpfvm.Data{Arch: arch, Nr: nr, Args: [6]uint64{arg}}
				want, _ := bpfvm.Run(p, d)
				if got, _ := bpfvm.Run(q, d); got != want {
					t.Fatalf("arch %d number %d argument %#x: %#x, want %#x", arch, nr, arg, got, want)
				}
			}
		}
	}
}

func TestOptimize(t *testing.T) {
	tests := []struct {
		name  string
		prog  program
		limit int // of the result's length
	}{
		{"a run", list(upTo(300)...), 16},
		{"a run with holes", list(append(upTo(100), 102, 103, 104, 106, 107)...), 22},
		{"no runs", list(alternating(600)...), 1200},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			filter := encode(test.prog)
			opt := Optimize(filter)
			if err := bpfvm.Check(opt); err != nil {
				t.Fatal(err)
			}
			checkSame(t, filter, opt)
			n := len(opt) / insnSize
			t.Logf("%d instructions, were %d", n, len(test.prog))
			if n > test.limit || n >= len(test.prog) {
				t.Errorf("%d instructions, want at most %d and less than %d", n, test.limit, len(test.prog))
			}
		})
	}
}

// TestLeftAlone has filters that this package does not understand, or cannot make shorter.
func TestLeftAlone(t *testing.T) {
	long := list(upTo(20)...)
	with := func(start ...unix.SockFilter) program { return append(append(program{}, start...), long...) }
	tests := map[string]program{
		"short":                {ret(0)},
		"no architecture":      {ld(offNr), jump(opJEQ, 1, 0, 1), ret(1), ret(0)},
		"comparison unloaded":  with(jump(opJEQ, 0, 0, 0)),
		"architecture range":   with(ld(offArch), jump(opJGT, 9, 0, 0)),
		"architecture masked":  with(ld(offArch), unix.SockFilter{Code: opAnd, K: 1}),
		"number masked":        with(ld(offNr), unix.SockFilter{Code: opAnd, K: 1}),
		"number's low bits":    with(ld(offNr), jump(opJSET, 1, 0, 0)),
		"other instruction":    with(unix.SockFilter{Code: unix.BPF_MISC | unix.BPF_TAX}),
		"jump out":             append(with(), jump(opJEQ, 0, 0, 200)),
		"long jump out":        append(with(), ja(1<<31)),
		"no return at the end": append(with(), ld(offNr)),
		"empty":                {},
	}
	for name, p := range tests {
		if filter := encode(p); !bytes.Equal(Optimize(filter), filter) {
			t.Errorf("%s: changed", name)
		}
	}
}

// TestVerify changes each field of a good result. verify may accept only what decides the same.
func TestVerify(t *testing.T) {
	p := list(append(upTo(40), 50, 60)...)
	good, ok := decode(Optimize(encode(p)))
	if !ok || !verify(p, good) {
		t.Fatal("the result is not accepted")
	}
	changes := []func(*unix.SockFilter){
		func(in *unix.SockFilter) { in.K++ }, func(in *unix.SockFilter) { in.K-- }, func(in *unix.SockFilter) { in.K ^= 1 << 31 },
		func(in *unix.SockFilter) { in.Jt++ }, func(in *unix.SockFilter) { in.Jf++ }, func(in *unix.SockFilter) { in.Jt, in.Jf = in.Jf, in.Jt },
		func(in *unix.SockFilter) { in.Code = opRet }, func(in *unix.SockFilter) { in.Code = opJGT }, func(in *unix.SockFilter) { in.Code = opJEQ },
	}
	refused := 0
	for i := range good {
		for _, change := range changes {
			bad := append(program{}, good...)
			change(&bad[i])
			if _, ok := decode(encode(bad)); !ok {
				continue
			}
			if verify(p, bad) {
				checkSame(t, encode(p), encode(bad))
			} else {
				refused++
			}
		}
	}
	if refused < 3*len(good) {
		t.Errorf("%d changes of %d instructions refused", refused, len(good))
	}
}

// FuzzOptimize rewrites arbitrary filters.
func FuzzOptimize(f *testing.F) {
	f.Add(encode(list(upTo(20)...)), uint32(7), uint32(9000), uint64(3))
	f.Add(encode(list(alternating(20)...)), uint32(7), uint32(3), uint64(3))
	f.Fuzz(func(t *testing.T, filter []byte, arch, nr uint32, arg uint64) {
		if bpfvm.Check(filter) != nil {
			return
		}
		opt := Optimize(filter)
		if err := bpfvm.Check(opt); err != nil {
			t.Fatal(err)
		}
		d := &bpfvm.Data{Arch: arch, Nr: nr, Args: [6]uint64{arg, arg, arg, arg, arg, arg}}
		want, _ := bpfvm.Run(filter, d)
		if got, _ := bpfvm.Run(opt, d); got != want {
			t.Errorf("%#x, want %#x", got, want)
		}
	})
}
