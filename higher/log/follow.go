package log

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// follow reads what is there and what comes.
func (r *reader) follow(ctx context.Context, ended <-chan struct{}) error {
	if err := os.Mkdir(filepath.Dir(r.path), 0o700); err != nil && !os.IsExist(err) { // the shim makes it later
		return fmt.Errorf("cannot follow the log: %w", err)
	}
	w, err := newWatch(r.path)
	if err != nil {
		return fmt.Errorf("cannot follow the log: %w", err)
	}
	files, err := openFiles(r.path)
	if err != nil {
		w.notify.Close()
		return fmt.Errorf("cannot read the log: %w", err)
	}
	if len(files) > 0 {
		w.last = files[len(files)-1]
	}
	go w.run()
	defer w.close()
	f := &following{reader: r, watch: w}
	defer f.close()
	return done(f.run(ctx, files, ended))
}

// following is a reader at work.
type following struct {
	*reader
	watch *watch
	file  *file    // that is read now; nil: there is none yet
	in    *entries // of it
}

func (f *following) run(ctx context.Context, files []*file, ended <-chan struct{}) error {
	if len(files) > 0 {
		f.file = files[len(files)-1]
		defer closeAll(files[:len(files)-1])
	}
	var err error
	if f.in, err = f.readFiles(ctx, files, false); err != nil {
		return err
	}
	passed, stop := f.untilPassed()
	defer stop()
	for {
		if err := f.rest(ctx); err != nil {
			return err
		}
		if err := f.idle(); err != nil {
			return err
		}
		select {
		case _, more := <-f.watch.woken:
			if !more {
				return f.final(ctx)
			}
		case <-ended:
			return f.final(ctx)
		case <-passed:
			return f.final(ctx)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (f *following) idle() error {
	if f.o.Idle == nil {
		return nil
	}
	return f.o.Idle()
}

// final reads what has come at last.
func (f *following) final(ctx context.Context) error {
	f.watch.refresh()
	return f.rest(ctx)
}

// rest reads all that is there: of this file, and of those that have come after it.
func (f *following) rest(ctx context.Context) error {
	for {
		next := f.watch.take() // first, so that this file is complete if there is another
		if f.in != nil {
			if err := f.all(ctx, f.in); err != nil && !errors.Is(err, errLocal) {
				if next != nil {
					next.Close()
				}
				return err
			}
		}
		if next == nil {
			return nil
		}
		f.close()
		f.file, f.in = next, nil
		in, err := next.content(0, false)
		if err != nil {
			return err
		}
		f.in = &entries{r: in, format: f.format}
		f.watch.refresh() // it may have been too much before
	}
}

func (f *following) close() {
	if f.file != nil {
		f.file.Close()
	}
}
