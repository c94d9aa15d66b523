package log

import (
	"context"
	"time"

	"github.com/containerd/errdefs"
)

// Config says where a log is.
type Config struct {
	Driver string // json-file or local
	Path   string
}

// Options say what of a log is wanted.
type Options struct {
	Since, Until   time.Time // zero: no bound
	Tail           int       // so many of the last lines; -1 is all
	Follow         bool
	Stdout, Stderr bool
	Timestamps     bool // Line.Text begins with the time
	Details        bool // Line.Text has the attributes in front
}

// Line is one entry: a line with its end, or a part of one that is longer than 16 KiB.
type Line struct {
	Stream string // stdout or stderr
	Time   time.Time
	Text   []byte // valid until emit returns
}

// Read calls emit for each line. With Follow it goes on until ended is closed and the rest is read.
func Read(ctx context.Context, c Config, o Options, ended <-chan struct{}, emit func(Line) error) error {
	return errdefs.ErrNotImplemented.WithMessage("cannot read logs: not supported yet")
}
