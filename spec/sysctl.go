package spec

import (
	"fmt"
	"strings"
)

// SysctlFile returns the file of a kernel parameter relative to /proc/sys. Like sysctl(8) it takes both
// spellings: the separator that comes first separates, and the other one stands for itself ("." in
// "net/ipv4/conf/eth0.1/forwarding", written "/" in "net.ipv4.conf.eth0/1.forwarding").
//
// A name that would lead out of /proc/sys is an error.
func SysctlFile(name string) (string, error) {
	file := name
	if i := strings.IndexAny(name, "./"); i >= 0 && name[i] == '.' {
		file = strings.Map(swapSeparators, name)
	}
	for part := range strings.SplitSeq(file, "/") {
		if part == "" || part == "." || part == ".." {
			return "", fmt.Errorf("%q is not the name of a kernel parameter", name)
		}
	}
	return file, nil
}

func swapSeparators(r rune) rune {
	switch r {
	case '.':
		return '/'
	case '/':
		return '.'
	}
	return r
}

// SysctlNamespace returns the namespace that a parameter's file belongs to, "" when it is the whole host's.
// Sources: ipc/ipc_sysctl.c, ipc/mq_sysctl.c, kernel/utsname_sysctl.c, kernel/ucount.c.
func SysctlNamespace(file string) string {
	top, rest, _ := strings.Cut(file, "/")
	switch top {
	case "net":
		return "network"
	case "user":
		return "user"
	case "fs":
		if strings.HasPrefix(rest, "mqueue/") {
			return "ipc"
		}
	case "kernel":
		namespace, _ := find(kernelSysctls[:], rest)
		return namespace
	}
	return ""
}

var kernelSysctls = [...]entry[string]{
	{"auto_msgmni", "ipc"},
	{"domainname", "uts"},
	{"hostname", "uts"},
	{"msg_next_id", "ipc"},
	{"msgmax", "ipc"},
	{"msgmnb", "ipc"},
	{"msgmni", "ipc"},
	{"sem", "ipc"},
	{"sem_next_id", "ipc"},
	{"shm_next_id", "ipc"},
	{"shm_rmid_forced", "ipc"},
	{"shmall", "ipc"},
	{"shmmax", "ipc"},
	{"shmmni", "ipc"},
}
