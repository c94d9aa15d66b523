package logfile

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"sync"
)

// files are the file that is written, and those from before: PATH.1 is the youngest, then PATH.2 and so on; .gz if they are
// compressed.
type files struct {
	o       *Options
	file    *os.File
	size    int64
	failing bool           // the last write failed: that has been told
	packing sync.WaitGroup // a file is being compressed
}

type lostError int

func (n lostError) Error() string { return fmt.Sprintf("%d lines are lost", int(n)) }

func (f *files) open() error {
	if err := os.MkdirAll(filepath.Dir(f.o.Path), 0o700); err != nil {
		return err
	}
	file, err := os.OpenFile(f.o.Path, os.O_RDWR|os.O_APPEND|os.O_CREATE, 0o640)
	if err != nil {
		return err
	}
	if f.size, err = f.mend(file); err != nil {
		file.Close()
		return fmt.Errorf("cannot mend %s: %w", f.o.Path, err)
	}
	f.file = file
	return nil
}

// mend removes what is left at the end of an entry that was not written to its end.
func (f *files) mend(file *os.File) (int64, error) {
	info, err := file.Stat()
	if err != nil {
		return 0, err
	}
	size := info.Size()
	whole, err := Whole(f.o.Driver, file, size)
	if err == nil && whole != size {
		err = file.Truncate(whole)
	}
	return whole, err
}

// Whole is how many of the first size bytes of a driver's file are whole entries.
func Whole(driver string, file *os.File, size int64) (int64, error) {
	if driver == Local {
		return wholeLocal(file, size)
	}
	return wholeLines(file, size)
}

// wholeLines is how many bytes of a file are whole lines.
func wholeLines(file *os.File, size int64) (int64, error) {
	buf := make([]byte, 4<<10)
	for end := size; end > 0; {
		n := min(end, int64(len(buf)))
		if _, err := file.ReadAt(buf[:n], end-n); err != nil {
			return 0, err
		}
		if i := bytes.LastIndexByte(buf[:n], '\n'); i >= 0 {
			return end - n + int64(i) + 1, nil
		}
		end -= n
	}
	return 0, nil
}

// write writes entries, in as few calls as rotation allows. The error is told once, until all works again. Without
// rotation the file grows.
func (f *files) write(b *batch) error {
	start, rotation := 0, error(nil)
	for i := 0; i < len(b.ends); {
		if f.o.MaxSize > 0 && f.size >= f.o.MaxSize && rotation == nil {
			rotation = f.rotate()
		}
		first := i
		for i++; i < len(b.ends) && (f.o.MaxSize <= 0 || f.size+int64(b.ends[i-1]-start) < f.o.MaxSize); {
			i++
		}
		if err := f.put(b.bytes[start:b.ends[i-1]]); err != nil {
			return f.failed(fmt.Errorf("%w: %w", lostError(len(b.ends)-first), err))
		}
		start = b.ends[i-1]
	}
	if rotation != nil {
		return f.failed(fmt.Errorf("cannot begin a new file: %w", rotation))
	}
	f.failing = false
	return nil
}

// failed keeps an error back that has been told.
func (f *files) failed(err error) error {
	if f.failing {
		return nil
	}
	f.failing = true
	return err
}

// put appends whole entries, or nothing of them.
func (f *files) put(b []byte) error {
	n, err := f.file.Write(b)
	f.size += int64(n)
	if err == nil {
		return nil
	}
	if e := f.file.Truncate(f.size - int64(n)); e == nil {
		f.size -= int64(n)
	}
	return err
}

func (f *files) close() error {
	f.packing.Wait()
	if f.file == nil {
		return nil
	}
	file := f.file
	f.file = nil
	return file.Close()
}
