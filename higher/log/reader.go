package log

import (
	"context"
	"errors"
	"io"
	"time"
)

// reader hands the entries of files to emit.
type reader struct {
	driver string
	path   string
	format format
	o      Options
	emit   func(Line) error
	text   []byte // of the line, reused
}

// errEnough says that what follows is not wanted.
var errEnough = errors.New("internal error: enough of the log")

// done makes the end that was asked for no error.
func done(err error) error {
	if errors.Is(err, errEnough) {
		return nil
	}
	return err
}

// all reads the whole entries that there are.
func (r *reader) all(ctx context.Context, in *entries) error {
	var e entry
	for ctx.Err() == nil {
		raw, err := in.next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if r.format.decode(raw, &e) != nil {
			continue // half an entry of a shim that was killed, and another behind it
		}
		if err := r.hand(&e); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// fixedNano is RFC 3339 with all nine digits of the nanoseconds, so that lines stand below one another.
const fixedNano = "2006-01-02T15:04:05.000000000Z07:00"

// hand hands an entry on, if it is wanted.
func (r *reader) hand(e *entry) error {
	switch {
	case !r.o.Until.IsZero() && e.at.After(r.o.Until):
		return errEnough
	case e.at.Before(r.o.Since), e.stream == "stdout" && !r.o.Stdout, e.stream == "stderr" && !r.o.Stderr:
		return nil
	case !r.o.Timestamps && !r.o.Details:
		return r.emit(Line{e.stream, e.at, e.line})
	}
	r.text = r.text[:0]
	if r.o.Timestamps {
		r.text = append(e.at.UTC().AppendFormat(r.text, fixedNano), ' ')
	}
	if r.o.Details {
		r.text = append(e.appendAttrs(r.text), ' ')
	}
	r.text = append(r.text, e.line...)
	return r.emit(Line{e.stream, e.at, r.text})
}

// untilPassed is closed when nothing more can come that is wanted.
func (r *reader) untilPassed() (<-chan time.Time, func()) {
	if r.o.Until.IsZero() {
		return nil, func() {}
	}
	t := time.NewTimer(time.Until(r.o.Until))
	return t.C, func() { t.Stop() }
}
