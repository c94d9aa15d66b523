package ps

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestParseStat(t *testing.T) {
	p, err := parseStat("42 (a) (b c) S 7 42 42 34817 42 4194560 1 0 0 0 350 50 0 0 20 0 1 0 9900 0 0\n")
	if err != nil {
		t.Fatal(err)
	}
	want := process{pid: 42, ppid: 7, tty: 34817, comm: "a) (b c", cpu: 4 * time.Second, started: 99 * time.Second}
	if p.pid != want.pid || p.ppid != want.ppid || p.tty != want.tty || p.comm != want.comm ||
		p.cpu != want.cpu || p.started != want.started {
		t.Errorf("got %+v, want %+v", *p, want)
	}
	for _, bad := range []string{"", "1 x S", "1 (x) S 1", "x (x) S " + strings.Repeat("1 ", 30)} {
		if _, err := parseStat(bad); err == nil {
			t.Errorf("parseStat(%q) succeeded", bad)
		}
	}
}

func FuzzParseStat(f *testing.F) {
	f.Add("42 (a) (b c) S 7 42 42 34817 42 4194560 1 0 0 0 350 50 0 0 20 0 1 0 9900 0 0\n")
	f.Fuzz(func(t *testing.T, s string) { _, _ = parseStat(s) })
}

func TestTTYName(t *testing.T) {
	for device, want := range map[int]string{
		0: "?", 136 << 8: "pts/0", 136<<8 | 7: "pts/7", 137<<8 | 1: "pts/257",
		4<<8 | 1: "tty1", 4<<8 | 64: "ttyS0", 5<<8 | 1: "console", 204 << 8: "?",
	} {
		if got := ttyName(device); got != want {
			t.Errorf("ttyName(%#x) = %q, want %q", device, got, want)
		}
	}
}

func TestHost(t *testing.T) {
	now := time.Date(2026, 3, 2, 12, 30, 0, 0, time.UTC)
	h := &host{now: now, uptime: 400 * 24 * time.Hour, users: parsePasswd("root:x:0:0\ntoor:x:0:0\n#\nlongishname:x:5:5\n")}
	for age, want := range map[time.Duration]string{time.Hour: "11:30", 24 * time.Hour: "Mar01", 390 * 24 * time.Hour: "2025"} {
		if got := h.start(&process{started: h.uptime - age}); got != want {
			t.Errorf("start %v ago = %q, want %q", age, got, want)
		}
	}
	if got := h.share(&process{started: h.uptime - 10*time.Second, cpu: 5 * time.Second}); got != 50 {
		t.Errorf("share = %d, want 50", got)
	}
	if got := h.share(&process{started: h.uptime - time.Second, cpu: 5 * time.Second}); got != 99 {
		t.Errorf("share = %d, want 99", got)
	}
	for uid, want := range map[uint32]string{0: "root", 5: "longish+", 77: "77", 4000000000: "4000000+"} {
		if got := h.user(uid); got != want {
			t.Errorf("user(%d) = %q, want %q", uid, got, want)
		}
	}
	if got := cpuTime(26*time.Hour + 61*time.Second); got != "01-02:01:01" {
		t.Errorf("cpuTime = %q", got)
	}
	if got := bsdTime(26*time.Hour + 61*time.Second); got != "1561:01" {
		t.Errorf("bsdTime = %q", got)
	}
}

func TestParseOptions(t *testing.T) {
	for args, want := range map[string]string{
		"": "UID PID PPID C STIME TTY TIME CMD", "-ef": "UID PID PPID C STIME TTY TIME CMD",
		"-e -f": "UID PID PPID C STIME TTY TIME CMD", "-e": "PID TTY TIME CMD",
		"-o pid,args": "PID COMMAND", "-eo pid": "PID", "-efz": "", "-": "", "-opid -o comm": "PID COMMAND",
		"auxww": "USER PID %CPU %MEM VSZ RSS TTY STAT START TIME COMMAND", "-efww": "UID PID PPID C STIME TTY TIME CMD",
		"auxz": "", "-o": "", "aux": "USER PID %CPU %MEM VSZ RSS TTY STAT START TIME COMMAND", "-o wchan": "", "-o ,": "",
	} {
		columns, err := ParseOptions(strings.Fields(args))
		var heads []string
		for _, c := range columns {
			heads = append(heads, c.head)
		}
		if got := strings.Join(heads, " "); got != want || (err != nil) != (want == "") {
			t.Errorf("ParseOptions(%q) = %q, %v; want %q", args, got, err, want)
		}
	}
}

// TestAgainstPS has the real program as the oracle.
func TestAgainstPS(t *testing.T) {
	path, err := exec.LookPath("ps")
	if err != nil {
		t.Skip("needs ps")
	}
	pid := os.Getpid()
	for _, options := range [][]string{{"-f"}, {"-o", "uid,user,pid,ppid,tty,comm"}} {
		want, err := exec.Command(path, append(slices.Clone(options), "-p", strconv.Itoa(pid))...).Output()
		if err != nil {
			t.Fatal(err)
		}
		columns, err := ParseOptions(options)
		if err != nil {
			t.Fatal(err)
		}
		var got bytes.Buffer
		if err := WriteTable(&got, columns, []int{pid, 1 << 30}); err != nil {
			t.Fatal(err)
		}
		if g, w := strings.Fields(got.String()), strings.Fields(string(want)); !sameButCPU(g, w) {
			t.Errorf("%v:\n%s\nps prints:\n%s", options, got.String(), want)
		}
	}
}

// sameButCPU compares cells, forgiving one percent of cpu that passed between the two.
func sameButCPU(a, b []string) bool {
	if len(a) != len(b) {
		return false
	}
	different := 0
	for i := range a {
		if a[i] != b[i] {
			different++
		}
	}
	return different <= 1
}

func TestControlCharacters(t *testing.T) {
	cmd := exec.Command("sleep", "60")
	cmd.Args[0] = "\x1b[2Jevil\u009b"
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()
	// Start returns when execve closes the child's descriptors, a moment before it sets the arguments.
	for data := []byte(nil); len(data) == 0; {
		var err error
		if data, err = os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", cmd.Process.Pid)); err != nil {
			t.Fatal(err)
		}
	}
	var got bytes.Buffer
	columns, _ := ParseOptions([]string{"-o", "cmd"})
	if err := WriteTable(&got, columns, []int{cmd.Process.Pid}); err != nil {
		t.Fatal(err)
	}
	if got.String() != "CMD\n?[2Jevil? 60\n" {
		t.Errorf("got %q", got.String())
	}
}
