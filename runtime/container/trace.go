package container

import (
	"context"
	"log/slog"
	"time"
)

// span begins a part of the debug trace; the function it returns ends it, and logs how long it took and
// how it went. Without a trace both cost next to nothing.
func (s *Store) span(what string, args ...any) func(error) {
	if !s.traces(slog.LevelDebug) {
		return func(error) {}
	}
	begin := time.Now()
	return func(err error) {
		args = append(args, "took", time.Since(begin))
		if err != nil {
			args = append(args, "error", err)
		}
		s.Log.Debug(what, args...)
	}
}

// debug logs one event of the trace.
func (s *Store) debug(what string, args ...any) {
	if s.traces(slog.LevelDebug) {
		s.Log.Debug(what, args...)
	}
}

// warn logs what went wrong without failing the verb.
func (s *Store) warn(what string, err error) {
	if s.traces(slog.LevelWarn) {
		s.Log.Warn(what, "error", err)
	}
}

func (s *Store) traces(level slog.Level) bool {
	return s.Log != nil && s.Log.Enabled(context.Background(), level)
}
