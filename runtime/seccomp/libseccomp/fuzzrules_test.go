package libseccomp

import (
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"

	"github.com/dhow-containers/dhow/runtime/seccomp/internal/bpfvm"
)

// FuzzRules compiles profiles that are well-formed, so that the fuzzer spends its time in libseccomp,
// where rules for one system call meet, and in the optimisation behind it.
func FuzzRules(f *testing.F) {
	f.Add([]byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9})
	f.Add([]byte{1, 3, 0, 1, 2, 0, 3, 9, 1, 0, 5, 0, 3, 2, 2, 1, 3, 4, 1, 2, 3, 5, 3, 1, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > 4096 {
			return
		}
		p := profileFrom(b)
		if endless(p) {
			return
		}
		prog, err := Compile(p)
		if err != nil {
			return
		}
		if err := bpfvm.Check(prog.Insns); err != nil {
			t.Fatal(err)
		}
	})
}

// source reads choices from bytes, zeros when there are no more.
type source []byte

func (s *source) pick(n int) int {
	if len(*s) == 0 {
		return 0
	}
	b := (*s)[0]
	*s = (*s)[1:]
	return int(b) % n
}

func profileFrom(b []byte) *specs.LinuxSeccomp {
	names := []string{"read", "ioctl", "socket", "socketcall", "clone", "ipc", "shmat", "mmap", "nosuchcall", "waitpid", "openat2", "recvmmsg"}
	acts := []specs.LinuxSeccompAction{specs.ActAllow, specs.ActErrno, specs.ActKill, specs.ActLog, specs.ActTrap, specs.ActNotify, specs.ActTrace}
	ops := []specs.LinuxSeccompOperator{specs.OpNotEqual, specs.OpLessThan, specs.OpLessEqual, specs.OpEqualTo, specs.OpGreaterEqual,
		specs.OpGreaterThan, specs.OpMaskedEqual}
	arches := []specs.Arch{specs.ArchX86, specs.ArchX32, specs.ArchARM, specs.ArchAARCH64, specs.ArchRISCV64}
	vals := []uint64{0, 1, 2, 0xff, 1 << 31, 1<<32 - 1, 1 << 32, 1<<32 + 1, 1 << 63, 1<<64 - 1}
	s := source(b)
	p := &specs.LinuxSeccomp{DefaultAction: acts[s.pick(len(acts))]}
	for range s.pick(len(arches) + 1) {
		p.Architectures = append(p.Architectures, arches[s.pick(len(arches))])
	}
	for len(s) > 0 {
		rule := call(acts[s.pick(len(acts))], names[s.pick(len(names))])
		for range s.pick(4) {
			rule.Args = append(rule.Args, specs.LinuxSeccompArg{Index: uint(s.pick(maxArgs)), Op: ops[s.pick(len(ops))],
				Value: vals[s.pick(len(vals))], ValueTwo: vals[s.pick(len(vals))]})
		}
		p.Syscalls = append(p.Syscalls, rule)
	}
	return p
}

// endless tells whether libseccomp 2.5.4 may loop for ever over a profile: see doc.go.
func endless(p *specs.LinuxSeccomp) bool {
	type shared struct {
		name string
		arg  specs.LinuxSeccompArg
	}
	seen := map[shared]bool{}
	for _, s := range p.Syscalls {
		for _, arg := range s.Args {
			arg.ValueTwo = 0
			k := shared{s.Names[0], arg}
			if seen[k] && arg.Op != specs.OpEqualTo && arg.Op != specs.OpMaskedEqual {
				return true
			}
			seen[k] = true
		}
	}
	return false
}
