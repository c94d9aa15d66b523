package ps

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// host is what rows are relative to.
type host struct {
	now    time.Time
	uptime time.Duration
	memory uint64 // bytes
	users  map[uint32]string
}

func readHost() (*host, error) {
	data, err := os.ReadFile("/proc/uptime")
	if err != nil {
		return nil, err
	}
	first, _, _ := strings.Cut(string(data), " ")
	up, err := strconv.ParseFloat(first, 64)
	if err != nil {
		return nil, fmt.Errorf("cannot read /proc/uptime: %w", err)
	}
	var info unix.Sysinfo_t
	if err := unix.Sysinfo(&info); err != nil {
		return nil, fmt.Errorf("cannot read the size of memory: %w", err)
	}
	passwd, _ := os.ReadFile("/etc/passwd") // without it users are numbers
	return &host{
		now:    time.Now(),
		uptime: time.Duration(up * float64(time.Second)),
		memory: info.Totalram * uint64(info.Unit),
		users:  parsePasswd(string(passwd)),
	}, nil
}

// parsePasswd maps user ids to names; the first line of an id wins, as getpwuid(3) has it.
func parsePasswd(s string) map[uint32]string {
	users := map[uint32]string{}
	for line := range strings.Lines(s) {
		f := strings.Split(line, ":")
		if len(f) < 3 || f[0] == "" {
			continue
		}
		uid, err := strconv.ParseUint(f[2], 10, 32)
		if _, known := users[uint32(uid)]; err == nil && !known {
			users[uint32(uid)] = f[0]
		}
	}
	return users
}

// user names a user in ps's eight columns: a longer name ends in "+".
func (h *host) user(uid uint32) string {
	name := h.users[uid]
	if name == "" {
		name = strconv.FormatUint(uint64(uid), 10)
	}
	if len(name) > 8 {
		name = name[:7] + "+"
	}
	return name
}

// share is how much of one processor the process has used over its life, in percent, at most 99.
func (h *host) share(p *process) int {
	life := h.uptime - p.started
	if life < time.Second {
		return 0
	}
	return int(min(99, p.cpu*100/life.Truncate(time.Second)))
}

// average is the same to a tenth, and more than 99 with several processors.
func (h *host) average(p *process) float64 {
	life := h.uptime - p.started
	if life <= 0 {
		return 0
	}
	return 100 * float64(p.cpu) / float64(life)
}

// memoryShare is how much of the memory the process has, in percent.
func (h *host) memoryShare(p *process) float64 {
	if h.memory == 0 {
		return 0
	}
	return 100 * float64(p.resident) / float64(h.memory)
}

// elapsed writes a time since the start as [[DD-]HH:]MM:SS.
func elapsed(d time.Duration) string {
	return strings.TrimPrefix(cpuTime(d), "00:")
}

// start is when the process started: the time if that was today, else the day, else the year.
func (h *host) start(p *process) string {
	t := h.now.Add(p.started - h.uptime)
	switch {
	case t.Year() != h.now.Year():
		return t.Format("2006")
	case t.YearDay() != h.now.YearDay():
		return t.Format("Jan02")
	}
	return t.Format("15:04")
}

// bsdTime writes a processor time as MM:SS.
func bsdTime(d time.Duration) string {
	s := int(d / time.Second)
	return fmt.Sprintf("%d:%02d", s/60, s%60)
}

// cpuTime writes a processor time as [DD-]HH:MM:SS.
func cpuTime(d time.Duration) string {
	s := int(d / time.Second)
	clock := fmt.Sprintf("%02d:%02d:%02d", s/3600%24, s/60%60, s%60)
	if days := s / 86400; days > 0 {
		return fmt.Sprintf("%02d-%s", days, clock)
	}
	return clock
}
