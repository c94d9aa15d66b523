// Package facts describes a process from the inside: what the probe program prints in a container and
// the end-to-end tests compare with the config.
package facts

import "encoding/json"

// Facts is what one process sees of itself. Fields follow the names in proc(5).
type Facts struct {
	Args       []string
	Env        []string
	Cwd        string
	Pid        int
	UID        int
	GID        int
	Groups     []int
	Umask      int
	Status     map[string]string // /proc/self/status: CapInh … CapAmb, NoNewPrivs, Seccomp
	Rlimits    map[string]Rlimit // /proc/self/limits, by name
	OOMScore   int               // oom_score_adj
	Namespaces map[string]string // /proc/self/ns: "pid" → "pid:[4026531836]"
	FDs        map[int]string    // /proc/self/fd, less those of the probe itself
	Hostname   string
	Domainname string
	Mounts     []Mount
	UIDMap     string
	Cgroup     string
	Terminal   *Terminal // nil when stdin is not a terminal
}

// Rlimit is one row of /proc/self/limits; "unlimited" is the largest value.
type Rlimit struct{ Soft, Hard uint64 }

// Mount is one row of /proc/self/mountinfo.
type Mount struct {
	Root, Point  string
	Options      []string // per mount
	Propagation  []string // the optional fields: shared:1, master:2, unbindable
	Type         string
	Source       string
	SuperOptions []string
}

// Terminal is the controlling terminal as stdin shows it.
type Terminal struct {
	Name          string
	Height, Width int
}

// MountAt is the topmost mount on a point.
func (f *Facts) MountAt(point string) *Mount {
	for i := len(f.Mounts) - 1; i >= 0; i-- {
		if f.Mounts[i].Point == point {
			return &f.Mounts[i]
		}
	}
	return nil
}

// Hook is what one run of a hook saw.
type Hook struct {
	State json.RawMessage // what arrived on stdin
	Facts *Facts
}
