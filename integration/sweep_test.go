package integration

import (
	"encoding/json"
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

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// DESIGN rule 9: kill -9 of any process of ours at any step leaves something that delete --force cleans.
// The runtime is built with the tag failpoint for this: with DHOW_FAILPOINT=step:N it kills itself when
// the container's process reaches step N, with parent:NAME at that point of its own code.

// failpointRuntime builds that runtime.
func failpointRuntime(t *testing.T) string {
	t.Helper()
	onlyDhow(t, "failpoints are built into our own runtime")
	if path := os.Getenv("DHOW_TEST_FAILPOINT"); path != "" {
		return path
	}
	tree, err := Tree()
	must(t, err)
	path := filepath.Join(t.TempDir(), "runtime")
	cmd := exec.Command("make", "-s", "runtime-failpoint", "OUT="+path)
	cmd.Dir = tree
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("cannot build the runtime with failpoints: %v\n%s", err, out)
	}
	return path
}

func sweepBundles(t *testing.T) map[string]*Bundle {
	hooks := newHookLog(t)
	return map[string]*Bundle{
		"plain": newBundle(t, Args("sleep", "1000")),
		"full": newBundle(t, Args("sleep", "1000"), MappedUser, DockerSeccomp, memoryLimitIfAny, hooks.all(), bindAndSysctl(t),
			Namespace(specs.CgroupNamespace, "")),
	}
}

func memoryLimitIfAny(b *Bundle) {
	if exists("/sys/fs/cgroup/memory") {
		memoryLimit(256 << 20)(b)
	}
}

func bindAndSysctl(t *testing.T) Edit {
	return both(Bind(t.TempDir(), "/mnt", "ro"), Bind(t.TempDir(), "/mapped", "idmap"), func(b *Bundle) {
		Bind(filepath.Join(b.Rootfs(), "mnt"), "/again", "idmap")(b) // what the first has put there
	}, Mount("tmpfs", "tmpfs", "/var", "tmpcopyup"), Linux(func(l *specs.Linux) {
		l.Sysctl = map[string]string{"net.ipv4.ip_forward": "1"}
	}))
}

func TestKillCreateAfterEveryStep(t *testing.T) {
	t.Parallel()
	path := failpointRuntime(t)
	for name, b := range sweepBundles(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			total, killed, last, stride := stepCount(t, path, b), 0, 0, sweepStride()
			for step := 0; step < total; step += stride {
				if killedAt(t, path, b, "step:"+itoa(step)) {
					killed, last = killed+1, step
				}
			}
			// Steps that the Program jumps over, and those after the wait for start, are never come to.
			if killed < total/stride/3 {
				t.Errorf("create was killed at %d of %d steps only: the failpoints do not work", killed, total/stride)
			}
			t.Logf("killed at %d of %d steps, at last at %d", killed, total, last)
		})
	}
}

// sweepStride is 1, but in the virtual machine, where every step would take ten minutes.
func sweepStride() int {
	if inVM() {
		return 37
	}
	return 1
}

// stepCount is how many steps the Program of create has.
func stepCount(t *testing.T, path string, b *Bundle) int {
	t.Helper()
	r := &cli{t: t, Path: path, Root: filepath.Join(t.TempDir(), "root")}
	var program struct{ Steps []json.RawMessage }
	must(t, json.Unmarshal([]byte(r.Must("plan", "--format", "json", "--bundle", b.Dir, "sweep").Stdout), &program))
	return len(program.Steps)
}

// killedAt creates a container with a failpoint set, removes it by force and looks for remains. It is
// false when create came through: the point was never reached.
func killedAt(t *testing.T, path string, b *Bundle, point string) bool {
	t.Helper()
	r := &cli{t: t, Path: path, Root: filepath.Join(t.TempDir(), "root")}
	id := "dhowtest-" + strings.NewReplacer(":", "-", "/", "-").Replace(point) + "-" + itoa(os.Getpid()) + "-" + itoa(int(idCounter.Add(1)))
	r.Env = append(os.Environ(), "DHOW_FAILPOINT="+point)
	res := r.Detached("create", "--bundle", b.Dir, id)
	r.Env = nil
	r.Must("delete", "--force", id)
	checkGone(t, id)
	sweepAway(t, r.Root)
	if res.Code != 0 && res.Code != 137 {
		t.Fatalf("%s: exit %d, want death by SIGKILL: %s", point, res.Code, res.Stderr)
	}
	return res.Code != 0
}

