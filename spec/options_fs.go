package spec

import "strings"

// fsWords holds the option words without a value that the pseudo file systems of containers take, each list in
// the order of the kernel's parameter table that it was read from (Linux 6.12). Words with a value, such as
// size=64k, are left to the kernel. A type that is not listed takes any word.
var fsWords = [...]entry[string]{
	{"bpf", ""},               // kernel/bpf/inode.c: all have values
	{"cgroup", cgroupWords},   // kernel/cgroup/cgroup-v1.c, and v2 for a host without v1
	{"cgroup2", cgroup2Words}, // kernel/cgroup/cgroup.c
	{"configfs", ""},          // fs/configfs/mount.c: none
	{"debugfs", ""},           // fs/debugfs/inode.c: all have values
	{"devpts", "newinstance"}, // fs/devpts/inode.c
	{"devtmpfs", tmpfsWords},  // drivers/base/devtmpfs.c: those of tmpfs
	{"fusectl", ""},           // fs/fuse/control.c: none
	{"hugetlbfs", ""},         // fs/hugetlbfs/inode.c: all have values
	{"mqueue", ""},            // ipc/mqueue.c: none
	{"overlay", overlayWords}, // fs/overlayfs/params.c
	{"proc", ""},              // fs/proc/root.c: all have values
	{"ramfs", ""},             // fs/ramfs/inode.c: all have values
	{"securityfs", ""},        // security/inode.c: none
	{"sysfs", ""},             // fs/sysfs/mount.c: none
	{"tmpfs", tmpfsWords},     // mm/shmem.c
	{"tracefs", ""},           // fs/tracefs/inode.c: all have values
}

const (
	tmpfsWords   = "inode32 inode64 noswap quota usrquota grpquota casefold strict_encoding"
	overlayWords = "default_permissions userxattr volatile override_creds nooverride_creds"
	cgroup2Words = "nsdelegate favordynmods nofavordynmods memory_localevents memory_recursiveprot " +
		"memory_hugetlb_accounting pids_localevents"
	cgroupWords = cgroup2Words + " all none noprefix clone_children cpuset_v2_mode xattr " +
		"cpuset cpu cpuacct blkio memory devices freezer net_cls perf_event net_prio hugetlb pids rdma misc debug"
)

// fsListed says whether the words of a file system are known.
func fsListed(fsType string) bool {
	_, listed := find(fsWords[:], fsType)
	return listed
}

// fsTakes says whether a file system may have an option of its own of this name.
func fsTakes(fsType, option string) bool {
	words, listed := find(fsWords[:], fsType)
	if !listed && option != "" || hasValue(option) {
		return true
	}
	for word := range strings.FieldsSeq(words) {
		if word == option {
			return true
		}
	}
	return false
}

func hasValue(option string) bool { return strings.IndexByte(option, '=') > 0 }
