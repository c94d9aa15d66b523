package diagnose

import (
	"fmt"
	"os"
	"path"
	"strconv"
	"strings"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// namespaceRules are about clone(2), setns(2) and id mappings.
func namespaceRules() []rule {
	return []rule{
		{name: "namespaces-used-up", field: "linux.namespaces", errno: []unix.Errno{unix.ENOSPC}, why: usedUp},
		{name: "userns-forbidden", field: "linux.namespaces", errno: []unix.Errno{unix.EPERM, unix.EACCES}, what: "namespace", why: func(*Failure) string { return UsernsForbidden() }},
		{name: "too-many-processes", errno: []unix.Errno{unix.EAGAIN}, what: "clone", why: tooManyProcesses},
		{name: "memfd-noexec", errno: []unix.Errno{unix.EACCES}, what: "memfd", why: memfdNoexec},
		{name: "namespace-wrong-kind", field: "linux.namespaces", calls: []string{"setns"}, errno: []unix.Errno{unix.EINVAL},
			why: always("the file is not a namespace of this type, or one that the process is in already")},
		{name: "id-map-denied", field: "linux.uidMappings", errno: []unix.Errno{unix.EPERM}, why: mapDenied},
		{name: "id-map-denied", field: "linux.gidMappings", errno: []unix.Errno{unix.EPERM}, why: mapDenied},
	}
}

// suspicious is a limit on namespaces so low that it is the likely one to have been reached.
const suspicious = 64

// limitOf names the limit on a kind of namespaces (namespaces(7), "/proc/sys/user").
func limitOf(t specs.LinuxNamespaceType) string {
	switch t {
	case specs.NetworkNamespace:
		return "max_net_namespaces"
	case specs.MountNamespace:
		return "max_mnt_namespaces"
	}
	return "max_" + string(t) + "_namespaces"
}

func usedUp(f *Failure) string {
	if f.Config == nil || f.Config.Linux == nil {
		return ""
	}
	for _, n := range f.Config.Linux.Namespaces {
		name := limitOf(n.Type)
		if limit, err := strconv.Atoi(sysctl("user/" + name)); n.Path == "" && err == nil && limit < suspicious {
			return fmt.Sprintf("sysctl user.%s is %d", name, limit)
		}
	}
	return "a limit of sysctl user.max_*_namespaces is reached, or namespaces are nested more than 32 deep"
}

// UsernsForbidden names the setting that keeps this user from making user namespaces, "" when none does.
func UsernsForbidden() string {
	unprivileged := os.Geteuid() != 0
	switch {
	case sysctl("user/max_user_namespaces") == "0":
		return "sysctl user.max_user_namespaces is 0"
	case unprivileged && sysctl("kernel/unprivileged_userns_clone") == "0":
		return "sysctl kernel.unprivileged_userns_clone is 0"
	case unprivileged && sysctl("kernel/apparmor_restrict_unprivileged_userns") == "1":
		return "sysctl kernel.apparmor_restrict_unprivileged_userns is 1, and no AppArmor profile allows this program user namespaces"
	}
	return ""
}

// sysctl reads a setting, "" when there is none.
func sysctl(name string) string {
	text, err := os.ReadFile("/proc/sys/" + name)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(text))
}

// tooManyProcesses finds the limit that EAGAIN of clone(2) is about.
func tooManyProcesses(*Failure) string {
	if dir, limit := pidsLimit(); dir != "" {
		return fmt.Sprintf("the cgroup %s of this process may hold %s processes (pids.max)", dir, limit)
	}
	var l unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NPROC, &l); err == nil && l.Cur < 1<<16 {
		return fmt.Sprintf("user %d may have %d processes (RLIMIT_NPROC)", os.Getuid(), l.Cur)
	}
	return "the machine, or its kernel.pid_max, has no room for another process"
}

// pidsLimit finds the nearest cgroup around this process whose pids.max is reached.
func pidsLimit() (dir, limit string) {
	text, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return "", ""
	}
	for line := range strings.SplitSeq(string(text), "\n") {
		f := strings.SplitN(line, ":", 3)
		if len(f) != 3 || f[1] != "" && !strings.Contains(","+f[1]+",", ",pids,") {
			continue
		}
		for _, root := range [...]string{"/sys/fs/cgroup/pids", "/sys/fs/cgroup"} {
			for at := f[2]; ; at = path.Dir(at) {
				most, err1 := os.ReadFile(path.Join(root, at, "pids.max"))
				now, err2 := os.ReadFile(path.Join(root, at, "pids.current"))
				m, _ := strconv.Atoi(strings.TrimSpace(string(most)))
				n, _ := strconv.Atoi(strings.TrimSpace(string(now)))
				if err1 == nil && err2 == nil && m > 0 && n >= m {
					return at, strings.TrimSpace(string(most))
				}
				if at == "/" || at == "." {
					break
				}
			}
		}
	}
	return "", ""
}

func memfdNoexec(*Failure) string {
	if v := sysctl("vm/memfd_noexec"); v != "2" {
		return ""
	}
	return "sysctl vm.memfd_noexec is 2, which forbids all programs in memory; 1 is enough for what it protects from"
}

func mapDenied(*Failure) string {
	if os.Geteuid() == 0 {
		return "an id on the host's side of the mapping is not mapped in this user namespace itself (/proc/self/uid_map, gid_map)"
	}
	return "an ordinary user can map only the own id, or the ranges of /etc/subuid and /etc/subgid with newuidmap and newgidmap"
}
