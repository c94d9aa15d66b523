package doctor

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/runtime/container"
	"github.com/dhow-containers/dhow/runtime/diagnose"
	"github.com/dhow-containers/dhow/runtime/plan"
	"github.com/dhow-containers/dhow/spec"
)

// Planner compiles the Program of a container without making it (container.Store.Plan).
type Planner interface {
	Plan(id string, o container.CreateOptions) (*plan.Program, error)
}

// Bundle looks at what the config of a bundle asks for: whether it can be used at all, and whether this host has it.
func Bundle(p Planner, id, dir string) []Finding {
	var r report
	program, err := p.Plan(id, container.CreateOptions{Bundle: dir})
	if err != nil {
		r.refused(err)
	} else {
		r.ok("config.json", fmt.Sprintf("%d steps from clone to execve", len(program.Steps)))
		r.files(program)
		r.groups(program)
	}
	doc, err := spec.Load(dir)
	if err != nil || doc.Spec.Process == nil || doc.Spec.Root == nil || doc.DecodeSeccomp() != nil {
		return r // said above
	}
	for _, w := range spec.Warnings(doc.Spec) {
		r.warn("config.json", w.String(), "")
	}
	r.fields(doc.Spec, dir)
	return r
}

// refused takes apart the error of a config that no container can be made from.
func (r *report) refused(err error) {
	if p := (*spec.Problems)(nil); errors.As(err, &p) {
		for _, problem := range p.List {
			r.problem(problem.Pointer, problem.Message, "")
		}
		return
	}
	d := diagnose.Describe(diagnose.Explain(err, diagnose.Context{}))
	subject := d.Field
	if subject == "" {
		subject = "config.json"
	}
	r.problem(subject, strings.TrimSuffix(d.Message, "; hint: "+d.Hint), d.Hint)
}

// files tries what the runtime will open on the host: sources of bind mounts, namespaces.
func (r *report) files(p *plan.Program) {
	for i := range p.Files {
		f := &p.Files[i]
		if !strings.HasSuffix(f.Field, ".source") && !strings.HasSuffix(f.Field, ".path") { // not the user's
			continue
		}
		fd, err := unix.Open(f.Path, unix.O_PATH|unix.O_CLOEXEC, 0)
		if err != nil {
			r.problem(f.Field, fmt.Sprintf("open %s: %v", f.Path, err), diagnose.Absent(f.Path))
			continue
		}
		unix.Close(fd)
	}
}

// fields looks at what only the kernel would notice, after everything was set up.
func (r *report) fields(c *specs.Spec, dir string) {
	rootfs := c.Root.Path
	if !filepath.IsAbs(rootfs) {
		rootfs = filepath.Join(dir, rootfs)
	}
	r.program(c, rootfs)
	r.rlimits(c.Process)
	r.score(c.Process)
	r.mounts(c.Mounts)
	r.hooks(c.Hooks)
	if c.Linux != nil {
		r.namespacePaths(c.Linux.Namespaces)
		r.sysctls(c.Linux.Sysctl)
		r.throttles(c.Linux.Resources)
		r.linux(c.Linux)
		r.owner(c.Linux, rootfs)
	}
}

// program looks for process.args[0]. What a mount brings along is not there yet, so that its absence is no problem
// when there are mounts other than those of the kernel's own file systems.
func (r *report) program(c *specs.Spec, rootfs string) {
	text := (&diagnose.Context{Config: c, Rootfs: rootfs}).ProgramProblem()
	if text == "" {
		return
	}
	for _, m := range c.Mounts {
		if bind, _ := spec.IsBind(&m); bind || m.Type == "overlay" {
			r.warn("process.args[0]", text, "unless a mount brings it")
			return
		}
	}
	r.problem("process.args[0]", text, "")
}

func (r *report) rlimits(p *specs.Process) {
	for i, l := range p.Rlimits {
		if text := diagnose.AboveHardLimit(l); text != "" {
			r.problem(fmt.Sprintf("process.rlimits[%d]", i), l.Type+": "+text, "")
		}
	}
}

