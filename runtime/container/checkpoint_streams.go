package container

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// streams are the standard streams of a container's init, as they are remembered in the image directory:
// what lies outside the container by the name that criu has for it, which is inherited from the caller of
// restore, anything else by the link in /proc/PID/fd. The file is runc's, which knows the pipes.
type streams [3]string

const streamsFile = "descriptors.json"

// The names that criu has for what is inherited.
const (
	pipePrefix = "pipe:[" // pipes: as proc_pid_fd(5) has them
	filePrefix = "file["  // files: mount id and inode, hexadecimal (criu(8), "--external file")
	ttyPrefix  = "tty["   // terminals: their device and that of the file system ("--external tty")
)

// nullMark is behind the name of a file that is /dev/null.
const nullMark = " /dev/null"

// streams looks at the container's init.
func (h *handle) streams() (s streams) {
	proc := "/proc/" + strconv.Itoa(h.Pid)
	mounts, _ := os.ReadFile(proc + "/mountinfo")
	for fd := range s {
		link, err := os.Readlink(proc + "/fd/" + strconv.Itoa(fd))
		if err != nil {
			continue
		}
		s[fd] = link
		switch {
		case strings.HasPrefix(link, pipePrefix):
			if h.ownPipe(link, fdFlags(proc, fd)) {
				s[fd] = ""
			}
		case strings.HasPrefix(link, "/"):
			if name := outsideFile(proc, fd, string(mounts)); name != "" {
				s[fd] = name
			}
		}
	}
	return s
}

// ownPipe says whether a process of the container holds the other end of a pipe. Such a pipe is saved.
func (h *handle) ownPipe(link string, flags int) bool {
	pids, err := h.group().Pids()
	if err != nil {
		return false
	}
	for _, pid := range pids {
		proc := "/proc/" + strconv.Itoa(pid)
		entries, err := os.ReadDir(proc + "/fd")
		if err != nil {
			continue
		}
		for _, e := range entries {
			fd, _ := strconv.Atoi(e.Name())
			if other, err := os.Readlink(proc + "/fd/" + e.Name()); err == nil && other == link && fdFlags(proc, fd) != flags {
				return true
			}
		}
	}
	return false
}

// fdFlags is the access mode of a descriptor.
func fdFlags(proc string, fd int) int { return int(fdinfo(proc, fd, "flags:", 8)) & unix.O_ACCMODE }

// fdinfo reads one number of proc_pid_fdinfo(5); -1 when it is not there.
func fdinfo(proc string, fd int, field string, base int) int64 {
	text, err := os.ReadFile(proc + "/fdinfo/" + strconv.Itoa(fd))
	if err != nil {
		return -1
	}
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, field); ok {
			if n, err := strconv.ParseInt(strings.TrimSpace(value), base, 64); err == nil {
				return n
			}
		}
	}
	return -1
}

// outsideFile names a regular file, a fifo, a memory device or a terminal that is open but not to be found in the
// container's mounts; "" for one that is.
func outsideFile(proc string, fd int, mounts string) string {
	id := fdinfo(proc, fd, "mnt_id:", 10)
	var st unix.Stat_t
	if id < 0 || unix.Stat(proc+"/fd/"+strconv.Itoa(fd), &st) != nil {
		return ""
	}
	kind, major := st.Mode&unix.S_IFMT, unix.Major(st.Rdev)
	terminal := kind == unix.S_IFCHR && major >= pts && major < pts+8
	switch {
	case kind == unix.S_IFREG, kind == unix.S_IFIFO, terminal, kind == unix.S_IFCHR && major == memory:
	default:
		return ""
	}
	for line := range strings.Lines(mounts) {
		if first, _, _ := strings.Cut(line, " "); first == strconv.FormatInt(id, 10) {
			return ""
		}
	}
	if terminal {
		return fmt.Sprintf("%s%x:%x]", ttyPrefix, st.Rdev, st.Dev)
	}
	mark := ""
	if kind == unix.S_IFCHR && st.Rdev == unix.Mkdev(memory, 3) {
		mark = nullMark
	}
	return fmt.Sprintf("%s%x:%x]%s", filePrefix, id, st.Ino, mark)
}

// Major numbers of devices (Documentation/admin-guide/devices.txt of Linux).
const (
	memory = 1   // null, zero and their like
	pts    = 136 // the first of the eight of terminals
)

// shellJob says whether a terminal outside of the container is among them.
func (s streams) shellJob() bool {
	return slices.ContainsFunc(s[:], func(name string) bool { return strings.HasPrefix(name, ttyPrefix) })
}

// external are the files that criu has to be told about; it finds out about pipes by itself.
func (s streams) external() []string {
	var list []string
	for _, name := range s {
		if strings.HasPrefix(name, filePrefix) || strings.HasPrefix(name, ttyPrefix) {
			list = append(list, strings.TrimSuffix(name, nullMark))
		}
	}
	return list
}

func (s streams) write(images int) error {
	data, err := json.Marshal(s)
	if err == nil {
		err = writeFile(images, streamsFile, data)
	}
	if err != nil {
		return fmt.Errorf("cannot write to the image directory (--image-path): %w", err)
	}
	return nil
}

func readStreams(images int) (s streams, err error) {
	data, err := readFile(images, streamsFile)
	if err == nil {
		err = json.Unmarshal(data, &s)
	}
	if err != nil {
		return s, fmt.Errorf("cannot use the image directory (--image-path): it holds no checkpoint: %w", err)
	}
	return s, nil
}
