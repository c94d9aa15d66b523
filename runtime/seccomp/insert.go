package seccomp

import (
	"fmt"
	"os"
	"sort"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// maxEntries and maxBytes bound the cache. An entry of Docker's size has 20 thousand bytes, and /run,
	// where it usually is, is memory.
	maxEntries = 256
	maxBytes   = 16 << 20
	// staleAfter is when a temporary file must have lost its writer.
	staleAfter = time.Minute
)

// serial keeps the temporary names of one process apart.
var serial atomic.Uint32

// put makes an entry. The cache is no promise: what fails here is tried again at the next miss.
func (c cache) put(k key, blob []byte) {
	name := k.name()
	tmp := fmt.Sprintf("%s.%d-%d-%d", name, unix.Getpid(), serial.Add(1), time.Now().UnixNano())
	if err := c.write(tmp, k.entry(blob)); err != nil {
		unix.Unlinkat(c.fd, tmp, 0)
		return
	}
	if err := unix.Renameat(c.fd, tmp, c.fd, name); err != nil {
		// A directory has the name; nobody else can have put it there.
		unix.Unlinkat(c.fd, tmp, 0)
		return
	}
	c.prune()
}

// write makes a file. It is not synced: an entry that a crash cuts short fails its checksum.
func (c cache) write(name string, data []byte) error {
	fd, err := open(c.fd, name, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return fmt.Errorf("cannot create %s: %w", name, err)
	}
	f := os.NewFile(uintptr(fd), name)
	err = unix.Fchmod(fd, 0o600) // whatever the umask
	if err == nil {
		_, err = f.Write(data)
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	return err
}

// prune removes the oldest entries of too many, and what dead writers left.
func (c cache) prune() {
	entries, now := c.list(), time.Now()
	sort.Slice(entries, func(i, j int) bool { return entries[i].made.After(entries[j].made) })
	kept, total := 0, int64(0)
	for _, e := range entries {
		switch {
		case e.temporary && now.Sub(e.made) < staleAfter:
		case !e.temporary && kept < maxEntries && total+e.size <= maxBytes:
			kept++
			total += e.size
		default:
			unix.Unlinkat(c.fd, e.name, 0)
		}
	}
}

// file is a file in the cache with a name that we give.
type file struct {
	name      string
	temporary bool
	made      time.Time
	size      int64
}

// list returns our files in the cache.
func (c cache) list() []file {
	fd, err := open(c.fd, ".", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil
	}
	d := os.NewFile(uintptr(fd), "seccomp cache")
	defer d.Close()               // read only
	names, _ := d.Readdirnames(0) // what could be read
	files := make([]file, 0, len(names))
	for _, name := range names {
		var st unix.Stat_t
		if !isEntry(name) || unix.Fstatat(c.fd, name, &st, unix.AT_SYMLINK_NOFOLLOW) != nil {
			continue
		}
		files = append(files, file{name, len(name) > nameSize, time.Unix(st.Mtim.Unix()), st.Size})
	}
	return files
}
