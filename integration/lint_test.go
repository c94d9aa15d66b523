package integration

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/dhow-containers/dhow/"

// source is one parsed file of the product: no tests, nothing of integration/.
type source struct {
	path    string // below the tree
	dir     string
	file    *ast.File
	files   *token.FileSet
	imports map[string]string // local name → import path
}

// A lintRule forbids something in some folders, for a reason that the next engineer should read.
type lintRule struct {
	name   string
	reason string
	where  func(dir string) bool
	find   func(s *source) []ast.Node
	except []string // files for which the reason does not hold
}

var lintRules = []lintRule{
	{
		name: "paths into a root file system", where: within("runtime/plan", "runtime/launch"),
		reason: "a path below a rootfs that is used as a string follows the container's own links (DESIGN 4.1): use a directory descriptor and openat2 with RESOLVE_IN_ROOT",
		find: calls("os.Create", "os.OpenFile", "os.Mkdir", "os.MkdirAll", "os.WriteFile", "os.Symlink", "os.Remove", "os.RemoveAll", "os.Chown", "os.Chmod",
			"os.Rename", "unix.Open", "unix.Mkdir", "unix.Mknod", "unix.Symlink", "unix.Mount", "syscall.Mount"),
		// Both open what lies on the host before the clone: bind sources, namespaces, groups.
		except: []string{"runtime/launch/files.go", "runtime/launch/idmap.go"},
	},
	{
		name: "joins with a rootfs", where: within("runtime", "shim"),
		reason: "filepath.Join(rootfs, …) makes a string that the container's links redirect (DESIGN 4.1)",
		find:   rootfsJoins,
	},
	{
		name: "regexp in the runtime", where: within("runtime", "spec"),
		reason: "compiling an expression costs start-up time on every call of a program that lives for milliseconds: write the few comparisons out",
		find:   imports("regexp"),
	},
	{
		name: "heavy imports in the runtime", where: within("runtime", "spec"),
		reason: "net/http, grpc, protobuf and logging frameworks cost a megabyte and a tenth of a millisecond each; the runtime's budget is DESIGN 8",
		find:   imports("net/http", "google.golang.org/grpc", "google.golang.org/protobuf", "github.com/sirupsen/logrus", "expvar", "html/template", "text/template"),
	},
	{
		name: "grpc in the shim", where: within("shim"),
		reason: "the shim speaks ttrpc only: grpc adds 5 MiB to its file and 4 MiB to each resident copy",
		find:   imports("google.golang.org/grpc"),
	},
	{
		name: "heavy imports in the shim", where: within("shim"),
		reason: "there is a shim for every container: net/http, protobuf's reflection and logging frameworks cost each of them a megabyte",
		find:   imports("net/http", "os/exec", "google.golang.org/protobuf", "github.com/containerd/ttrpc", "github.com/sirupsen/logrus", "regexp"),
	},
	{
		name: "other programs doing our work", where: everywhere,
		reason: "exec of ip, iptables, mount, tar or a runtime costs a process, depends on the host's versions and loses the cause of an error: call the kernel",
		find:   execOf("ip", "iptables", "nft", "mount", "umount", "tar", "runc", "crun", "nsenter", "sysctl", "modprobe"),
	},
	{
		name: "unsafe outside the step machine", where: func(dir string) bool { return !within("runtime/launch")(dir) },
		reason: "only runtime/launch may break Go's memory rules; everything else uses golang.org/x/sys",
		find:   imports("unsafe"),
		except: []string{"runtime/cgroup/bpf.go"}, // bpf(2) takes a structure of pointers, and x/sys has no wrapper for it
	},
	{
		name: "sleeping", where: everywhere,
		reason: "a sleep is either too short or too long: wait for the event (pidfd, inotify, cgroup.events, a pipe)",
		find:   calls("time.Sleep", "unix.Nanosleep", "syscall.Nanosleep"),
	},
	{
		name: "printing from libraries", where: func(dir string) bool { return !strings.Contains(dir+"/", "/cmd/") },
		reason: "stdout belongs to the container and to the verbs in cmd/: a library returns values or writes to an io.Writer it is given",
		find:   calls("fmt.Print", "fmt.Println", "fmt.Printf"),
	},
}

func everywhere(string) bool { return true }

func within(dirs ...string) func(string) bool {
	return func(dir string) bool {
		return slices.ContainsFunc(dirs, func(d string) bool { return dir == d || strings.HasPrefix(dir, d+"/") })
	}
}

func TestLint(t *testing.T) {
	t.Parallel()
	sources := productSources(t)
	for _, rule := range lintRules {
		t.Run(rule.name, func(t *testing.T) {
			for _, s := range sources {
				if !rule.where(s.dir) || slices.Contains(rule.except, s.path) {
					continue
				}
				for _, n := range rule.find(s) {
					t.Errorf("%s:%d: %s", s.path, s.files.Position(n.Pos()).Line, rule.reason)
				}
			}
		})
	}
}

