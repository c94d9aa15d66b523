//go:build embedseccomp

package seccomp

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestUnnamedFile runs the compiler the way it is run when the host refuses to execute from memory.
func TestUnnamedFile(t *testing.T) {
	var streams [3]*os.File
	for i := range streams {
		f, err := memfile("test", unix.MFD_NOEXEC_SEAL)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		streams[i] = f
	}
	if _, err := streams[0].WriteAt([]byte(simpleProfile), 0); err != nil {
		t.Fatal(err)
	}
	status, err := executeIn(t.TempDir(), compilerProgram, streams)
	if err != nil || status != 0 {
		t.Fatal(status, err)
	}
	got, err := content(streams[1], 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	want, err := compile([]byte(simpleProfile), "")
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("another result: %d bytes, want %d, %v", len(got), len(want), err)
	}
}

// Where the streams have the descriptors below the program's, and there are free ones below, ForkExec moves a pipe of its own
// to the first one above the streams.
func TestSpawnAboveTheStreams(t *testing.T) {
	exe, err := sealed(compilerProgram)
	if err != nil {
		t.Fatal(err)
	}
	defer exe.Close()
	var streams [3]*os.File
	for i, name := range []string{"profile", "filter", "message"} {
		f, err := memfile(name, unix.MFD_NOEXEC_SEAL)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		streams[i] = above(t, f)
	}
	if _, err := streams[0].WriteAt([]byte(simpleProfile), 0); err != nil {
		t.Fatal(err)
	}
	if status, err := spawn(above(t, exe), streams); err != nil || status != 0 {
		t.Fatal(status, err)
	}
}

// above is f with the first free descriptor from 500 on.
func above(t *testing.T, f *os.File) *os.File {
	t.Helper()
	fd, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 500)
	if err != nil {
		t.Fatal(err)
	}
	high := os.NewFile(uintptr(fd), f.Name())
	t.Cleanup(func() { high.Close() })
	return high
}

func TestNoProgram(t *testing.T) {
	_, err := runProgram("\x7fELF", nil, t.TempDir())
	checkPrefix(t, "no program", err, "cannot run the seccomp compiler: exec")
}

func TestFailure(t *testing.T) {
	for name, test := range map[string]struct {
		status  syscall.WaitStatus
		message string
		want    string
	}{
		"message":   {1 << 8, "no good\n", "no good"},
		"silent":    {3 << 8, "", "cannot compile the seccomp profile: the compiler failed with status 3"},
		"no answer": {0, "", "cannot compile the seccomp profile: the compiler failed with status 0"},
		"dies":      {11, "noise", "cannot compile the seccomp profile: the compiler died: segmentation fault"},
		"killed":    {9, "", "/linux/seccomp: libseccomp takes too long"},
	} {
		f, err := memfile("test", unix.MFD_NOEXEC_SEAL)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.WriteString(test.message); err != nil {
			t.Fatal(err)
		}
		checkPrefix(t, name, failure(test.status, f), test.want)
		f.Close()
	}
}

func checkPrefix(t *testing.T, name string, err error, want string) {
	t.Helper()
	if err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("%s: error %v, want %s", name, err, want)
	}
}

// TestEndless has a profile over which libseccomp 2.5.4 never comes to an end.
func TestEndless(t *testing.T) {
	if testing.Short() {
		t.Skip("takes 5 s")
	}
	const rule = `{"names":["mmap"],"action":"SCMP_ACT_TRAP","args":[{"index":0,"value":5,"op":"SCMP_CMP_GT"},{"index":%d,"value":7,"op":"SCMP_CMP_LT"}]}`
	profile := fmt.Sprintf(`{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[`+rule+`,`+rule+`]}`, 1, 2)
	start := time.Now()
	_, err := Load([]byte(profile), "")
	if took := time.Since(start); took > 30*time.Second {
		t.Errorf("took %v", took)
	}
	if err != nil { // a libseccomp without the bug has none
		checkPrefix(t, "endless", err, "/linux/seccomp: libseccomp takes too long")
	}
}
