package container

import (
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/runtime/plan"
)

// stat is what /proc/PID/stat says of a process of this name.
func stat(comm, state string, start uint64) []byte {
	return fmt.Appendf(nil, "42 (%s) %s 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 %d 20 21 22\n", comm, state, start)
}

// hostileNames are names that a process may give itself to be taken for another (prctl(2), PR_SET_NAME).
var hostileNames = []string{"sh", "", ")", "(", "a) Z 1 2", ") Z 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 7 ", "a b", "\n", ")\n(", "(x) R 1", "\xff)"}

func TestParseStat(t *testing.T) {
	for _, comm := range hostileNames {
		for state, dead := range map[string]bool{"R": false, "S": false, "T": false, "Z": true, "X": true} {
			ticks, zombie, err := parseStat(stat(comm, state, 987654321))
			if err != nil || ticks != 987654321 || zombie != dead {
				t.Errorf("%q, state %s: %d, %t, %v", comm, state, ticks, zombie, err)
			}
		}
	}
	for _, text := range []string{"", ")", "1 (sh", "1 (sh)", "1 (sh) ", "1 (sh) R", "1 (sh) R 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18",
		"1 (sh) R 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 -1", "1 (sh) R 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 x"} {
		if ticks, zombie, err := parseStat([]byte(text)); err == nil {
			t.Errorf("%q is read as %d, %t", text, ticks, zombie)
		}
	}
}

func FuzzParseStat(f *testing.F) {
	for _, comm := range hostileNames {
		f.Add(comm, uint64(5))
	}
	f.Fuzz(func(t *testing.T, comm string, start uint64) {
		parseStat([]byte(comm))
		ticks, zombie, err := parseStat(stat(comm, "S", start))
		if err != nil || zombie || ticks != start {
			t.Errorf("a process called %q started at %d, %t, %v", comm, ticks, zombie, err)
		}
	})
}

func TestStartTime(t *testing.T) {
	ticks, zombie, err := startTime(os.Getpid())
	if err != nil || zombie || ticks == 0 {
		t.Fatalf("this process: %d, %t, %v", ticks, zombie, err)
	}
	me := &record{Pid: os.Getpid(), StartTime: ticks}
	if !me.alive() {
		t.Error("this process is not alive")
	}
	for name, r := range map[string]*record{"none": {}, "another's start": {Pid: me.Pid, StartTime: ticks + 1}, "dead": {Pid: dead(t), StartTime: 1}} {
		fd, err := r.pidfd()
		if r.alive() || err != unix.ESRCH {
			t.Errorf("%s: alive %t, pidfd %d, %v", name, r.alive(), fd, err)
		}
	}
	fd, err := me.pidfd()
	if err != nil {
		t.Fatal(err)
	}
	unix.Close(fd)
}

func TestCheckID(t *testing.T) {
	for _, id := range []string{"a", "0", "a.b", "...", "-", "_", "+", "A-Z_0+9.x", strings.Repeat("x", unix.NAME_MAX), ".hidden"} {
		if err := checkID(id); err != nil {
			t.Errorf("%q: %v", id, err)
		}
	}
	for _, id := range []string{"", ".", "..", "/", "a/b", "../x", "a b", "a\x00", "a\n", "é", "@seccomp", "a:b", "a*", "~", "\xff", strings.Repeat("x", unix.NAME_MAX+1)} {
		err := checkID(id)
		if _, ok := err.(interface{ InvalidParameter() }); !ok || !strings.HasPrefix(err.Error(), "cannot use the container id") {
			t.Errorf("%q: %v", id, err)
		}
	}
}

func TestPasswdField(t *testing.T) {
	const text = "root:x:0:0:root:/root:/bin/sh\n# comment\nshort:x:7\n::8\n\nalice:x:1000:1000::/home/alice:/bin/sh\nempty:x:9:9:::\n" +
		"twice:x:1000:1:::/other\nbig:x:4294967295:1::/big:\nodd:x:01001:1::/odd:\nlast:x:5:5::/last:/bin/sh"
	for _, c := range []struct {
		uid        uint32
		name, home string
	}{
		{0, "root", "/root"}, {1000, "alice", "/home/alice"}, {7, "short", ""}, {8, "", ""}, {9, "empty", ""},
		{1<<32 - 1, "big", "/big"}, {1001, "", ""}, {5, "last", "/last"}, {6, "", ""},
	} {
		if name, home := passwdField(text, c.uid, passwdName), passwdField(text, c.uid, passwdHome); name != c.name || home != c.home {
			t.Errorf("uid %d is %q at %q, want %q at %q", c.uid, name, home, c.name, c.home)
		}
	}
	if got := passwdField("", 0, passwdHome); got != "" {
		t.Errorf("no text has the home %q", got)
	}
}

// TestSteps: what `start` reads of the steps after the wait is what the plan said of them.
func TestSteps(t *testing.T) {
	call := func(nr uint32, task int32) plan.Step { return plan.Step{Call: nr, Task: task} }
	fail := plan.Step{Op: plan.Fail, Task: 2, Args: []plan.Arg{{Val: 1}, {Kind: plan.Text, Str: "a message"}}}
	p := &plan.Program{
		Tasks: []plan.Task{{What: "before"}, {What: "wait for start"}, {What: "run a\tb\nc", Field: "process.args[0]"}, {}},
		Steps: []plan.Step{call(unix.SYS_CLOSE, 0), call(unix.SYS_ACCEPT4, 1), call(unix.SYS_EXECVE, 2), fail, call(unix.SYS_UMASK, 3)},
	}
	got := parseSteps(describe(p))
	want := steps{
		1: {Task: p.Tasks[1], Call: "accept4"},
		2: {Task: plan.Task{What: `"run a\tb\nc"`, Field: "process.args[0]"}, Call: "execve"},
		3: {Task: plan.Task{What: `"run a\tb\nc"`, Field: "process.args[0]"}, Message: "a message"},
		4: {Call: "umask"},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("read %+v\nwant %+v", got, want)
	}
	for i, info := range want {
		if got.Describe(i) != info {
			t.Errorf("step %d is %+v", i, got.Describe(i))
		}
	}
	if text := got.Describe(0).Failure(unix.EPERM); !strings.HasPrefix(text, "cannot start the container (step 0): ") {
		t.Errorf("an unknown step says %q", text)
	}
	if list := parseSteps([]byte("x\n1\n2\ta\tb\tc\n3\ta\tb\tc\td\te\n\n-\t\t\t\t\n")); len(list) != 0 {
		t.Errorf("junk is read as %+v", list)
	}
}

// TestForwarded: what is about this process itself is not the container's.
func TestForwarded(t *testing.T) {
	for _, s := range []unix.Signal{unix.SIGHUP, unix.SIGINT, unix.SIGTERM, unix.SIGUSR1, unix.SIGCONT, 64} {
		if !forwarded(s) {
			t.Errorf("%v is kept", s)
		}
	}
	for _, s := range []unix.Signal{unix.SIGKILL, unix.SIGSTOP, unix.SIGCHLD, unix.SIGURG, unix.SIGPIPE, unix.SIGTSTP} {
		if forwarded(s) {
			t.Errorf("%v is passed on", s)
		}
	}
}
