package container

import (
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/runtime/cgroup"
	"github.com/dhow-containers/dhow/runtime/plan"
	"github.com/dhow-containers/dhow/runtime/resctrl"
	"github.com/dhow-containers/dhow/runtime/seccomp"
	"github.com/dhow-containers/dhow/spec"
)

// blueprint is everything known about a container before anything of it exists.
type blueprint struct {
	id      string
	bundle  string // absolute
	rootfs  string // absolute
	doc     *spec.Document
	cgroups *cgroup.Plan
	paths   map[string]string
	rdt     *resctrl.Group // nil without linux.intelRdt
	input   *plan.Input
	program *plan.Program // once compile has run
}

// survey reads the bundle and plans the control groups; it changes nothing.
func (s *Store) survey(id string, o *CreateOptions, wait bool) (*blueprint, error) {
	b, err := s.readBundle(id, o, wait)
	if err == nil {
		err = s.planCgroups(b)
	}
	return b, err
}

// readBundle reads the bundle.
func (s *Store) readBundle(id string, o *CreateOptions, wait bool) (*blueprint, error) {
	if err := checkID(id); err != nil {
		return nil, err
	}
	b := &blueprint{id: id}
	var err error
	if b.bundle, err = filepath.Abs(o.Bundle); err != nil {
		return nil, fmt.Errorf("cannot find bundle %q: %w", o.Bundle, err)
	}
	if !utf8.ValidString(b.bundle) {
		return nil, errInvalid("cannot use bundle %q: its path is not UTF-8, which a state in JSON cannot hold", b.bundle)
	}
	end := s.span("load the config", "bundle", b.bundle)
	b.doc, err = spec.Load(b.bundle)
	if end(err); err != nil {
		return nil, err
	}
	s.warnings(b.doc)
	if err := spec.RequireProcess(b.doc.Spec); err != nil {
		return nil, err
	}
	if err := b.checkRoot(); err != nil {
		return nil, err
	}
	o.activate(b.doc.Spec.Process)
	if s.NotifySocket != "" {
		offerNotify(b.doc.Spec, filepath.Join(s.Root, id, notifyDir))
	}
	b.input = &plan.Input{ID: id, Bundle: b.bundle, Rootfs: b.rootfs, Config: b.doc.Spec, Preserved: o.PreserveFDs,
		Wait: wait, NoPivot: o.NoPivot, NewKeyring: !o.NoNewKeyring}
	if err := b.planIntelRdt(); err != nil {
		return nil, err
	}
	return b, nil
}

// compile makes the Program; it changes nothing but the seccomp cache, "" for none.
func (s *Store) compile(b *blueprint, cache string) (err error) {
	end := s.span("compile the program", "id", b.id)
	defer func() { end(err) }()
	if b.input.Filter, err = filter(b.doc, cache); err != nil {
		return err
	}
	if f := b.input.Filter; f != nil {
		s.debug("seccomp filter flags: " + strconv.FormatUint(uint64(f.LoadFlags()), 10)) // as runc has it
	}
	if err := s.hostFacts(b.input, b.rootfs); err != nil {
		return err
	}
	privileges(b.input)
	if b.program, err = plan.Compile(b.input); err != nil {
		return invalid{err}
	}
	if b.input.Filter != nil {
		s.debug("seccomp filter flags: " + strconv.FormatUint(uint64(b.input.Filter.Flags), 10))
	}
	s.debug("the program", "steps", len(b.program.Steps), "descriptors", len(b.program.Files))
	return nil
}

// warnings logs what the specification wants mentioned and not refused.
func (s *Store) warnings(doc *spec.Document) {
	s.capabilityWarnings(doc.Spec.Process)
	if !s.traces(slog.LevelInfo) { // nobody has asked
		return
	}
	for _, pointer := range doc.Unknown {
		s.Log.Warn("config.json has a property that the specification does not define", "at", pointer)
	}
	for _, w := range spec.Warnings(doc.Spec) {
		s.Log.Warn("config.json: " + w.String())
	}
}

// capabilityWarnings tells of the capabilities that a process is to have and that cannot be.
func (s *Store) capabilityWarnings(p *specs.Process) {
	if p == nil || p.Capabilities == nil || !s.traces(slog.LevelWarn) {
		return
	}
	if names := spec.UnknownCapabilities(p.Capabilities); len(names) > 0 {
		s.Log.Warn("unknown capabilities are ignored: " + strings.Join(names, " "))
	}
	for _, name := range p.Capabilities.Ambient {
		for _, set := range [...]struct {
			name string
			list []string
		}{{"inheritable", p.Capabilities.Inheritable}, {"permitted", p.Capabilities.Permitted}} {
			if !slices.Contains(set.list, name) {
				s.Log.Warn("can't raise ambient capability " + name + ": it is not in process.capabilities." + set.name)
				break
			}
		}
	}
}

// checkHost refuses what this version cannot do whatever the config says.
func (s *Store) checkHost() error {
	return CheckKernel()
}

