package integration

import (
	"crypto/sha256"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// DESIGN rule 6, CVE-2019-5736: no container gets a handle on the runtime's own file that it can write
// through. These tests run a copy of the runtime, which an attack that works would destroy.

// ownCopy makes the runtime of r a private copy; check fails the test if the copy has changed.
func ownCopy(r *cli) (check func()) {
	r.t.Helper()
	path := filepath.Join(r.t.TempDir(), "runtime")
	must(r.t, CopyFile(path, r.Path))
	before := sha256.Sum256([]byte(readAll(r.t, path)))
	r.Path = path
	return func() {
		r.t.Helper()
		if sha256.Sum256([]byte(readAll(r.t, path))) != before {
			r.t.Error("the runtime's binary was overwritten")
		}
	}
}

func readAll(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	must(t, err)
	return string(data)
}

// bait are the ways to make the runtime execute itself.
func bait(t *testing.T) Edit {
	return both(
		File("bait/shebang", "#!/proc/self/exe\n", 0o755),
		File("bait/elf", interpreterELF(t, "/proc/self/exe"), 0o755),
		Symlink("/proc/self/exe", "bait/link"),
	)
}

var baits = []string{"/proc/self/exe", "/bait/shebang", "/bait/elf", "/bait/link"}

// tracer lets a process read /proc/PID/exe of others, as with docker's --cap-add SYS_PTRACE.
func tracer(b *Bundle) {
	caps := append([]string{"CAP_SYS_PTRACE"}, DefaultCapabilities...)
	b.Spec.Process.Capabilities = &specs.LinuxCapabilities{Bounding: caps, Effective: caps, Permitted: caps}
}

func checkHunt(t *testing.T, out string) {
	t.Helper()
	t.Log(out)
	if strings.Contains(out, "WROTE") || !strings.Contains(out, "written 0") {
		t.Errorf("the hunter reports:\n%s", out)
	}
}

// A container hunts for the runtime while the runtime executes commands in it.
func TestAttackOverwriteTheRuntimeOfExec(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	check := ownCopy(r)
	id := r.ID()
	out := newWatcher("hunting")
	cmd := r.Command("run", "--bundle", newBundle(t, probe("exe", "5"), tracer, bait(t)).Dir, id)
	cmd.Stdout, cmd.Stderr = out, out
	must(t, cmd.Start())
	out.await(t)
	for end := time.Now().Add(4 * time.Second); time.Now().Before(end); {
		for _, path := range append(baits, "/bin/true") {
			r.Do("exec", id, path, "--version") // whether it runs is of no interest
		}
	}
	must(t, cmd.Wait())
	checkHunt(t, out.String())
	check()
}

// The same for a container that shares the hunter's processes from its creation on.
func TestAttackOverwriteTheRuntimeOfANeighbour(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	check := ownCopy(r)
	id := r.ID()
	out := newWatcher("hunting")
	cmd := r.Command("run", "--bundle", newBundle(t, probe("exe", "5"), tracer).Dir, id)
	cmd.Stdout, cmd.Stderr = out, out
	must(t, cmd.Start())
	out.await(t)
	pidNamespace := "/proc/" + itoa(r.State(id).Pid) + "/ns/pid"
	for end := time.Now().Add(4 * time.Second); time.Now().Before(end); {
		for _, path := range baits {
			r.Run(newBundle(t, bait(t), Args(path, "--version"), Namespace(specs.PIDNamespace, pidNamespace)))
		}
	}
	must(t, cmd.Wait())
	checkHunt(t, out.String())
	check()
}

// A container whose program is the runtime itself: no hunter, the plain attempts of a script.
func TestAttackRuntimeAsTheProgram(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	check := ownCopy(r)
	for _, path := range baits {
		r.Run(newBundle(t, bait(t), tracer, Args(path, "--version")))
		script := "exec " + path + " --version & for i in 1 2 3 4 5 6 7 8 9; do for p in /proc/[0-9]*/exe; do " +
			"[ $p -ef /bin/busybox ] || (echo x > $p); done; done 2> /dev/null; wait"
		r.Run(newBundle(t, bait(t), tracer, Shell(script)))
		check()
	}
}

// Between create and start the init process is the runtime's own code: nothing inside may write to it.
func TestAttackCreatedInit(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	check := ownCopy(r)
	id := r.Create(newBundle(t, withProbe, tracer, Args("true")))
	res := r.Do("exec", id, "/probe", "exe", "1.5")
	checkHunt(t, res.Exited(0).Stdout)
	check()
}
