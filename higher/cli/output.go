package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// Output is where an archive goes: standard output, or a file that appears only when it is complete.
type Output struct {
	w    io.Writer
	temp *os.File
	path string
}

// OpenOutput opens the file at path, or takes standard output if path is empty and that is no terminal.
func OpenOutput(a *App, path string) (*Output, error) {
	if path == "" {
		if a.Out.IsTerminal() {
			return nil, errors.New("cowardly refusing to save to a terminal. Use the -o flag or redirect")
		}
		return &Output{w: a.Out}, nil
	}
	dir := filepath.Dir(path)
	if s, err := os.Stat(dir); err != nil || !s.IsDir() {
		return nil, fmt.Errorf("failed to save archive: invalid output path: directory %q does not exist", dir)
	}
	if s, err := os.Stat(path); err == nil {
		switch {
		case s.IsDir():
			return nil, fmt.Errorf("failed to save archive: invalid output path: %q must be a regular file", path)
		case !s.Mode().IsRegular(): // a pipe or a device is written to as it is
			f, err := os.OpenFile(path, os.O_WRONLY, 0)
			if err != nil {
				return nil, err
			}
			return &Output{w: f}, nil
		}
	}
	t, err := os.CreateTemp(dir, ".tmp-"+filepath.Base(path))
	if err != nil {
		return nil, fmt.Errorf("failed to save archive: %w", err)
	}
	return &Output{w: t, temp: t, path: path}, nil
}

// Fill writes all of r.
func (o *Output) Fill(r io.Reader) error {
	if _, err := io.Copy(o.w, r); err != nil {
		return err
	}
	if o.temp == nil {
		return nil
	}
	if err := o.temp.Close(); err != nil {
		return err
	}
	err := os.Rename(o.temp.Name(), o.path)
	if err == nil {
		o.temp = nil
	}
	return err
}

// Discard takes away what is not complete.
func (o *Output) Discard() {
	if o.temp != nil {
		o.temp.Close()
		os.Remove(o.temp.Name())
	}
}
