package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/dhow-containers/dhow/integration"
	"github.com/dhow-containers/dhow/integration/vm/job"
)

// A suite is one package's tests.
type suite struct {
	name string // import path
	skip string
	run  string // if -run says nothing
	path string // of the package, below the tree
	file string // the compiled tests, on the host
}

func (s *suite) dir() string    { return filepath.Join("/dhow/tree", s.path) }
func (s *suite) binary() string { return filepath.Join("/dhow/bin", filepath.Base(s.file)) }

// aboutTheSource are tests that read the tree or call the go command.
const aboutTheSource = "^(TestLint|TestImports|TestModules|TestPackages|TestRuntimeIsStatic|TestTopLevel)"

// defaultPackages are those whose tests touch the kernel.
const defaultPackages = "./integration,./runtime/cgroup,./runtime/container,./runtime/launch,./runtime/hooks,./runtime/console,./runtime/seccomp," + enginePackage

// enginePrograms are what `make build` makes beyond the runtime and the shim.
var enginePrograms = []string{"dhowd", "dhow", "dhow-init"}

// unitsPath has the engine's units.
const unitsPath = "higher/cmd/dhowd/systemd"

// enginePackage has tests of the engine, most of which have nothing to gain here.
const enginePackage = "./integration/engine"

func (o *options) suites(dir string) []*suite {
	if o.shell != "" {
		return nil
	}
	packages := o.packages
	if packages == "" {
		packages = defaultPackages
	}
	var list []*suite
	for _, p := range strings.Split(packages, ",") {
		path := strings.TrimPrefix(filepath.Clean(p), "./")
		s := &suite{path: path, name: "github.com/dhow-containers/dhow/" + path}
		s.file = filepath.Join(dir, strings.ReplaceAll(path, "/", "-")+".test")
		switch "./" + path {
		case "./integration":
			s.skip = aboutTheSource
		case enginePackage:
			s.run = "^TestVM"
		}
		list = append(list, s)
	}
	return list
}

// build compiles what runs inside and packs the initramfs.
func (o *options) build(dir string, k *kernel, parser string) (file string, err error) {
	tree, err := integration.Tree()
	if err != nil {
		return "", err
	}
	suites := o.suites(dir)
	if err := o.compile(tree, dir, suites); err != nil {
		return "", err
	}
	needed := slices.Clone(modules)
	programs := []string{"runtime", "runtime-failpoint", "probe", "containerd-shim-dhow-v2"}
	engine := o.wantsEngine(suites)
	if engine {
		needed = append(needed, engineModules...)
		programs = append(programs, enginePrograms...)
	}
	load, err := k.load(needed)
	if err != nil {
		return "", err
	}
	file = filepath.Join(dir, "initramfs")
	out, err := os.Create(file)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	a := newArchive(out)
	for _, d := range []string{"/dev", "/proc", "/sys", "/newroot", "/root", "/var/tmp", "/etc", "/bin", "/usr/bin", "/usr/sbin", "/sbin", "/lib", "/home"} {
		a.dir(d)
	}
	a.entry("/dev/console", 0o020600, nil) // replaced by devtmpfs; the kernel opens it before
	a.file("/init", filepath.Join(dir, "guest"))
	j := o.job(suites)
	for _, m := range load {
		at := filepath.Join("/modules", filepath.Base(m))
		a.file(at, m)
		j.Modules = append(j.Modules, at)
	}
	for _, program := range programs {
		a.file("/dhow/bin/"+program, filepath.Join(dir, program))
	}
	for _, s := range suites {
		a.file(s.binary(), s.file)
		a.dir(s.dir())
		if data := filepath.Join(tree, s.path, "testdata"); isDir(data) {
			a.tree(filepath.Join(s.dir(), "testdata"), data)
		}
	}
	if err := addSources(a, tree); err != nil {
		return "", err
	}
	if engine {
		a.tree("/dhow/tree/"+unitsPath, filepath.Join(tree, unitsPath))
	}
	if err := addProgram(a, "/dhow/bin/apparmor_parser", parser); err != nil {
		return "", err
	}
	if o.system == "plain" {
		if err := smallSystem(a); err != nil {
			return "", err
		}
	}
	if err := addJSON(a, job.File, j); err != nil {
		return "", err
	}
	return file, a.close()
}

// wantsEngine says whether the engine comes along, which is large.
func (o *options) wantsEngine(suites []*suite) bool {
	return o.shell != "" || slices.ContainsFunc(suites, func(s *suite) bool { return "./"+s.path == enginePackage })
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

func addJSON(a *archive, name string, v any) error {
	data, err := json.Marshal(v)
	a.data(name, 0o644, data)
	return err
}

// addSources adds the runtime's source: some tests read the names of failpoints in it.
func addSources(a *archive, tree string) error {
	a.file("/dhow/tree/go.mod", filepath.Join(tree, "go.mod"))
	return filepath.WalkDir(filepath.Join(tree, "runtime"), func(path string, _ os.DirEntry, err error) error {
		if strings.HasSuffix(path, ".go") {
			a.file("/dhow/tree"+strings.TrimPrefix(path, tree), path)
		}
		return err
	})
}

// smallSystem is what the plain machine has besides the tests.
func smallSystem(a *archive) error {
	a.file("/bin/busybox", integration.Busybox)
	a.link("/bin/sh", "busybox")
	a.data("/etc/passwd", 0o644, []byte("root:x:0:0:root:/root:/bin/sh\ntester:x:1000:1000::/home:/bin/sh\n"))
	a.data("/etc/group", 0o644, []byte("root:x:0:\ntty:x:5:\ntester:x:1000:\n"))
	a.data("/etc/hostname", 0o644, []byte("dhow-vm\n"))
	a.link("/usr/sbin/apparmor_parser", "/dhow/bin/apparmor_parser")
	return addPrograms(a)
}

func (o *options) compile(tree, dir string, suites []*suite) error {
	progress("building")
	builds := [][]string{
		{"make", "-s", "build"},
		{"cp", "bin/runtime", "bin/containerd-shim-dhow-v2", "bin/dhowd", "bin/dhow", "bin/dhow-init", dir},
		{"make", "-s", "runtime-failpoint", "OUT=" + filepath.Join(dir, "runtime-failpoint")},
		goBuild("build", filepath.Join(dir, "probe"), "./integration/probe"),
		goBuild("build", filepath.Join(dir, "guest"), "./integration/vm/guest"),
	}
	for _, s := range suites {
		builds = append(builds, goBuild("test", s.file, "./"+s.path))
	}
	for _, args := range builds {
		cmd := exec.Command(args[0], args[1:]...)
		cmd.Dir = tree
		if args[0] == "go" {
			cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		}
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w\n%s", strings.Join(args, " "), err, out)
		}
	}
	return nil
}

// goBuild gives static programs: there is no libc inside.
func goBuild(verb, out, pkg string) []string {
	args := []string{"go", verb}
	if verb == "test" {
		args = append(args, "-c")
	}
	return append(args, "-trimpath", "-tags", "embedseccomp", "-ldflags", "-s -w", "-o", out, pkg)
}
