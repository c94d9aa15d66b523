package log

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"time"

	"github.com/dhow-containers/dhow/shim/logfile"
)

// readTail reads the wanted end of what the files had when they were opened, or with whole unset have at last.
func (r *reader) readTail(ctx context.Context, files []*file, whole bool) error {
	_, err := r.readFiles(ctx, files, whole)
	return err
}

// readFiles returns the entries of the last file, which can go on.
func (r *reader) readFiles(ctx context.Context, files []*file, whole bool) (last *entries, err error) {
	first, from, err := r.locate(files)
	if err != nil {
		return nil, err
	}
	for i, f := range files[first:] {
		if i > 0 {
			from = 0
		}
		ends := i+first < len(files)-1
		if ends && f.before(r.o.Since) {
			continue
		}
		in, err := f.content(from, whole || ends)
		if err != nil {
			return nil, err
		}
		last = &entries{r: in, format: r.format}
		if err := r.all(ctx, last); err != nil && !errors.Is(err, errLocal) {
			return nil, err
		}
	}
	return last, nil
}

// before says whether a file that is not written any more is older than t.
func (f *file) before(t time.Time) bool {
	info, err := f.Stat()
	return err == nil && info.ModTime().Before(t)
}

// locate finds where the tail begins: in which file, and where in it.
func (r *reader) locate(files []*file) (first int, from int64, err error) {
	if r.o.Tail < 0 {
		return 0, 0, nil
	}
	wanted := r.o.Tail
	for first = len(files) - 1; first >= 0; first-- {
		found, at, err := r.last(files[first], wanted)
		if err != nil {
			return 0, 0, err
		}
		if wanted -= found; wanted == 0 {
			return first, at, nil
		}
	}
	return 0, 0, nil
}

// last finds where the last wanted entries of a file begin, and how many there are.
func (r *reader) last(f *file, wanted int) (found int, from int64, err error) {
	if f.packed {
		return r.lastPacked(f, wanted)
	}
	end, err := logfile.Whole(r.driver, f.File, f.size)
	if err != nil {
		return 0, 0, err
	}
	if r.driver == logfile.Local {
		return lastLocal(f, end, wanted)
	}
	return lastLines(f, end, wanted)
}

// lastLines looks for line ends from the end on.
func lastLines(f io.ReaderAt, end int64, wanted int) (found int, from int64, err error) {
	if wanted == 0 || end == 0 {
		return 0, end, nil
	}
	buf := make([]byte, 64<<10)
	for at := end - 1; at > 0; { // the last byte is the end of the last line
		n := min(at, int64(len(buf)))
		if _, err := f.ReadAt(buf[:n], at-n); err != nil {
			return 0, 0, err
		}
		for i := bytes.LastIndexByte(buf[:n], '\n'); i >= 0; i = bytes.LastIndexByte(buf[:i], '\n') {
			if found++; found == wanted {
				return found, at - n + int64(i) + 1, nil
			}
		}
		at -= n
	}
	return found + 1, 0, nil
}

// lastLocal goes back by the lengths behind the entries.
func lastLocal(f io.ReaderAt, end int64, wanted int) (found int, from int64, err error) {
	var b [4]byte
	for from = end; found < wanted && from > 0; found++ {
		if _, err := f.ReadAt(b[:], from-4); err != nil {
			return 0, 0, err
		}
		from -= int64(binary.BigEndian.Uint32(b[:])) + 8
		if from < 0 {
			return 0, 0, errLocal
		}
	}
	return found, from, nil
}

// lastPacked counts all entries of a compressed file, whose last ones are somewhere.
func (r *reader) lastPacked(f *file, wanted int) (found int, from int64, err error) {
	in, err := f.content(0, true)
	if err != nil {
		return 0, 0, err
	}
	starts, at := make([]int64, 0, 64), int64(0)
	for all := (&entries{r: in, format: r.format}); ; {
		raw, err := all.next()
		if err == io.EOF || errors.Is(err, errLocal) {
			break
		}
		if err != nil {
			return 0, 0, err
		}
		starts = append(starts, at)
		at += int64(len(raw))
		if len(starts) > 2*wanted+64 { // the first ones are of no use
			starts = append(starts[:0], starts[len(starts)-wanted:]...)
		}
	}
	found = min(wanted, len(starts))
	if found == 0 {
		return 0, at, nil
	}
	return found, starts[len(starts)-found], nil
}
