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

// rotate begins a new file. There is a file of that name at any moment, and a reader that has the old one open still sees
// all of it.
func (f *files) rotate() error {
	f.packing.Wait()
	file, err := os.OpenFile(f.o.Path+".new", os.O_RDWR|os.O_APPEND|os.O_CREATE|os.O_TRUNC, 0o640)
	if err != nil {
		return err
	}
	for i := f.o.MaxFiles - 1; i > 0 && err == nil; i-- {
		err = f.age(i)
	}
	if err == nil {
		err = os.Rename(file.Name(), f.o.Path)
	}
	if err != nil {
		return errors.Join(err, file.Close())
	}
	old := f.file
	f.file, f.size = file, 0
	if f.o.Compress && f.o.MaxFiles > 1 {
		f.packing.Go(func() { pack(f.name(1)) })
	}
	return old.Close()
}

// name is that of the i-th file from before; 0 is the one that is written.
func (f *files) name(i int) string {
	if i == 0 {
		return f.o.Path
	}
	return f.o.Path + "." + strconv.Itoa(i)
}

// age makes a file the i-th, and removes what was that. The one that is written keeps its name too.
func (f *files) age(i int) error {
	for _, suffix := range [...]string{"", packed} {
		if err := remove(f.name(i) + suffix); err != nil {
			return err
		}
	}
	if i == 1 {
		return os.Link(f.name(0), f.name(1))
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
