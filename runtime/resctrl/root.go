package resctrl

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

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
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return "", err
	}
	if root := mountPoint(string(mounts)); root != "" {
		return root, nil
	}
	return "", errors.New("resctrl is not mounted (mount -t resctrl resctrl " + usualRoot + ")")
}

// mountPoint finds resctrl in the text of a mountinfo (proc_pid_mountinfo(5)).
func mountPoint(mountinfo string) string {
	for line := range strings.SplitSeq(mountinfo, "\n") {
		place, fs, found := strings.Cut(line, " - ")
		if f := strings.Fields(place); found && len(f) > 4 && strings.HasPrefix(fs, "resctrl ") {
			return f[4]
		}
	}
	return ""
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
