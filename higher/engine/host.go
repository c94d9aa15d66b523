package engine

import (
	"bufio"
	"bytes"
	"os"
	"runtime"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// host is what is said of the machine.
type host struct{ kernel, system, version, name, architecture string }

func lookAtHost() host {
	var u unix.Utsname
	_ = unix.Uname(&u)
	h := host{
		kernel: unix.ByteSliceToString(u.Release[:]), name: unix.ByteSliceToString(u.Nodename[:]),
		architecture: unix.ByteSliceToString(u.Machine[:]), system: runtime.GOOS,
	}
	text, err := os.ReadFile("/etc/os-release")
	if err != nil {
		text, _ = os.ReadFile("/usr/lib/os-release")
	}
	fields := osRelease(text)
	if name := fields["PRETTY_NAME"]; name != "" {
		h.system = name
	}
	h.version = fields["VERSION_ID"]
	return h
}

// osRelease parses os-release(5).
func osRelease(text []byte) map[string]string {
	fields := map[string]string{}
	for s := bufio.NewScanner(bytes.NewReader(text)); s.Scan(); {
		key, value, ok := strings.Cut(s.Text(), "=")
		if !ok {
			continue
		}
		if unquoted, err := strconv.Unquote(value); err == nil {
			value = unquoted
		}
		fields[key] = strings.Trim(value, "'")
	}
	return fields
}

// memory is the machine's, in bytes.
func memory() int64 {
	var info unix.Sysinfo_t
	if unix.Sysinfo(&info) != nil {
		return 0
	}
	return int64(info.Totalram) * int64(info.Unit)
}

// descriptors counts those that this process has open.
func descriptors() int {
	names, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return -1
	}
	return len(names)
}

// enabled reads a sysctl that is 0 or 1.
func enabled(path string) bool {
	text, err := os.ReadFile("/proc/sys/" + path)
	return err == nil && strings.TrimSpace(string(text)) == "1"
}