func productSources(t *testing.T) []*source {
	t.Helper()
	tree, err := Tree()
	must(t, err)
	var sources []*source
	for _, top := range []string{"spec", "runtime", "shim", "higher"} {
		root := filepath.Join(tree, top)
		if _, err := os.Stat(root); err != nil {
			continue // a layer that is not there yet
		}
		must(t, filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			s, err := parseSource(tree, path)
			sources = append(sources, s)
			return err
		}))
	}
	return sources
}

func parseSource(tree, path string) (*source, error) {
	rel, err := filepath.Rel(tree, path)
	if err != nil {
		return nil, err
	}
	s := &source{path: rel, dir: filepath.Dir(rel), files: token.NewFileSet(), imports: map[string]string{}}
	if s.file, err = parser.ParseFile(s.files, path, nil, parser.SkipObjectResolution); err != nil {
		return nil, err
	}
	for _, spec := range s.file.Imports {
		target, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return nil, err
		}
		name := filepath.Base(target)
		if spec.Name != nil {
			name = spec.Name.Name
		}
		s.imports[name] = target
	}
	return s, nil
}

func imports(forbidden ...string) func(*source) []ast.Node {
	return func(s *source) []ast.Node {
		var found []ast.Node
		for _, spec := range s.file.Imports {
			target := strings.Trim(spec.Path.Value, `"`)
			if slices.ContainsFunc(forbidden, func(f string) bool { return target == f || strings.HasPrefix(target, f+"/") }) {
				found = append(found, spec)
			}
		}
		return found
	}
}

// calls finds uses of functions written as the package's last path element and the name.
func calls(forbidden ...string) func(*source) []ast.Node {
	return func(s *source) []ast.Node {
		return inspect(s, func(n ast.Node) bool {
			selector, ok := n.(*ast.SelectorExpr)
			return ok && slices.Contains(forbidden, s.qualified(selector))
		})
	}
}

// qualified is "package.Name" for a selector on an imported package.
func (s *source) qualified(selector *ast.SelectorExpr) string {
	ident, ok := selector.X.(*ast.Ident)
	if !ok || s.imports[ident.Name] == "" {
		return ""
	}
	return filepath.Base(s.imports[ident.Name]) + "." + selector.Sel.Name
}

func inspect(s *source, match func(ast.Node) bool) []ast.Node {
	var found []ast.Node
	ast.Inspect(s.file, func(n ast.Node) bool {
		if n != nil && match(n) {
			found = append(found, n)
		}
		return true
	})
	return found
}

func rootfsJoins(s *source) []ast.Node {
	return inspect(s, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok || len(call.Args) < 2 {
			return false
		}
		selector, ok := call.Fun.(*ast.SelectorExpr)
		if !ok || !strings.HasSuffix(s.qualified(selector), "path.Join") {
			return false
		}
		return strings.Contains(strings.ToLower(exprName(call.Args[0])), "rootfs")
	})
}

func exprName(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return e.Sel.Name
	case *ast.CallExpr:
		return exprName(e.Fun)
	}
	return ""
}

func execOf(programs ...string) func(*source) []ast.Node {
	return func(s *source) []ast.Node {
		return inspect(s, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return false
			}
			selector, ok := call.Fun.(*ast.SelectorExpr)
			if !ok || !slices.Contains([]string{"exec.Command", "exec.CommandContext", "exec.LookPath"}, s.qualified(selector)) {
				return false
			}
			return slices.ContainsFunc(call.Args, func(arg ast.Expr) bool {
				literal, ok := arg.(*ast.BasicLit)
				return ok && slices.Contains(programs, filepath.Base(strings.Trim(literal.Value, `"`)))
			})
		})
	}
}

// Arrows point down only: higher → shim → runtime → spec (DESIGN 1).
func TestImportsPointDown(t *testing.T) {
	t.Parallel()
	height := map[string]int{"spec": 0, "runtime": 1, "shim": 2, "higher": 3, "integration": 4}
	for _, s := range productSources(t) {
		from, _, _ := strings.Cut(s.dir, "/")
		for _, target := range s.imports {
			below, ours := strings.CutPrefix(target, module)
			to, _, _ := strings.Cut(below, "/")
			if ours && height[to] > height[from] {
				t.Errorf("%s imports %s: %s must not know %s", s.path, target, from, to)
			}
		}
	}
}

func goList(t *testing.T, args ...string) []string {
	t.Helper()
	tree, err := Tree()
	must(t, err)
	cmd := exec.Command("go", append([]string{"list"}, args...)...)
	cmd.Dir, cmd.Env = tree, append(os.Environ(), "CGO_ENABLED=0")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, stderr.String())
	}
	return strings.Fields(string(out))
}