// checkRoot finds the root file system.
func (b *blueprint) checkRoot() error {
	if b.doc.Spec.Root == nil {
		return errInvalid("cannot use config.json: /root: it is required")
	}
	b.rootfs = b.doc.Spec.Root.Path
	if !filepath.IsAbs(b.rootfs) {
		b.rootfs = filepath.Join(b.bundle, b.rootfs)
	}
	var st unix.Stat_t
	if err := unix.Stat(b.rootfs, &st); err != nil {
		return errInvalid("cannot use the root file system (root.path): stat %s: %w", b.rootfs, err)
	}
	if st.Mode&unix.S_IFMT != unix.S_IFDIR {
		return errInvalid("cannot use the root file system (root.path): %s is not a directory", b.rootfs)
	}
	if b.rootfs == "/" {
		return errInvalid("cannot use the root file system (root.path): it is the host's own")
	}
	return nil
}

// planCgroups decides on the container's control groups.
func (s *Store) planCgroups(b *blueprint) error {
	in, rootless := b.input, s.isRootless()
	host, err := cgroup.Detect()
	if err != nil && rootless && errors.Is(err, cgroup.ErrNone) {
		host, err = &cgroup.Host{Mode: cgroup.Legacy}, nil
	}
	if err != nil {
		return err
	}
	var path string
	var resources *specs.LinuxResources
	if l := b.doc.Spec.Linux; l != nil {
		path, resources = l.CgroupsPath, l.Resources
	}
	host.Rootless = rootless
	if b.cgroups, err = s.compileCgroups(host, b.id, path, b.doc.Spec.Annotations, resources); err != nil {
		return err
	}
	if rootless {
		b.cgroups.AllowDenied(path != "" || b.cgroups.Unit != nil)
	} else if uid, ok := cgroupOwner(b.doc.Spec); ok {
		b.cgroups.Delegate(host, uid)
	}
	if b.cgroups.Unit == nil { // systemd counts by itself
		if b.cgroups.Account, err = host.Accounting(); err != nil {
			return err
		}
	}
	b.paths = cgroupPaths(b.cgroups)
	in.Host.Unified = host.Mode == cgroup.Unified
	in.Host.CgroupRoot, in.Host.CgroupV1 = host.V2Root, host.V1
	in.Cgroups = b.paths
	in.TaskFiles = b.taskFiles()
	if u := b.cgroups.Unit; u != nil {
		in.Unit = &plan.Unit{Name: u.Name}
		for _, d := range b.cgroups.Dirs {
			if d.Unit {
				in.Unit.Dirs = append(in.Unit.Dirs, d.Path)
			}
		}
	}
	return nil
}

// twoClones makes room for the process that clones the container's and ends.
func (b *blueprint) twoClones() {
	if plan.ClonesTwice(b.doc.Spec) {
		b.cgroups.PidsLast()
	}
}

// taskFiles are those that the container's process joins by itself: systemd moves it where its unit is.
func (b *blueprint) taskFiles() []string {
	paths := maps.Clone(b.paths)
	for _, d := range b.cgroups.Dirs {
		for _, name := range d.Controllers {
			if d.Unit {
				delete(paths, name)
			}
		}
	}
	return cgroup.Open(paths).TasksFiles()
}

// cgroupPaths gives the directories of p by controller, as cgroup.Group has them once they are made.
func cgroupPaths(p *cgroup.Plan) map[string]string {
	paths := make(map[string]string, len(p.Dirs)+2)
	for _, d := range p.Dirs {
		if len(d.Controllers) == 0 {
			paths[""] = d.Path
		}
		for _, name := range d.Controllers {
			paths[name] = d.Path
		}
	}
	return paths
}

// filter compiles linux.seccomp, or finds it compiled.
func filter(doc *spec.Document, cache string) (*plan.Filter, error) {
	if doc.Seccomp == nil {
		return nil, nil
	}
	f, err := seccomp.Load(doc.Seccomp, cache)
	if err != nil {
		return nil, errInvalid("cannot use config.json: %w", err)
	}
	p := &plan.Filter{Insns: f.Insns, Flags: f.Flags, Notify: f.Notify}
	if !f.Notify {
		return p, nil
	}
	if err := doc.DecodeSeccomp(); err != nil {
		return nil, err
	}
	if err := spec.ValidateSeccomp(doc.Spec.Linux.Seccomp); err != nil {
		return nil, err
	}
	const sockFilter, maxInsns = 8, 4096
	if len(f.Insns)/sockFilter > maxInsns-plan.GateInsns {
		return nil, errInvalid("cannot use linux.seccomp: the filter has %d instructions, with SCMP_ACT_NOTIFY at most %d are possible",
			len(f.Insns)/sockFilter, maxInsns-plan.GateInsns)
	}
	var pass [16]byte
	if n, err := unix.Getrandom(pass[:], 0); err != nil || n != len(pass) {
		return nil, fmt.Errorf("cannot get random bytes for linux.seccomp: %w", err)
	}
	p.Pass = [2]uint64{binary.NativeEndian.Uint64(pass[:]), binary.NativeEndian.Uint64(pass[8:])}
	return p, nil
}

// Plan compiles the Program of a container without making it.
func (s *Store) Plan(id string, o CreateOptions) (*plan.Program, error) {
	b, err := s.survey(id, &o, true)
	if err == nil {
		err = s.compile(b, "")
	}
	if err != nil {
		return nil, err
	}
	b.twoClones()
	b.program.Host = strings.Split(strings.TrimSpace(b.cgroups.String()), "\n")
	if b.rdt != nil {
		b.program.Host = append(b.program.Host, strings.Split(b.rdt.String(), "\n")...)
	}
	return b.program, nil
}
