package container

import (
	"bytes"

	"golang.org/x/sys/unix"
)

// HasAppArmor says whether AppArmor is enabled on this host.
func HasAppArmor() bool {
	text, err := readFile(unix.AT_FDCWD, "/sys/module/apparmor/parameters/enabled")
	return err == nil && bytes.HasPrefix(text, []byte("Y"))
}

// HasSELinux says whether SELinux is enabled on this host, with a policy: before one is loaded everything has the
// label "kernel".
func HasSELinux() bool {
	var st unix.Statfs_t
	if unix.Statfs("/sys/fs/selinux", &st) != nil || st.Type != unix.SELINUX_MAGIC || st.Flags&unix.ST_RDONLY != 0 {
		return false
	}
	label, err := readFile(unix.AT_FDCWD, "/proc/self/attr/current")
	return err == nil && !bytes.Equal(bytes.TrimRight(label, "\x00\n"), []byte("kernel"))
}