func TestKillTheParentAtItsFailpoints(t *testing.T) {
	t.Parallel()
	path := failpointRuntime(t)
	names := parentFailpoints(t)
	if len(names) == 0 {
		t.Fatal("no failpoint(NAME) in runtime/")
	}
	for _, name := range names {
		for kind, b := range sweepBundles(t) {
			killed := killedAt(t, path, b, "parent:"+name)
			t.Logf("%s of %s: killed %v", name, kind, killed)
		}
	}
}

// parentFailpoints reads the names from the source: each call failpoint("NAME").
func parentFailpoints(t *testing.T) []string {
	t.Helper()
	tree, err := Tree()
	must(t, err)
	var names []string
	must(t, filepath.WalkDir(filepath.Join(tree, "runtime"), func(path string, e fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			names = append(names, failpointName(n)...)
			return true
		})
		return nil
	}))
	slices.Sort(names)
	return slices.Compact(names)
}

func failpointName(n ast.Node) []string {
	call, ok := n.(*ast.CallExpr)
	if !ok || len(call.Args) != 1 {
		return nil
	}
	function, ok := call.Fun.(*ast.Ident)
	literal, isLiteral := call.Args[0].(*ast.BasicLit)
	if !ok || !isLiteral || function.Name != "failpoint" {
		return nil
	}
	name, err := strconv.Unquote(literal.Value)
	if err != nil {
		return nil
	}
	return []string{name}
}

// start, exec and delete die as well: what they leave is a container that delete --force removes.
func TestKillOtherVerbs(t *testing.T) {
	t.Parallel()
	path := failpointRuntime(t)
	for _, name := range parentFailpoints(t) {
		for _, verb := range [][]string{{"start"}, {"exec", "true"}, {"update", "--memory", "67108864"}, {"delete", "--force"}} {
			r := &cli{t: t, Path: path, Root: filepath.Join(t.TempDir(), "root")}
			id := r.Create(newBundle(t, Args("sleep", "1000")))
			if verb[0] == "exec" {
				r.Must("start", id)
			}
			r.Env = append(os.Environ(), "DHOW_FAILPOINT=parent:"+name)
			args := append(slices.Clone(verb), id)
			if verb[0] == "exec" {
				args = []string{"exec", id, "true"}
			}
			r.Detached(args...)
			r.Env = nil
			r.Must("delete", "--force", id)
			checkGone(t, id)
			sweepAway(t, r.Root)
		}
	}
}

// An exec that dies at any of its steps leaves the container as it was, and no process in it.
func TestKillExecAfterEveryStep(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	path := failpointRuntime(t)
	id := r.Started(newBundle(t, Args("sleep", "1000"), MappedUser, DockerSeccomp, Namespace(specs.CgroupNamespace, "")))
	killed, idle := 0, 0
	for step := 0; idle < 100; step += sweepStride() {
		cmd := r.Command("exec", id, "true")
		cmd.Path, cmd.Env = path, append(os.Environ(), "DHOW_FAILPOINT=step:"+itoa(step))
		switch res := r.DoCommand(cmd); res.Code {
		case 137:
			killed, idle = killed+1, 0
		case 0: // jumped over, or beyond the last step
			idle++
		default:
			t.Fatalf("step %d: exit %d, want death by SIGKILL: %s", step, res.Code, res.Stderr)
		}
	}
	if killed < 50/sweepStride() {
		t.Errorf("exec was killed at %d steps only: the failpoints do not work", killed)
	}
	t.Logf("killed at %d steps", killed)
	await(t, "the container to hold its init alone", func() bool {
		return len(lines(r.Must("ps", "--format", "json", id).Stdout)) == 1 && r.Must("ps", "--format", "json", id).Stdout == "["+itoa(r.State(id).Pid)+"]\n"
	})
	r.Do("exec", id, "true").Exited(0)
}
