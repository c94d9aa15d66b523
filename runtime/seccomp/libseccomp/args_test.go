package libseccomp

import (
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// values lie around both halves of big, where a comparison of 64 bits in 32-bit steps goes wrong.
const big = uint64(0x1234_5678_9abc_def0)

var values = []uint64{0, 1, 2, big - 1, big, big + 1, big & 0xffffffff, big &^ 0xffffffff, big + 1<<32, big - 1<<32, 1 << 63, ^uint64(0)}

var holds = map[specs.LinuxSeccompOperator]func(arg, value, two uint64) bool{
	specs.OpNotEqual:     func(a, v, _ uint64) bool { return a != v },
	specs.OpLessThan:     func(a, v, _ uint64) bool { return a < v },
	specs.OpLessEqual:    func(a, v, _ uint64) bool { return a <= v },
	specs.OpEqualTo:      func(a, v, _ uint64) bool { return a == v },
	specs.OpGreaterEqual: func(a, v, _ uint64) bool { return a >= v },
	specs.OpGreaterThan:  func(a, v, _ uint64) bool { return a > v },
	specs.OpMaskedEqual:  func(a, v, two uint64) bool { return a&v == two&v },
}

func TestOperators(t *testing.T) {
	for op, f := range holds {
		for index := range uint(maxArgs) {
			arg := specs.LinuxSeccompArg{Index: index, Op: op, Value: big, ValueTwo: 7}
			if op == specs.OpMaskedEqual {
				arg.Value, arg.ValueTwo = 0xff00_0000_0000_00ff, 0x1200_0000_0000_0ff0
			}
			prog := withArgs(t, arg)
			for _, v := range values {
				var args [maxArgs]uint64
				args[index] = v
				want := eperm
				if f(v, arg.Value, arg.ValueTwo) {
					want = allow
				}
				if got := decide(t, prog, specs.ArchX86_64, "ioctl", args[:]...); got != want {
					t.Errorf("%s on argument %d: %#x: filter returns %#x, want %#x", op, index, v, got, want)
				}
			}
		}
	}
}

// withArgs compiles a profile that allows ioctl with the given arguments alone.
func withArgs(t *testing.T, args ...specs.LinuxSeccompArg) []byte {
	t.Helper()
	rule := specs.LinuxSyscall{Names: []string{"ioctl"}, Action: specs.ActAllow, Args: args}
	return mustCompile(t, &specs.LinuxSeccomp{DefaultAction: specs.ActErrno, Syscalls: []specs.LinuxSyscall{rule}})
}

func TestConditionsOfOneRule(t *testing.T) {
	eq := func(index uint, v uint64) specs.LinuxSeccompArg {
		return specs.LinuxSeccompArg{Index: index, Op: specs.OpEqualTo, Value: v}
	}
	tests := []struct {
		name string
		args []specs.LinuxSeccompArg
		call []uint64
		want uint32
	}{
		{"both hold", []specs.LinuxSeccompArg{eq(0, 1), eq(1, 2)}, []uint64{1, 2}, allow},
		{"first alone holds", []specs.LinuxSeccompArg{eq(0, 1), eq(1, 2)}, []uint64{1, 3}, eperm},
		{"second alone holds", []specs.LinuxSeccompArg{eq(0, 1), eq(1, 2)}, []uint64{0, 2}, eperm},
		{"same argument, first", []specs.LinuxSeccompArg{eq(0, 1), eq(0, 2)}, []uint64{1}, allow},
		{"same argument, second", []specs.LinuxSeccompArg{eq(0, 1), eq(0, 2)}, []uint64{2}, allow},
		{"same argument, neither", []specs.LinuxSeccompArg{eq(0, 1), eq(0, 2)}, []uint64{3}, eperm},
		{"alternatives take in the others", []specs.LinuxSeccompArg{eq(0, 1), eq(0, 2), eq(1, 9)}, []uint64{5, 9}, allow},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			checkRet(t, "ioctl", decide(t, withArgs(t, test.args...), specs.ArchX86_64, "ioctl", test.call...), test.want)
		})
	}
}
