package integration

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

// underTest is what TestMain prepares once for all tests.
var underTest struct {
	runtime string // program under test
	kind    Kind
	probe   string // integration/probe, built
	dir     string // scratch, removed at the end
}

// TestMain stays on the first thread, so that no test has it: by its namespaces and capabilities the whole process is
// known, and some tests change those of a thread that ends with them.
func init() { runtime.LockOSThread() }

func TestMain(m *testing.M) {
	MachineMain()
	if os.Getuid() == 0 && CurrentStage() == Host {
		code, err := Restage(Hybrid)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
		os.Exit(code)
	}
	// What this process was started with must not look like a leak of the runtime's.
	Must(unix.CloseRange(3, math.MaxUint32, unix.CLOSE_RANGE_CLOEXEC))
	code, err := runAll(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func runAll(m *testing.M) (code int, err error) {
	if err := EnterStage(); err != nil {
		return 1, err
	}
	if underTest.dir, err = os.MkdirTemp("", "dhow-test-"); err != nil {
		return 1, err
	}
	defer os.RemoveAll(underTest.dir)
	if err := os.Chmod(underTest.dir, 0o755); err != nil { // user namespaces execute the probe from it
		return 1, err
	}
	if os.Getuid() == 0 || inVM() {
		if err := buildAll(); err != nil {
			return 1, err
		}
	}
	code = m.Run()
	shutDownMachine()
	printSkips()
	return code, nil
}

func buildAll() (err error) {
	if underTest.runtime, err = RuntimePath(); err != nil {
		return err
	}
	if underTest.kind, err = KindOf(underTest.runtime); err != nil {
		return err
	}
	// The re-executed tests of another stage use what was built for this one.
	if underTest.probe = os.Getenv("DHOW_TEST_PROBE"); underTest.probe != "" {
		return nil
	}
	underTest.probe = filepath.Join(underTest.dir, "probe")
	return BuildStatic(underTest.probe, "./integration/probe")
}

var skips struct {
	sync.Mutex
	lines []string
}

// skip ends a test without a verdict; the reason is printed again when all tests are done.
func skip(t *testing.T, reason string) {
	t.Helper()
	skips.Lock()
	skips.lines = append(skips.lines, fmt.Sprintf("%s: %s", t.Name(), reason))
	skips.Unlock()
	t.Skip(reason)
}

func printSkips() {
	skips.Lock()
	defer skips.Unlock()
	slices.Sort(skips.lines)
	fmt.Printf("%d skipped\n", len(skips.lines))
	for _, line := range skips.lines {
		fmt.Println("  " + line)
	}
}

func needRoot(t *testing.T) {
	t.Helper()
	if os.Getuid() != 0 {
		skip(t, "needs root")
	}
}

// onlyWhereIs skips a test on kernels that are too old for the file.
func onlyWhereIs(t *testing.T, path string) {
	t.Helper()
	if _, err := os.Stat(path); err != nil {
		t.Skipf("this kernel has no %s", path)
	}
}

// onlyDhow skips a test of something that the peers do differently.
func onlyDhow(t *testing.T, reason string) {
	t.Helper()
	needRoot(t)
	if underTest.kind != Dhow {
		skip(t, fmt.Sprintf("not on %s: %s", underTest.kind, reason))
	}
}

// knownHole skips an attack that the peer is known to fall for.
func knownHole(t *testing.T, where string) {
	t.Helper()
	onlyDhow(t, "Debian's 1.1 has this hole: "+where)
}
