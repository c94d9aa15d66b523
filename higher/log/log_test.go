package log_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dhow-containers/dhow/higher/log"
	"github.com/dhow-containers/dhow/shim/logfile"
)

// write makes a log as the shim does.
func write(t testing.TB, o logfile.Options) *logfile.Log {
	t.Helper()
	l, err := logfile.Open(o, func(what string, err error) { t.Errorf("%s: %v", what, err) })
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func read(t testing.TB, c log.Config, o log.Options) string {
	t.Helper()
	o.Stdout, o.Stderr = o.Stdout || !o.Stderr, o.Stderr || !o.Stdout
	var text strings.Builder
	err := log.Read(t.Context(), c, o, nil, func(l log.Line) error {
		text.Write(l.Text)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return text.String()
}

// numbers are the lines from first to last.
func numbers(first, last int) string {
	var b strings.Builder
	for i := first; i <= last; i++ {
		fmt.Fprintf(&b, "line %d\n", i)
	}
	return b.String()
}

func each(t *testing.T, f func(t *testing.T, driver string)) {
	for _, driver := range []string{logfile.JSON, logfile.Local} {
		t.Run(driver, func(t *testing.T) { f(t, driver) })
	}
}

// TestTail reads all and the ends of logs of one file and of several, compressed ones too.
func TestTail(t *testing.T) {
	each(t, func(t *testing.T, driver string) {
		for _, o := range []logfile.Options{{}, {MaxSize: 4000, MaxFiles: 50}, {MaxSize: 4000, MaxFiles: 50, Compress: true}} {
			o.Driver, o.Path = driver, filepath.Join(t.TempDir(), "log")
			l := write(t, o)
			s := l.Stream("stdout")
			s.Write([]byte(numbers(1, 1000)))
			if err := l.Close(); err != nil {
				t.Fatal(err)
			}
			for _, tail := range []int{-1, 0, 1, 2, 20, 99, 500, 999, 1000, 1001} {
				want := numbers(max(1, 1001-tail), 1000)
				if tail < 0 {
					want = numbers(1, 1000)
				}
				if got := read(t, log.Config{Driver: driver, Path: o.Path}, log.Options{Tail: tail}); got != want {
					t.Errorf("%+v: tail %d: got %d bytes, want %d: %.30q", o, tail, len(got), len(want), got)
				}
			}
		}
	})
}

func TestNoLog(t *testing.T) {
	if got := read(t, log.Config{Path: filepath.Join(t.TempDir(), "none")}, log.Options{Tail: -1}); got != "" {
		t.Errorf("got %q", got)
	}
	err := log.Read(t.Context(), log.Config{Driver: "none"}, log.Options{}, nil, nil)
	if err == nil || err.Error() != "configured logging driver does not support reading" {
		t.Errorf("got %v", err)
	}
}

// text is a log of json-file by hand.
func text(t *testing.T, lines ...string) log.Config {
	t.Helper()
	path := filepath.Join(t.TempDir(), "log")
	if err := os.WriteFile(path, []byte(strings.Join(lines, "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	return log.Config{Path: path}
}

func TestChoice(t *testing.T) {
	c := text(t,
		`{"log":"one\n","stream":"stdout","time":"2024-01-01T00:00:01Z"}`,
		`{"log":"two\n","stream":"stderr","time":"2024-01-01T00:00:02.5Z"}`,
		`{"log":"three\n","stream":"stdout","attrs":{"tag":"a b","env":"x"},"time":"2024-01-01T00:00:03Z"}`, "")
	at := func(s float64) time.Time {
		return time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(s * float64(time.Second)))
	}
	for _, test := range []struct {
		o    log.Options
		want string
	}{
		{log.Options{Tail: -1}, "one\ntwo\nthree\n"},
		{log.Options{Tail: -1, Stdout: true}, "one\nthree\n"},
		{log.Options{Tail: -1, Stderr: true}, "two\n"},
		{log.Options{Tail: 2, Stdout: true}, "three\n"},
		{log.Options{Tail: -1, Since: at(2.5)}, "two\nthree\n"},
		{log.Options{Tail: -1, Until: at(2.5)}, "one\ntwo\n"},
		{log.Options{Tail: -1, Since: at(1.1), Until: at(2.9)}, "two\n"},
		{log.Options{Tail: 1, Timestamps: true}, "2024-01-01T00:00:03.000000000Z three\n"},
		{log.Options{Tail: 2, Details: true}, " two\nenv=x,tag=a+b three\n"},
		{log.Options{Tail: 1, Details: true, Timestamps: true}, "2024-01-01T00:00:03.000000000Z env=x,tag=a+b three\n"},
	} {
		if got := read(t, c, test.o); got != test.want {
			t.Errorf("%+v: got %q", test.o, got)
		}
	}
}

// TestDamaged passes over what is half written, in the middle and at the end.
func TestDamaged(t *testing.T) {
	const good = `{"log":"good\n","stream":"stdout","time":"2024-01-01T00:00:01Z"}`
	for _, lines := range [][]string{
		{good, `{"log":"ba` + good, good, ""},
		{good, `{"log":"half\n","stream":"std`, good, ""},
		{good, good, `{"log":"half\n","stream":"stdout","time":"2024-01-01T00:00:0`},
		{good, "\x00\x00\x00", good, ""},
	} {
		c := text(t, lines...)
		if got := read(t, c, log.Options{Tail: -1}); got != "good\ngood\n" {
			t.Errorf("%q: got %q", lines, got)
		}
		if got := read(t, c, log.Options{Tail: 1}); got != "good\n" {
			t.Errorf("%q: tail: got %q", lines, got)
		}
	}
}

// TestFollow reads a log that is written and rotated fast, from before its first line to its end, without a gap.
func TestFollow(t *testing.T) {
	each(t, func(t *testing.T, driver string) {
		for _, o := range []logfile.Options{{}, {MaxSize: 50_000, MaxFiles: 5}, {MaxSize: 50_000, MaxFiles: 5, Compress: true}} {
			o.Driver, o.Path = driver, filepath.Join(t.TempDir(), "new", "log")
			ended, seen := make(chan struct{}), atomic.Int64{}
			go func() {
				defer close(ended)
				l := write(t, o)
				s := l.Stream("stdout")
				for i := 0; i < 20_000; i += 100 {
					s.Write([]byte(numbers(i, i+99)))
					for int64(i)-seen.Load() > 1500 { // what is there must not be less than that
						time.Sleep(100 * time.Microsecond)
					}
				}
				if err := l.Close(); err != nil {
					t.Error(err)
				}
			}()
			n := 0
			err := log.Read(t.Context(), log.Config{Driver: driver, Path: o.Path}, log.Options{Tail: -1, Follow: true, Stdout: true}, ended, func(l log.Line) error {
				if want := fmt.Sprintf("line %d\n", n); string(l.Text) != want {
					return fmt.Errorf("got %q, want %q", l.Text, want)
				}
				n++
				seen.Store(int64(n))
				return nil
			})
			if err != nil || n != 20_000 {
				t.Errorf("%+v: %d lines, %v", o, n, err)
				seen.Store(1 << 40) // nobody reads any more
			}
			<-ended
		}
	})
}

// TestFollowEnds ends for each reason.
func TestFollowEnds(t *testing.T) {
	c := text(t, `{"log":"one\n","stream":"stdout","time":"2024-01-01T00:00:01Z"}`, "")
	o := log.Options{Tail: -1, Follow: true, Stdout: true}
	no := errors.New("no more")
	if err := log.Read(t.Context(), c, o, nil, func(log.Line) error { return no }); !errors.Is(err, no) {
		t.Errorf("emit: got %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	if err := log.Read(ctx, c, o, nil, func(log.Line) error { cancel(); return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("context: got %v", err)
	}
	o.Until = time.Now().Add(10 * time.Millisecond)
	if err := log.Read(t.Context(), c, o, nil, func(log.Line) error { return nil }); err != nil {
		t.Errorf("until: got %v", err)
	}
	o.Until = time.Time{}
	err := log.Read(t.Context(), c, o, nil, func(log.Line) error { return os.RemoveAll(filepath.Dir(c.Path)) })
	if err != nil {
		t.Errorf("directory: got %v", err)
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(`{"log":"a\u00e4\n","stream":"stdout","attrs":{"a":"b"},"time":"2024-01-01T00:00:01Z"}`+"\n"), 3)
	f.Add([]byte("\x00\x00\x00\x02\x1a\x00\x00\x00\x00\x02"), 1)
	f.Fuzz(func(t *testing.T, data []byte, tail int) {
		path := filepath.Join(t.TempDir(), "log")
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		for _, driver := range []string{logfile.JSON, logfile.Local} {
			o := log.Options{Tail: tail % 1000, Stdout: true, Stderr: true, Details: len(data)%2 == 0}
			_ = log.Read(t.Context(), log.Config{Driver: driver, Path: path}, o, nil, func(log.Line) error { return nil })
		}
	})
}

func BenchmarkAll(b *testing.B)  { bench(b, -1) }
func BenchmarkTail(b *testing.B) { bench(b, 10) }

// bench reads a log of 100,000 lines.
func bench(b *testing.B, tail int) {
	c := log.Config{Path: filepath.Join(b.TempDir(), "log")}
	l := write(b, logfile.Options{Driver: logfile.JSON, Path: c.Path})
	l.Stream("stdout").Write([]byte(numbers(1, 100_000)))
	for b.Loop() {
		if err := log.Read(b.Context(), c, log.Options{Tail: tail, Stdout: true, Stderr: true}, nil, func(log.Line) error { return nil }); err != nil {
			b.Fatal(err)
		}
	}
}
