package libseccomp

import (
	"errors"
	"fmt"
	"strings"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	lib "github.com/seccomp/libseccomp-golang"
	"golang.org/x/sys/unix"
)

// maxRules bounds the work and memory that a profile can ask for: a thousand names and a thousand
// alternatives make a million rules. The kernel takes no filter with so many different ones.
const maxRules = 1 << 14

// rule is one call of seccomp_rule_add(3).
type rule struct {
	call   lib.ScmpSyscall
	action lib.ScmpAction
	conds  []lib.ScmpCondition // all must hold
	name   string
	at     string // JSON pointer of the name
}

// parseRules reads the rules, one for each name and alternative, and lists the unknown names.
func parseRules(list []specs.LinuxSyscall) (rules []rule, unknown []string, err error) {
	for i := range list {
		s, at := &list[i], fmt.Sprintf("/linux/seccomp/syscalls/%d/", i)
		act, err := parseAction(s.Action, s.ErrnoRet, at)
		if err != nil {
			return nil, nil, err
		}
		alternatives, err := parseArgs(s.Args, at)
		if err != nil {
			return nil, nil, err
		}
		if len(s.Names) == 0 {
			return nil, nil, fmt.Errorf("%snames: no system call is named", at)
		}
		for j, name := range s.Names {
			call, ok, err := resolve(name)
			if err != nil {
				return nil, nil, fmt.Errorf("%snames/%d: cannot look up system call %q: %w", at, j, name, err)
			}
			if !ok {
				unknown = append(unknown, name)
				continue
			}
			if len(rules)+len(alternatives) > maxRules {
				return nil, nil, fmt.Errorf("%snames/%d: the profile has more than %d rules", at, j, maxRules)
			}
			for _, conds := range alternatives {
				r := rule{call: call, action: act, conds: conds, name: name}
				r.at = fmt.Sprintf("%snames/%d", at, j)
				rules = append(rules, r)
			}
		}
	}
	return rules, unknown, nil
}

// resolve finds a system call by name. libseccomp knows those of every architecture: one that the
// native architecture lacks gets a negative number that means it on the others.
func resolve(name string) (lib.ScmpSyscall, bool, error) {
	if strings.ContainsRune(name, 0) {
		return 0, false, nil // C would read another name, the part before the NUL
	}
	call, err := lib.GetSyscallFromName(name)
	if errors.Is(err, lib.ErrSyscallDoesNotExist) {
		return 0, false, nil
	}
	return call, err == nil, err
}

// add gives the rule to libseccomp. A rule with the default action says nothing, and libseccomp
// refuses it.
func (r *rule) add(filter *lib.ScmpFilter, defAct lib.ScmpAction) error {
	if r.action == defAct {
		return nil
	}
	err := filter.AddRuleConditional(r.call, r.action, r.conds)
	if errors.Is(err, unix.EEXIST) {
		err = errors.New("an earlier rule has another action for the same arguments")
	}
	if err != nil {
		return fmt.Errorf("%s: cannot add a rule for system call %q: %w", r.at, r.name, err)
	}
	return nil
}

func usesNotify(defAct lib.ScmpAction, rules []rule) bool {
	if kind(defAct) == lib.ActNotify {
		return true
	}
	for i := range rules {
		if kind(rules[i].action) == lib.ActNotify {
			return true
		}
	}
	return false
}
