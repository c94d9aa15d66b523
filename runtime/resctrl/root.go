package resctrl

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/moby/sys/mountinfo"
	"golang.org/x/sys/unix"
)

// usualRoot is made by the kernel, empty, when it and the processor can do what the file system is for.
const usualRoot = "/sys/fs/resctrl"

// Root finds where resctrl is mounted. The error says why it is not.
func Root() (string, error) {
	var st unix.Statfs_t
	switch err := unix.Statfs(usualRoot, &st); {
	case err == unix.ENOENT:
		return "", errors.New("this processor, or this kernel, has no resource control: there is no " + usualRoot)
	case err != nil:
		return "", fmt.Errorf("statfs %s: %w", usualRoot, err)
	case st.Type == unix.RDTGROUP_SUPER_MAGIC:
		return usualRoot, nil
	}
	mounts, err := mountinfo.GetMounts(mountinfo.FSTypeFilter("resctrl"))
	if err != nil {
		return "", err
	}
	if len(mounts) > 0 {
		return mounts[0].Mountpoint, nil
	}
	return "", errors.New("resctrl is not mounted (mount -t resctrl resctrl " + usualRoot + ")")
}

func exists(path ...string) bool {
	_, err := os.Lstat(filepath.Join(path...))
	return err == nil
}

// explain adds the kernel's own words about the last failed change.
func explain(root string, err error) error {
	text, e := os.ReadFile(filepath.Join(root, "info", "last_cmd_status"))
	if text = bytes.TrimSpace(text); e != nil || len(text) == 0 || string(text) == "ok" {
		return err
	}
	return fmt.Errorf("%w (%s)", err, text)
}

// write writes text to a file of resctrl in one piece.
func write(root, path, text string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_TRUNC, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := f.WriteString(text); err != nil {
		return explain(root, err)
	}
	return nil
}
