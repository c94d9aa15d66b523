package libseccomp

import (
	"fmt"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	lib "github.com/seccomp/libseccomp-golang"
	"golang.org/x/sys/unix"
)

// defaultActionAt is the field that an action was read from; see parseAction.
const defaultActionAt = "/linux/seccomp/default"

// Largest values of errnoRet: what libseccomp takes, one below the kernel's MAX_ERRNO, and
// SECCOMP_RET_DATA.
const (
	maxErrno = 4094
	maxData  = 0xffff
)

var actions = map[specs.LinuxSeccompAction]lib.ScmpAction{
	specs.ActKill:        lib.ActKillThread,
	specs.ActKillThread:  lib.ActKillThread,
	specs.ActKillProcess: lib.ActKillProcess,
	specs.ActTrap:        lib.ActTrap,
	specs.ActErrno:       lib.ActErrno,
	specs.ActTrace:       lib.ActTrace,
	specs.ActAllow:       lib.ActAllow,
	specs.ActLog:         lib.ActLog,
	specs.ActNotify:      lib.ActNotify,
}

// parseAction reads an action and its errno, EPERM when the profile has none. at is the JSON pointer of
// the rule with its slash, or defaultActionAt; it is completed to the field at fault.
func parseAction(name specs.LinuxSeccompAction, errno *uint, at string) (lib.ScmpAction, error) {
	actionAt, errnoAt := at+"action", at+"errnoRet"
	if at == defaultActionAt {
		actionAt, errnoAt = at+"Action", at+"ErrnoRet"
	}
	act, ok := actions[name]
	if !ok {
		return lib.ActInvalid, fmt.Errorf("%s: unknown action %q", actionAt, name)
	}
	limit := uint(maxErrno)
	switch act {
	case lib.ActErrno:
	case lib.ActTrace:
		limit = maxData
	default:
		if errno != nil {
			// The specification: "When the action doesn't support an errno, the runtime MUST print
			// and error and fail."
			return lib.ActInvalid, fmt.Errorf("%s: action %q takes no errno", errnoAt, name)
		}
		return act, nil
	}
	code := uint(unix.EPERM)
	if errno != nil {
		code = *errno
	}
	if code > limit {
		return lib.ActInvalid, fmt.Errorf("%s: %d is larger than %d", errnoAt, code, limit)
	}
	return act.SetReturnCode(int16(uint16(code))), nil
}

// kind is the action without its errno.
func kind(act lib.ScmpAction) lib.ScmpAction { return act & 0xffff }
