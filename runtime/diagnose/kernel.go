package diagnose

import (
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// kernelMessages reads what the kernel has to say about the file systems that a process was about to mount: each
// fscontext that it has open holds messages, one a read, "e TEXT" for an error, "w TEXT" for a warning.
func kernelMessages(pid int) []string {
	dir := "/proc/" + strconv.Itoa(pid) + "/fd"
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil
	}
	pidfd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return nil
	}
	defer unix.Close(pidfd)
	var list []string
	for _, e := range entries {
		n, err := strconv.Atoi(e.Name())
		if target, _ := os.Readlink(dir + "/" + e.Name()); err != nil || target != "anon_inode:[fscontext]" {
			continue
		}
		fd, err := unix.PidfdGetfd(pidfd, n, 0)
		if err != nil {
			continue
		}
		list = append(list, readMessages(fd)...)
		unix.Close(fd)
	}
	return list
}

// maxMessages is how many the kernel keeps of one file system context (struct fc_log).
const maxMessages = 8

func readMessages(fscontext int) []string {
	var list []string
	buf := make([]byte, 1024)
	for range maxMessages {
		n, err := unix.Read(fscontext, buf)
		if err != nil || n == 0 { // ENODATA: that was all
			break
		}
		kind, text, found := strings.Cut(strings.TrimSpace(string(buf[:n])), " ")
		if found && (kind == "e" || kind == "w") {
			list = append(list, text)
		}
	}
	return list
}
