package container

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/moby/sys/mountinfo"
)

// mountsOf reads the mount table of a process (proc_pid_mountinfo(5)).
func mountsOf(process string) ([]*mountinfo.Info, error) {
	f, err := os.Open("/proc/" + process + "/mountinfo")
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return mountinfo.GetMountsFromReader(f, nil)
}

// whole says whether m is a procfs or sysfs from its root on, and not the container's.
func whole(m *mountinfo.Info, rootfs string) bool {
	return (m.FSType == "proc" || m.FSType == "sysfs") && m.Root == "/" && !strings.HasPrefix(m.Mountpoint, rootfs+"/")
}

// revealing lists the mount points that have a whole procfs or sysfs, each as often as something is mounted there, in
// the order in which they can be unmounted.
func revealing(rootfs string) ([]string, error) {
	table, err := mountsOf("self")
	if err != nil {
		return nil, fmt.Errorf("cannot look for mounts of procfs: %w", err)
	}
	return revealingIn(table, rootfs), nil
}

func revealingIn(table []*mountinfo.Info, rootfs string) (list []string) {
	points := map[string]bool{}
	for _, m := range table {
		if whole(m, rootfs) {
			points[m.Mountpoint] = true
		}
	}
	for _, m := range slices.Backward(table) {
		if points[m.Mountpoint] {
			list = append(list, m.Mountpoint)
		}
	}
	return list
}

// checkHidden looks whether the process's mount namespace has a whole procfs or sysfs of the host's left, one that came
// since revealing looked, or that another mount hid.
func checkHidden(pid int, rootfs string) error {
	table, err := mountsOf(strconv.Itoa(pid))
	if err != nil {
		return fmt.Errorf("cannot see whether the host's procfs is hidden (--no-pivot): %w", err)
	}
	return leftIn(table, rootfs)
}

func leftIn(table []*mountinfo.Info, rootfs string) error {
	for _, m := range table {
		covers := func(over *mountinfo.Info) bool { return over.Parent == m.ID && over.Mountpoint == m.Mountpoint }
		if whole(m, rootfs) && !slices.ContainsFunc(table, covers) {
			return fmt.Errorf("cannot hide the host's procfs and sysfs (--no-pivot): %s on %s is still there", m.FSType, m.Mountpoint)
		}
	}
	return nil
}
