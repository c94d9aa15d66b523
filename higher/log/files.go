package log

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"syscall"
)

// file is a file of a log.
type file struct {
	*os.File
	inode  uint64
	size   int64 // when it was opened
	packed bool
}

func open(path string) (*file, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, err
	}
	one := &file{File: f, size: info.Size()}
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		one.inode = st.Ino
	}
	return one, nil
}

func closeAll(files []*file) {
	for _, f := range files {
		f.Close()
	}
}

// openFiles opens the files of a log, the oldest first. The shim may rotate them meanwhile: then it is done again.
func openFiles(path string) (files []*file, err error) {
	for range 10 {
		closeAll(files)
		files, err = openOnce(path)
		if err != nil || len(files) == 0 {
			return files, err
		}
		now, err := open(path)
		if err != nil {
			continue
		}
		now.Close()
		if now.inode == files[len(files)-1].inode {
			break
		}
	}
	return files, nil
}

// openOnce opens the file that is written, and those from before.
func openOnce(path string) (files []*file, err error) {
	files, err = walk(path, func(*file) bool { return false })
	if err != nil {
		closeAll(files)
		return nil, err
	}
	slices.Reverse(files)
	return files, nil
}

// maxHoles is how many names in a row may be missing while the shim rotates.
const maxHoles = 3

// walk opens the files of a log, the youngest first, until one is known. Rotation moves files on in the direction of the
// walk, so that none is missed. Those that are met again are passed over; what was opened in between has come since the
// walk began, and is left to the next one.
func walk(path string, known func(*file) bool) (files []*file, err error) {
	for i, holes := 0, 0; holes < maxHoles; i++ {
		one, err := openNth(path, i)
		if errors.Is(err, fs.ErrNotExist) {
			holes++
			continue
		}
		if err != nil {
			return files, err
		}
		holes = 0
		if met := slices.IndexFunc(files, one.is); met >= 0 {
			one.Close()
			closeAll(files[met+1:])
			files = files[:met+1]
			continue
		}
		if known(one) {
			one.Close()
			return files, nil
		}
		files = append(files, one)
	}
	return files, nil
}

// is says whether two are the same file, of which one may be compressed by now.
func (f *file) is(other *file) bool {
	if f.packed == other.packed {
		return f.inode == other.inode
	}
	head := f.head()
	return len(head) > 0 && bytes.Equal(head, other.head())
}

const headSize = 512

// head is the beginning of a file, which has times in it and so is like no other's.
func (f *file) head() []byte {
	in := io.Reader(io.NewSectionReader(f, 0, headSize)) // it may have grown since
	if f.packed {
		var err error
		if in, err = f.content(0, true); err != nil {
			return nil
		}
	}
	b, err := io.ReadAll(io.LimitReader(in, headSize))
	if err != nil {
		return nil
	}
	return b
}

// openNth opens the i-th file from before; 0 is the one that is written.
func openNth(path string, i int) (*file, error) {
	if i == 0 {
		return open(path)
	}
	name := fmt.Sprintf("%s.%d", path, i)
	f, err := open(name)
	if !errors.Is(err, fs.ErrNotExist) {
		return f, err
	}
	if f, err = open(name + ".gz"); err != nil {
		return nil, err
	}
	f.packed = true
	return f, nil
}

// content is a file from an offset on, of what is unpacked; whole says that what is added later is not wanted.
func (f *file) content(from int64, whole bool) (io.Reader, error) {
	if f.packed {
		z, err := gzip.NewReader(io.NewSectionReader(f, 0, f.size)) // whose offset is no other reader's
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.Name(), err)
		}
		_, err = io.CopyN(io.Discard, z, from)
		return z, err
	}
	if whole { // as it was
		return io.NewSectionReader(f, from, max(f.size-from, 0)), nil
	}
	_, err := f.Seek(from, io.SeekStart)
	return f, err
}
