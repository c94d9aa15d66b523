package libseccomp

import (
	"errors"
	"fmt"
	"sync"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	lib "github.com/seccomp/libseccomp-golang"

	"github.com/dhow-containers/dhow/runtime/seccomp/internal/bpfopt"
	"github.com/dhow-containers/dhow/runtime/seccomp/internal/compiled"
)

// apiLevel is the libseccomp API level that the kernel floor, Linux 5.14, has: user notification, the
// log and kill-process actions. Pinned, so that compiling asks the running kernel nothing.
const apiLevel = 6

// Program is a compiled profile, and what its compilation noticed.
type Program struct {
	compiled.Filter
	// Unknown lists the system calls of the profile that libseccomp does not know, as the profile
	// spells them. They have no rule.
	Unknown []string
}

// libseccomp keeps the API level, and nothing promises that its tables are safe for threads.
var lock sync.Mutex

// Compile translates a profile. An error that the profile is to blame for starts with the JSON pointer
// of the place in config.json.
func Compile(profile *specs.LinuxSeccomp) (*Program, error) {
	if profile == nil {
		return nil, errors.New("internal error: no profile")
	}
	lock.Lock()
	defer lock.Unlock()
	if err := lib.SetAPI(apiLevel); err != nil {
		return nil, fmt.Errorf("cannot set the libseccomp API level to %d: %w", apiLevel, err)
	}
	defAct, err := parseAction(profile.DefaultAction, profile.DefaultErrnoRet, defaultActionAt)
	if err != nil {
		return nil, err
	}
	arches, err := parseArches(profile.Architectures)
	if err != nil {
		return nil, err
	}
	rules, unknown, err := parseRules(profile.Syscalls)
	if err != nil {
		return nil, err
	}
	notify := usesNotify(defAct, rules)
	flags, err := parseFlags(profile.Flags, notify)
	if err != nil {
		return nil, err
	}
	insns, err := generate(defAct, arches, rules)
	if err != nil {
		return nil, err
	}
	insns = bpfopt.Optimize(withENOSYS(insns, defAct, arches, profile.Syscalls))
	if n := len(insns) / compiled.InsnSize; n > compiled.MaxInsns {
		return nil, fmt.Errorf("/linux/seccomp: the filter has %d instructions, the kernel takes at most %d", n, compiled.MaxInsns)
	}
	filter := compiled.Filter{Insns: insns, Flags: flags, Notify: notify}
	return &Program{Filter: filter, Unknown: unknown}, nil
}

// generate runs libseccomp over the parsed profile.
func generate(defAct lib.ScmpAction, arches []arch, rules []rule) ([]byte, error) {
	filter, err := lib.NewFilter(defAct)
	if err != nil {
		return nil, fmt.Errorf("cannot make a filter: %w", err)
	}
	defer filter.Release()
	// libseccomp's own choice, KILL_THREAD, leaves a process of several threads half dead, which nobody
	// can wait for.
	if err := filter.SetBadArchAction(lib.ActKillProcess); err != nil {
		return nil, fmt.Errorf("cannot make a filter: %w", err)
	}
	for _, a := range arches {
		if err := filter.AddArch(a.lib); err != nil {
			return nil, fmt.Errorf("%s: cannot add architecture %q: %w", a.at, a.name, err)
		}
	}
	for i := range rules {
		if err := rules[i].add(filter, defAct); err != nil {
			return nil, err
		}
	}
	return export(filter)
}
