package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"

	"github.com/dhow-containers/dhow/runtime/diagnose"
)

// logFile is the file that --log names.
type logFile = os.File

// openLog opens --log and decides where the debug trace goes. Nothing is built that no flag asks for.
func (a *app) openLog() error {
	a.log = slog.New(&warnings{a})
	if a.logPath != "" {
		f, err := os.OpenFile(a.logPath, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
		if err != nil {
			return fmt.Errorf("cannot open --log file: %w", err)
		}
		a.file = f
	}
	switch {
	case a.debug:
		a.log = slog.New(a.handler(a.logTo(), slog.LevelDebug))
	case a.file != nil:
		a.log = slog.New(a.handler(a.file, slog.LevelInfo))
	}
	return nil
}

// warnings writes what has no other log to go to on standard error, if it is a warning. The handler that
// does the work is made when there is something to say.
type warnings struct{ a *app }

func (w *warnings) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelWarn }

func (w *warnings) Handle(ctx context.Context, r slog.Record) error {
	return w.handler().Handle(ctx, r)
}

func (w *warnings) WithAttrs(attrs []slog.Attr) slog.Handler { return w.handler().WithAttrs(attrs) }

func (w *warnings) WithGroup(name string) slog.Handler { return w.handler().WithGroup(name) }

func (w *warnings) handler() slog.Handler { return w.a.handler(w.a.err, slog.LevelWarn) }

func (a *app) logTo() io.Writer {
	if a.file != nil {
		return a.file
	}
	return a.err
}

// handler writes records as runc's callers read them: levels in lower case, one line each.
func (a *app) handler(w io.Writer, level slog.Level) slog.Handler {
	o := &slog.HandlerOptions{Level: level, ReplaceAttr: lowerLevel}
	if a.logFormat == "json" {
		return slog.NewJSONHandler(w, o)
	}
	return slog.NewTextHandler(w, o)
}

func lowerLevel(groups []string, attr slog.Attr) slog.Attr {
	if len(groups) == 0 && attr.Key == slog.LevelKey {
		attr.Value = slog.StringValue(strings.ToLower(attr.Value.String()))
	}
	return attr
}

// report tells the user, and the log when there is one, what went wrong. It is the last thing done:
// callers keep the last error of the log, or the last line of standard error.
func (a *app) report(err error) {
	err = diagnose.Explain(err, diagnose.Context{}) // what has not been explained closer to where it happened
	text := strings.ReplaceAll(strings.TrimSpace(err.Error()), "\n", "; ")
	if a.file != nil {
		a.logError(a.file, text, err)
	} else if a.logFormat == "json" {
		a.logError(a.err, text, err)
		return
	}
	fmt.Fprintf(a.err, "runtime: %s\n", text)
}

// logError writes the record of an error: in JSON an object that says what the sentence says.
func (a *app) logError(w io.Writer, text string, err error) {
	var attrs []slog.Attr
	if a.logFormat == "json" {
		r := diagnose.Describe(err)
		if u := (*usageError)(nil); errors.As(err, &u) {
			r.Code = "usage"
		}
		attrs = r.Attrs()
	}
	slog.New(a.handler(w, slog.LevelError)).LogAttrs(context.Background(), slog.LevelError, text, attrs...)
}