func (r *report) mounts(list []specs.Mount) {
	for i := range list {
		m := &list[i]
		if bind, _ := spec.IsBind(m); bind || m.Type == "" || m.Type == "cgroup" {
			continue
		}
		if text := diagnose.UnknownFileSystem(m.Type); text != "" {
			r.problem(fmt.Sprintf("mounts[%d].type", i), text, "")
		}
		if m.Type != "overlay" {
			continue
		}
		for j, o := range m.Options {
			if text := diagnose.AbsentLayer(o); text != "" {
				r.problem(fmt.Sprintf("mounts[%d].options[%d]", i, j), text, "")
			}
		}
	}
}

func (r *report) hooks(h *specs.Hooks) {
	if h == nil {
		return
	}
	for _, kind := range [...]struct {
		name string
		list []specs.Hook
	}{
		//lint:ignore SA1019 prestart hooks are deprecated, and still a part of the spec
		{"prestart", h.Prestart}, {"createRuntime", h.CreateRuntime}, {"createContainer", h.CreateContainer},
		{"poststart", h.Poststart}, {"poststop", h.Poststop},
	} { // those of startContainer are programs of the container
		for i, hook := range kind.list {
			subject := fmt.Sprintf("hooks.%s[%d].path", kind.name, i)
			if text := diagnose.Absent(hook.Path); text != "" {
				r.problem(subject, text, "")
			} else if err := unix.Access(hook.Path, unix.X_OK); err != nil {
				r.problem(subject, hook.Path+" cannot be executed: "+err.Error(), "")
			}
		}
	}
}

// namespacePaths compares the type of the namespaces to join (ioctl_ns(2)).
func (r *report) namespacePaths(list []specs.LinuxNamespace) {
	for i, n := range list {
		flag, known := spec.NamespaceFlag(n.Type)
		if n.Path == "" || !known {
			continue
		}
		fd, err := unix.Open(n.Path, unix.O_RDONLY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
		if err != nil {
			continue // found by files, unless joining it takes nothing but its path
		}
		got, err := unix.IoctlRetInt(fd, unix.NS_GET_NSTYPE)
		unix.Close(fd)
		if err != nil || got != int(flag) {
			r.problem(fmt.Sprintf("linux.namespaces[%d].path", i), fmt.Sprintf("%s is not a %s namespace", n.Path, n.Type), "")
		}
	}
}

func (r *report) sysctls(list map[string]string) {
	for _, key := range slices.Sorted(maps.Keys(list)) {
		file, err := spec.SysctlFile(key)
		if err != nil {
			continue // refused above
		}
		if _, err := os.Stat("/proc/sys/" + file); err != nil {
			r.warn(fmt.Sprintf("linux.sysctl[%q]", key), "this kernel has no such setting, or only in some namespaces", "load the module that has it")
		}
	}
}

// throttles looks for the block devices of I/O limits.
func (r *report) throttles(res *specs.LinuxResources) {
	if res == nil || res.BlockIO == nil {
		return
	}
	b := res.BlockIO
	for _, limit := range [...]struct {
		name string
		list []specs.LinuxThrottleDevice
	}{
		{"throttleReadBpsDevice", b.ThrottleReadBpsDevice}, {"throttleWriteBpsDevice", b.ThrottleWriteBpsDevice},
		{"throttleReadIOPSDevice", b.ThrottleReadIOPSDevice}, {"throttleWriteIOPSDevice", b.ThrottleWriteIOPSDevice},
	} {
		for i, d := range limit.list {
			if _, err := os.Stat(fmt.Sprintf("/sys/dev/block/%d:%d", d.Major, d.Minor)); err != nil {
				r.problem(fmt.Sprintf("linux.resources.blockIO.%s[%d]", limit.name, i), fmt.Sprintf("there is no block device %d:%d", d.Major, d.Minor), "see /proc/partitions")
			}
		}
	}
}
