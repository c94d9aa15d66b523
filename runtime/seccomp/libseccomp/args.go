package libseccomp

import (
	"fmt"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	lib "github.com/seccomp/libseccomp-golang"
)

// maxArgs is how many arguments a system call has.
const maxArgs = 6

var operators = map[specs.LinuxSeccompOperator]lib.ScmpCompareOp{
	specs.OpNotEqual:     lib.CompareNotEqual,
	specs.OpLessThan:     lib.CompareLess,
	specs.OpLessEqual:    lib.CompareLessOrEqual,
	specs.OpEqualTo:      lib.CompareEqual,
	specs.OpGreaterEqual: lib.CompareGreaterEqual,
	specs.OpGreaterThan:  lib.CompareGreater,
	specs.OpMaskedEqual:  lib.CompareMaskedEqual,
}

// parseArgs returns the alternatives under which a rule applies, each a list of conditions that must
// hold together: one alternative, or one for each condition when two are about the same argument.
//
// seccomp_rule_add(3) refuses the latter ("two checks on same syscall argument"), and runc has read
// such rules as alternatives since it first met them (libcontainer/seccomp/seccomp_linux.go, matchCall;
// Docker's old profile had "clone" and "personality" rules written so). Profiles rely on it.
func parseArgs(args []specs.LinuxSeccompArg, at string) ([][]lib.ScmpCondition, error) {
	var seen [maxArgs]bool
	conds := make([]lib.ScmpCondition, 0, len(args))
	repeated := false
	for i := range args {
		cond, err := parseArg(&args[i], fmt.Sprintf("%sargs/%d/", at, i))
		if err != nil {
			return nil, err
		}
		repeated = repeated || seen[cond.Argument]
		seen[cond.Argument] = true
		conds = append(conds, cond)
	}
	if !repeated {
		return [][]lib.ScmpCondition{conds}, nil
	}
	alternatives := make([][]lib.ScmpCondition, 0, len(conds))
	for _, cond := range conds {
		alternatives = append(alternatives, []lib.ScmpCondition{cond})
	}
	return alternatives, nil
}

// parseArg reads a condition. With MASKED_EQ value is the mask, and the argument and valueTwo must be
// equal under it; the other operators have no use for valueTwo.
func parseArg(arg *specs.LinuxSeccompArg, at string) (lib.ScmpCondition, error) {
	op, ok := operators[arg.Op]
	if !ok {
		return lib.ScmpCondition{}, fmt.Errorf("%sop: unknown operator %q", at, arg.Op)
	}
	if arg.Index >= maxArgs {
		return lib.ScmpCondition{}, fmt.Errorf("%sindex: %d is larger than %d", at, arg.Index, maxArgs-1)
	}
	cond, err := lib.MakeCondition(arg.Index, op, arg.Value, arg.ValueTwo)
	if err != nil {
		return lib.ScmpCondition{}, fmt.Errorf("%s: %w", at[:len(at)-1], err)
	}
	return cond, nil
}
