package facts

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Collect reads the facts of the calling process. Files that the container hides leave their fields empty.
func Collect() (*Facts, error) {
	f := &Facts{
		FDs: openFDs(), Args: os.Args, Env: os.Environ(),
		Pid: os.Getpid(), UID: os.Getuid(), GID: os.Getgid(), Umask: umask(),
		Status: status(), Rlimits: limits(), Namespaces: namespaces(), Mounts: Mounts("/proc/self/mountinfo"),
		UIDMap: slurp("/proc/self/uid_map"), Cgroup: slurp("/proc/self/cgroup"), Terminal: terminal(),
	}
	var err error
	if f.Groups, err = os.Getgroups(); err != nil {
		return nil, err
	}
	if f.Cwd, err = os.Getwd(); err != nil {
		return nil, err
	}
	f.OOMScore, _ = strconv.Atoi(slurp("/proc/self/oom_score_adj"))
	f.Hostname, f.Domainname = hostNames()
	return f, nil
}

func slurp(path string) string {
	data, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(data))
}

func umask() int {
	mask := unix.Umask(0)
	unix.Umask(mask)
	return mask
}

func hostNames() (host, domain string) {
	var uts unix.Utsname
	if unix.Uname(&uts) != nil {
		return "", ""
	}
	return unix.ByteSliceToString(uts.Nodename[:]), unix.ByteSliceToString(uts.Domainname[:])
}

// openFDs leaves out what the probe opened itself: the directory being read, the poller, and the cgroup
// files that Go's scheduler keeps open to follow the cpu limit.
func openFDs() map[int]string {
	fds := map[int]string{}
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return nil
	}
	for _, e := range entries {
		target, err := os.Readlink("/proc/self/fd/" + e.Name())
		if err != nil || strings.HasPrefix(target, "anon_inode:[event") || strings.HasPrefix(target, "/sys/fs/cgroup/") {
			continue
		}
		n, err := strconv.Atoi(e.Name())
		if err == nil {
			fds[n] = target
		}
	}
	return fds
}

func status() map[string]string {
	fields := map[string]string{}
	for line := range strings.Lines(slurp("/proc/self/status")) {
		name, value, _ := strings.Cut(line, ":")
		fields[name] = strings.TrimSpace(value)
	}
	return fields
}

func limits() map[string]Rlimit {
	rows := map[string]Rlimit{}
	for line := range strings.Lines(slurp("/proc/self/limits")) {
		if len(line) < 66 || strings.HasPrefix(line, "Limit ") {
			continue
		}
		values := strings.Fields(line[26:])
		rows[strings.TrimSpace(line[:26])] = Rlimit{Soft: limit(values[0]), Hard: limit(values[1])}
	}
	return rows
}

func limit(s string) uint64 {
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil {
		return ^uint64(0)
	}
	return n
}

func namespaces() map[string]string {
	links := map[string]string{}
	for _, kind := range []string{"pid", "net", "mnt", "ipc", "uts", "cgroup", "user", "time"} {
		links[kind], _ = os.Readlink("/proc/self/ns/" + kind)
	}
	return links
}

func terminal() *Terminal {
	size, err := unix.IoctlGetWinsize(0, unix.TIOCGWINSZ)
	if err != nil {
		return nil
	}
	name, _ := os.Readlink("/proc/self/fd/0")
	return &Terminal{Name: name, Height: int(size.Row), Width: int(size.Col)}
}

// Mounts parses a mountinfo file; see proc(5).
func Mounts(path string) []Mount {
	var mounts []Mount
	for line := range strings.Lines(slurp(path)) {
		left, right, ok := strings.Cut(strings.TrimSpace(line), " - ")
		head, tail := strings.Fields(left), strings.Fields(right)
		if !ok || len(head) < 6 || len(tail) < 3 {
			panic(fmt.Sprintf("bad mountinfo line %q", line))
		}
		mounts = append(mounts, Mount{
			Root: unescape(head[3]), Point: unescape(head[4]), Options: strings.Split(head[5], ","), Propagation: head[6:],
			Type: tail[0], Source: tail[1], SuperOptions: strings.Split(tail[2], ","),
		})
	}
	return mounts
}

var escapes = strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`)

func unescape(s string) string { return escapes.Replace(s) }
