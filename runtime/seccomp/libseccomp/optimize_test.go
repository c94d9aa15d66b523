package libseccomp

import (
	"math/rand/v2"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"

	"github.com/dhow-containers/dhow/runtime/seccomp/internal/bpfopt"
	"github.com/dhow-containers/dhow/runtime/seccomp/internal/bpfvm"
	"github.com/dhow-containers/dhow/runtime/seccomp/internal/compiled"
)

// plain compiles a profile without the last step, the optimisation.
func plain(t *testing.T, p *specs.LinuxSeccomp) []byte {
	t.Helper()
	act, err := parseAction(p.DefaultAction, p.DefaultErrnoRet, defaultActionAt)
	if err != nil {
		t.Fatal(err)
	}
	arches, err := parseArches(p.Architectures)
	if err != nil {
		t.Fatal(err)
	}
	rules, _, err := parseRules(p.Syscalls)
	if err != nil {
		t.Fatal(err)
	}
	insns, err := generate(act, arches, rules)
	if err != nil {
		t.Fatal(err)
	}
	return withENOSYS(insns, act, arches, p.Syscalls)
}

// someArgs are argument lists that Docker's profile and randomProfile tell apart.
func someArgs() (list [][6]uint64) {
	for _, v := range []uint64{0, 1, 8, 9, 0x7e020000, 1 << 32, 0xffffffff, ^uint64(0)} {
		list = append(list, [6]uint64{v, v, v, v, v, v}, [6]uint64{v}, [6]uint64{0, v}, [6]uint64{0, 0, v})
	}
	return append(list, [6]uint64{16}, [6]uint64{38}, [6]uint64{40}, [6]uint64{41}, [6]uint64{0x20000}, [6]uint64{0x20008})
}

// checkDecisions compares two filters on every number of the tables, on all architectures and more.
func checkDecisions(t *testing.T, p, q []byte) {
	t.Helper()
	args := someArgs()
	for _, arch := range []specs.Arch{specs.ArchX86_64, specs.ArchX86, specs.ArchX32, specs.ArchAARCH64} {
		for nr := range uint32(1000) {
			if nr > 500 {
				nr = [...]uint32{1<<30 - 1, ^uint32(0), 1 << 31, 1<<31 - 1, 3 << 30}[nr%5] + nr/5 - 150
			}
			if arch == specs.ArchX32 {
				nr |= x32Bit
			}
			for _, a := range args {
				d := &bpfvm.Data{Arch: knownArch[arch].audit, Nr: nr, Args: a}
				want, _ := bpfvm.Run(p, d)
				if got, _ := bpfvm.Run(q, d); got != want {
					t.Fatalf("%s number %#x arguments %#x: %#x, want %#x", arch, nr, a, got, want)
				}
			}
		}
	}
}

func TestOptimizedDocker(t *testing.T) {
	p := dockerProfile(t)
	before, after := plain(t, p), mustCompile(t, p)
	checkDecisions(t, before, after)
	n, m := len(before)/compiled.InsnSize, len(after)/compiled.InsnSize
	t.Logf("%d instructions, were %d", m, n)
	if m > n/2 {
		t.Errorf("%d instructions, were %d: not optimised", m, n)
	}
}

func TestOptimizedAtRandom(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	rounds := 40
	if testing.Short() {
		rounds = 4
	}
	for range rounds {
		p := randomProfile(rng, dockerProfile(t))
		before, after := plain(t, p), mustCompile(t, p)
		checkDecisions(t, before, after)
		if n := len(bpfopt.Optimize(before)); n != len(after) {
			t.Errorf("%d bytes, then %d", len(after), n)
		}
	}
}

// randomProfile makes rules for some of the names of a profile, with one action for each name.
func randomProfile(rng *rand.Rand, from *specs.LinuxSeccomp) *specs.LinuxSeccomp {
	acts := []specs.LinuxSeccompAction{specs.ActAllow, specs.ActErrno, specs.ActKill, specs.ActLog, specs.ActTrap}
	ops := []specs.LinuxSeccompOperator{specs.OpNotEqual, specs.OpLessThan, specs.OpLessEqual, specs.OpEqualTo, specs.OpGreaterEqual,
		specs.OpGreaterThan, specs.OpMaskedEqual}
	vals := []uint64{0, 1, 8, 9, 1 << 32, 0xffffffff}
	p := &specs.LinuxSeccomp{DefaultAction: acts[rng.IntN(len(acts))]}
	if rng.IntN(2) == 0 {
		p.Architectures = from.Architectures
	}
	seen, density := map[string]bool{}, 1+rng.IntN(6)
	for _, s := range from.Syscalls {
		for _, name := range s.Names {
			if seen[name] || rng.IntN(density) != 0 {
				continue
			}
			seen[name] = true
			rule := call(acts[rng.IntN(len(acts))], name)
			for index := range uint(rng.IntN(4)) {
				if rng.IntN(6) == 0 {
					rule.Args = append(rule.Args, specs.LinuxSeccompArg{Index: index, Op: ops[rng.IntN(len(ops))],
						Value: vals[rng.IntN(len(vals))], ValueTwo: vals[rng.IntN(len(vals))]})
				}
			}
			p.Syscalls = append(p.Syscalls, rule)
		}
	}
	return p
}
