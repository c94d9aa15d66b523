package diagnose

import (
	"errors"
	"log/slog"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/runtime/launch"
	"github.com/dhow-containers/dhow/spec"
)

// Report is an error as data. Codes are stable; SPECIFICATION.md lists them.
type Report struct {
	Message string
	Code    string
	Field   string   // config field or flag, as the message names it
	Fields  []string // JSON pointers of all that is wrong with a config
	Step    int      // number of the step of the Program that failed, -1 when none did
	Syscall string
	Errno   string // "EPERM"
	Kernel  []string
	Hint    string
	Rule    string // name of the rule that gave the hint
}

// Describe reads what an error of this tree says.
func Describe(err error) *Report {
	f := failureOf(err, Context{})
	r := &Report{Message: err.Error(), Field: f.Field, Step: -1, Syscall: f.Call}
	if e := (*Error)(nil); errors.As(err, &e) {
		r.Kernel, r.Hint, r.Rule = e.Kernel, e.Hint, e.Rule
		f.Field = FieldOf(e.Err.Error()) // not what a hint names
		r.Field = f.Field
	}
	if s := (*launch.StepError)(nil); errors.As(err, &s) {
		r.Step, r.Syscall, r.Field, f.Errno = s.Step, s.Info.Call, s.Info.Field, s.Errno
	}
	if f.Errno != 0 {
		r.Errno = unix.ErrnoName(f.Errno)
	}
	if p := (*spec.Problems)(nil); errors.As(err, &p) {
		for _, problem := range p.List {
			r.Fields = append(r.Fields, problem.Pointer)
		}
	}
	if p, ok := pointer(r.Message); ok && r.Fields == nil {
		r.Fields = []string{p}
	}
	r.Code = code(err, r)
	return r
}

// pointer is the place that an error about the config begins with, where there is only one.
func pointer(text string) (string, bool) {
	rest, found := strings.CutPrefix(text, "cannot use config.json: ")
	place, _, ends := strings.Cut(rest, ": ")
	return place, found && ends && strings.HasPrefix(place, "/")
}

// Attrs are the parts of the report that say something, for a structured log.
func (r *Report) Attrs() []slog.Attr {
	attrs := []slog.Attr{slog.String("code", r.Code)}
	for _, a := range [...]struct{ name, value string }{
		{"field", r.Field}, {"syscall", r.Syscall}, {"errno", r.Errno}, {"hint", r.Hint}, {"rule", r.Rule},
	} {
		if a.value != "" {
			attrs = append(attrs, slog.String(a.name, a.value))
		}
	}
	if r.Step >= 0 {
		attrs = append(attrs, slog.Int("step", r.Step))
	}
	if r.Fields != nil {
		attrs = append(attrs, slog.Any("fields", r.Fields))
	}
	if r.Kernel != nil {
		attrs = append(attrs, slog.Any("kernel", r.Kernel))
	}
	return attrs
}

// The classes of github.com/containerd/errdefs, by method.
type (
	notFound       interface{ NotFound() }
	alreadyExists  interface{ AlreadyExists() }
	conflict       interface{ Conflict() }
	notImplemented interface{ NotImplemented() }
	invalid        interface{ InvalidParameter() }
)

// code sorts an error: by its class where the class says all, else by the part of the config it is about.
func code(err error, r *Report) string {
	switch {
	case as[notFound](err):
		return "not-found"
	case as[alreadyExists](err):
		return "already-exists"
	case as[conflict](err):
		return "conflict"
	case as[notImplemented](err):
		return "unsupported"
	case strings.HasPrefix(r.Message, "internal error"):
		return "internal"
	case r.Fields != nil:
		return "invalid-config"
	case strings.HasPrefix(r.Message, "cannot read bundle "):
		return "invalid-config"
	case r.Field == "--root":
		return "state"
	case r.Step < 0 && strings.HasPrefix(r.Field, "--"):
		return "invalid-flag"
	case r.Step < 0 && as[invalid](err):
		return "invalid-config"
	}
	if strings.Contains(r.Message, "criu cannot ") {
		return "criu"
	}
	for _, a := range areas {
		if strings.HasPrefix(r.Field, a.field) {
			return a.code
		}
	}
	return "failed"
}

func as[T any](err error) bool {
	var target T
	return errors.As(err, &target)
}

// areas give the code for a field: the first that it begins with.
var areas = [...]struct{ field, code string }{
	{"root", "rootfs"}, {"mounts", "mount"}, {"linux.maskedPaths", "mount"}, {"linux.readonlyPaths", "mount"}, {"linux.rootfsPropagation", "mount"},
	{"linux.mountLabel", "mount"},
	{"process.args", "exec"}, {"process.cwd", "cwd"}, {"process.user", "user"}, {"process.capabilities", "capabilities"},
	{"process.noNewPrivileges", "capabilities"}, {"process.rlimits", "rlimit"}, {"process.terminal", "terminal"}, {"process.consoleSize", "terminal"},
	{"process.apparmorProfile", "label"}, {"process.selinuxLabel", "label"}, {"process.", "scheduling"},
	{"linux.namespaces", "namespace"}, {"linux.uidMappings", "namespace"}, {"linux.gidMappings", "namespace"}, {"linux.timeOffsets", "namespace"},
	{"linux.devices", "device"}, {"linux.resources", "cgroup"}, {"linux.cgroupsPath", "cgroup"}, {"linux.seccomp", "seccomp"},
	{"linux.sysctl", "sysctl"}, {"linux.netDevices", "network"}, {"linux.intelRdt", "rdt"}, {"linux.memoryPolicy", "scheduling"},
	{"linux.personality", "scheduling"}, {"hooks", "hook"}, {"hostname", "hostname"}, {"domainname", "hostname"},
}
