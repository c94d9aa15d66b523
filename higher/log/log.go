package log

import (
	"context"
	"fmt"
	"time"

	"github.com/containerd/errdefs"

	"github.com/dhow-containers/dhow/shim/logfile"
)

// Config says where a log is.
type Config struct {
	Driver string // json-file, which "" is too, or local
	Path   string
}

// Options say what of a log is wanted.
type Options struct {
	Since, Until   time.Time // zero: no bound
	Tail           int       // so many of the last entries, of both streams together; negative is all
	Follow         bool
	Stdout, Stderr bool
	Timestamps     bool // Line.Text has the time in front
	Details        bool // Line.Text has the attributes in front of the line

	// Idle, if set, is called with Follow when all that there is was emitted: who has collected lines sends them now.
	Idle func() error
}

// Line is one entry: a line with its end, or a part of one that is longer than 16 KiB.
type Line struct {
	Stream string // stdout or stderr
	Time   time.Time
	Text   []byte // valid until emit returns
}

// Read calls emit for each line, and returns emit's error. With Follow it goes on until ended is closed, or Until has come,
// and the rest is read.
//
// What is half written is passed over: the last entry of a shim that was killed. A log that is not there is empty.
func Read(ctx context.Context, c Config, o Options, ended <-chan struct{}, emit func(Line) error) error {
	r := &reader{path: c.Path, o: o, emit: emit}
	switch c.Driver {
	case "", logfile.JSON:
		r.driver, r.format = logfile.JSON, &jsonFormat{details: o.Details}
	case logfile.Local:
		r.driver, r.format = logfile.Local, localFormat{}
	default:
		return errdefs.ErrNotImplemented.WithMessage("configured logging driver does not support reading")
	}
	if o.Follow {
		return r.follow(ctx, ended)
	}
	files, err := openFiles(c.Path)
	if err != nil {
		return fmt.Errorf("cannot read the log: %w", err)
	}
	defer closeAll(files)
	return done(r.readTail(ctx, files, true))
}
