package logfile

import (
	"bufio"
	"compress/gzip"
	"errors"
	"io"
	"io/fs"
	"os"
	"strconv"
)

const packed = ".gz"

// rotate begins a new file. A reader that has the old one open still sees all of it.
func (f *files) rotate() error {
	f.packing.Wait()
	if f.file != nil {
		f.file.Close()
		f.file = nil
	}
	if f.o.MaxFiles < 2 {
		if err := remove(f.o.Path); err != nil {
			return err
		}
		return f.open()
	}
	for i := f.o.MaxFiles - 1; i > 0; i-- {
		if err := f.age(i); err != nil {
			return err
		}
	}
	if err := f.open(); err != nil {
		return err
	}
	if f.o.Compress {
		f.packing.Go(func() { pack(f.name(1)) })
	}
	return nil
}

// name is that of the i-th file from before; 0 is the one that is written.
func (f *files) name(i int) string {
	if i == 0 {
		return f.o.Path
	}
	return f.o.Path + "." + strconv.Itoa(i)
}

// age makes a file the i-th, and removes what was that.
func (f *files) age(i int) error {
	for _, suffix := range [...]string{"", packed} {
		if err := remove(f.name(i) + suffix); err != nil {
			return err
		}
	}
	for _, suffix := range [...]string{"", packed} {
		err := os.Rename(f.name(i-1)+suffix, f.name(i)+suffix)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

func remove(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// pack compresses a file. When that fails, as on a full disk, it stays as it is. While there are both, readers take the
// one that is not compressed.
func pack(path string) {
	temp := path + packed + ".tmp"
	if err := compress(temp, path); err != nil || os.Rename(temp, path+packed) != nil {
		os.Remove(temp)
		return
	}
	os.Remove(path)
}

func compress(to, from string) (err error) {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o640)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	buffered := bufio.NewWriter(out)
	z, err := gzip.NewWriterLevel(buffered, gzip.BestSpeed)
	if err != nil {
		return err
	}
	if _, err := io.Copy(z, in); err != nil {
		return err
	}
	return errors.Join(z.Close(), buffered.Flush())
}
