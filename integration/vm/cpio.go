package main

import (
	"bufio"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// archive writes a cpio archive in the "newc" format, which the kernel unpacks into its first root
// (Documentation/driver-api/early-userspace/buffer-format.rst).
type archive struct {
	w     *bufio.Writer
	inode int
	made  map[string]bool
	err   error
}

func newArchive(w io.Writer) *archive {
	return &archive{w: bufio.NewWriter(w), made: map[string]bool{"/": true, ".": true}}
}

// entry writes one header, the name and the content, each padded to four bytes.
func (a *archive) entry(name string, mode uint32, content []byte) {
	if a.err != nil {
		return
	}
	a.inode++
	name = name[1:] // relative to the root
	_, a.err = fmt.Fprintf(a.w, "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x",
		a.inode, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(name)+1, 0)
	a.write([]byte(name + "\x00"))
	a.pad(110 + len(name) + 1)
	a.write(content)
	a.pad(len(content))
}

func (a *archive) write(data []byte) {
	if a.err == nil {
		_, a.err = a.w.Write(data)
	}
}

func (a *archive) pad(n int) { a.write(make([]byte, -n&3)) }

func (a *archive) dir(name string) {
	if a.made[name] {
		return
	}
	a.made[name] = true
	a.dir(filepath.Dir(name))
	a.entry(name, 0o040755, nil)
}

// data adds a file; its directories come into being.
func (a *archive) data(name string, mode uint32, content []byte) {
	a.dir(filepath.Dir(name))
	a.entry(name, 0o100000|mode, content)
}

// link adds a symbolic link.
func (a *archive) link(name, target string) {
	a.dir(filepath.Dir(name))
	a.entry(name, 0o120777, []byte(target))
}

// file adds a copy of a file of the host's, once.
func (a *archive) file(name, from string) {
	if a.err != nil || a.made[name] {
		return
	}
	a.made[name] = true
	info, err := os.Stat(from)
	if err == nil {
		var content []byte
		content, err = os.ReadFile(from)
		a.data(name, uint32(info.Mode().Perm()), content)
	}
	if a.err == nil {
		a.err = err
	}
}

// tree adds a directory of the host's with all that is in it.
func (a *archive) tree(name, from string) {
	err := filepath.WalkDir(from, func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		below, err := filepath.Rel(from, path)
		a.file(filepath.Join(name, below), path)
		return err
	})
	if a.err == nil {
		a.err = err
	}
}

func (a *archive) close() error {
	a.entry("/TRAILER!!!", 0, nil)
	if a.err != nil {
		return a.err
	}
	return a.w.Flush()
}
