package diagnose

import (
	"golang.org/x/sys/unix"
)

// initialUserNamespace is the inode number of the first user namespace, PROC_USER_INIT_INO of linux/proc_ns.h.
const initialUserNamespace = 0xeffffffd

// InUserNamespace says whether this process is in a user namespace other than the kernel's first.
func InUserNamespace() bool {
	var st unix.Stat_t
	return unix.Stat("/proc/self/ns/user", &st) == nil && st.Ino != initialUserNamespace
}

// Capabilities are the permitted capabilities of this process, a bit each (capget(2)).
func Capabilities() uint64 {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&header, &data[0]); err != nil {
		return ^uint64(0)
	}
	return uint64(data[0].Permitted) | uint64(data[1].Permitted)<<32
}
