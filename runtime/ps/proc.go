package ps

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// ticks is USER_HZ, the unit of times in /proc/PID/stat, 100 on every architecture Linux runs Go on.
const ticks = 100

// process is one row.
type process struct {
	pid, ppid int
	uid       uint32        // effective
	state     string        // as ps(1) describes it, "PROCESS STATE CODES"
	tty       int           // device number, 0 for none
	cpu       time.Duration // used so far
	started   time.Duration // after boot
	comm      string        // the kernel's name for it
	args      []string      // empty for kernel threads and zombies

	group, session, nice, threads int
	virtual, resident             int // bytes
}

// readProcess reads one process; one that is gone is an error that os.ErrNotExist or ESRCH is in.
func readProcess(pid int) (*process, error) {
	dir := "/proc/" + strconv.Itoa(pid)
	stat, err := os.ReadFile(dir + "/stat")
	if err != nil {
		return nil, err
	}
	p, err := parseStat(string(stat))
	if err != nil {
		return nil, fmt.Errorf("cannot read %s/stat: %w", dir, err)
	}
	status, err := os.ReadFile(dir + "/status")
	if err != nil {
		return nil, err
	}
	if p.uid, err = parseUID(string(status)); err != nil {
		return nil, fmt.Errorf("cannot read %s/status: %w", dir, err)
	}
	cmdline, err := os.ReadFile(dir + "/cmdline")
	if err != nil {
		return nil, err
	}
	p.args = parseCmdline(cmdline)
	return p, nil
}

// parseStat reads /proc/PID/stat. The name is in parentheses and may hold anything, parentheses too.
func parseStat(s string) (*process, error) {
	open, end := strings.IndexByte(s, '('), strings.LastIndexByte(s, ')')
	if open < 1 || end < open {
		return nil, fmt.Errorf("no name in %q", s)
	}
	f := strings.Fields(s[end+1:]) // f[0] is field 3 of proc(5)
	if len(f) < 22 {
		return nil, fmt.Errorf("too few fields in %q", s)
	}
	var n [12]int
	for i, field := range []string{strings.TrimSpace(s[:open]), f[1], f[4], f[11], f[12], f[19], f[2], f[3], f[16], f[17], f[20], f[21]} {
		v, err := strconv.Atoi(field)
		if err != nil {
			return nil, fmt.Errorf("field %q is no number", field)
		}
		n[i] = v
	}
	return &process{
		pid: n[0], ppid: n[1], tty: n[2], comm: s[open+1 : end], state: stateOf(strings.TrimSpace(s[:open]), f),
		cpu: fromTicks(n[3] + n[4]), started: fromTicks(n[5]),
		group: n[6], session: n[7], nice: n[8], threads: n[9], virtual: n[10], resident: n[11] * os.Getpagesize(),
	}, nil
}

// stateOf is the letter of the state with those that BSD adds: nice or not, leader of a session, with threads, in
// the foreground. f are the fields of /proc/PID/stat from the third on.
func stateOf(pid string, f []string) string {
	state := f[0]
	if nice := f[16]; nice[0] == '-' {
		state += "<"
	} else if nice != "0" {
		state += "N"
	}
	if f[3] == pid {
		state += "s"
	}
	if f[17] != "1" {
		state += "l"
	}
	if f[2] == f[5] {
		state += "+"
	}
	return state
}

func fromTicks(n int) time.Duration { return time.Duration(n) * (time.Second / ticks) }

// parseUID finds the effective user id, the second of the four on the Uid line.
func parseUID(status string) (uint32, error) {
	_, line, _ := strings.Cut(status, "\nUid:")
	line, _, _ = strings.Cut(line, "\n")
	f := strings.Fields(line)
	if len(f) < 2 {
		return 0, fmt.Errorf("no Uid line")
	}
	uid, err := strconv.ParseUint(f[1], 10, 32)
	return uint32(uid), err
}

func parseCmdline(b []byte) []string {
	b = bytes.TrimRight(b, "\x00")
	if len(b) == 0 {
		return nil
	}
	return strings.Split(string(b), "\x00")
}

// ttyName names a terminal as ps does: the path below /dev, or "?".
func ttyName(device int) string {
	major := device >> 8 & 0xfff
	minor := device&0xff | device>>12&0xfff00
	switch {
	case major >= 136 && major <= 143: // UNIX98 pseudoterminals
		return fmt.Sprintf("pts/%d", minor+(major-136)<<8)
	case major == 4 && minor < 64:
		return fmt.Sprintf("tty%d", minor)
	case major == 4:
		return fmt.Sprintf("ttyS%d", minor-64)
	case major == 5 && minor == 1:
		return "console"
	}
	return "?"
}
