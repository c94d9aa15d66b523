package apparmor

import "strings"

// Default is the name of the profile of containers. Another program that speaks for Docker on the same host, or its
// administrator, may have loaded one of that name: then that is used.
const Default = "docker-default"

// Unconfined stands for no profile.
const Unconfined = "unconfined"

// rules are those of the profile, but for signals and ptrace. A denial wins over whatever is allowed, and has no
// exceptions: so "all but kernel/shm*" is spelled letter by letter. It holds where nothing else does: with
// --cap-add SYS_ADMIN, or with systempaths=unconfined, which leaves /proc and /sys writable. Paths are those that the
// container sees. It includes no file of the host's: one that is broken keeps nobody from running containers.
var rules = []string{
	"# The capabilities, devices and networks of a container are limited elsewhere.",
	"capability,",
	"file,",
	"network,",
	"umount,",
	"",
	"# The crypto interface of the kernel is large, and the other family leads to a hypervisor past all namespaces.",
	"deny network alg,",
	"deny network vsock,",
	"",
	"# What is mounted over these paths would not be protected by the rules below.",
	"deny mount,",
	"",
	"# Of /proc, processes (which begin with a digit) and the limits of shared memory may be written to.",
	"deny /proc/[^1-9s]** w,",
	"deny /proc/s[^y]** w,",
	"deny /proc/sy[^s]** w,",
	"deny /proc/sys[^/]** w,",
	"deny /proc/sys/[^k]** w,",
	"deny /proc/sys/k[^e]** w,",
	"deny /proc/sys/ke[^r]** w,",
	"deny /proc/sys/kernel/[^s]** w,",
	"deny /proc/sys/kernel/s[^h]** w,",
	"deny /proc/sys/kernel/sh[^m]** w,",
	"",
	"# The host's memory, and keys that reboot it.",
	"deny /proc/kcore rwklx,",
	"deny /proc/sysrq-trigger rwklx,",
	"",
	"# Of /sys, control groups may be written to.",
	"deny /sys/[^f]** wklx,",
	"deny /sys/f[^s]** wklx,",
	"deny /sys/fs/[^c]** wklx,",
	"deny /sys/fs/c[^g]** wklx,",
	"deny /sys/fs/cg[^r]** wklx,",
	"deny /sys/fs/cgr[^o]** wklx,",
	"",
	"# Firmware and its settings, profiles like this one, and what a processor's power tells of the neighbours.",
	"deny /sys/firmware/** rwklx,",
	"deny /sys/kernel/security/** rwklx,",
	"deny /sys/devices/virtual/powercap/** rwklx,",
}

// profile is the text of the profile. Signals come from processes of the same profile, and from the host: from what has
// none, and from the daemon and its shims, whose own profile is daemon.
func profile(name, daemon string) string {
	var b strings.Builder
	line := func(s string) { b.WriteString(strings.TrimRight("  "+s, " ") + "\n") }
	b.WriteString("profile " + quote(name) + " flags=(attach_disconnected, mediate_deleted) {\n")
	for _, r := range rules {
		line(r)
	}
	line("")
	line("# Processes of containers may signal and trace each other, as far as namespaces let them.")
	line("signal (send, receive) peer=" + quote(name) + ",")
	line("ptrace (read, readby, trace, tracedby) peer=" + quote(name) + ",")
	line("signal (receive) peer=unconfined,")
	if daemon != Unconfined && daemon != "" {
		line("signal (receive) peer=" + quote(daemon) + ",")
	}
	b.WriteString("}\n")
	return b.String()
}

// quote makes a word of the language of a name, in which letters of patterns mean themselves.
func quote(name string) string {
	var b strings.Builder
	for _, r := range name {
		if strings.ContainsRune(`*?[]{}^,\"`, r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return `"` + b.String() + `"`
}
