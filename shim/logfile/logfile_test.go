package logfile_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/shim/logfile"
)

// open makes a log in a directory of the test.
func open(t testing.TB, o logfile.Options) (*logfile.Log, string) {
	t.Helper()
	if o.Path == "" {
		o.Path = filepath.Join(t.TempDir(), "x", "c-json.log")
	}
	if o.Driver == "" {
		o.Driver = logfile.JSON
	}
	l, err := logfile.Open(o, func(what string, err error) { t.Errorf("%s: %v", what, err) })
	if err != nil {
		t.Fatal(err)
	}
	return l, o.Path
}

func read(t testing.TB, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func at(t *testing.T, moment string) {
	t.Helper()
	when, err := time.Parse(time.RFC3339Nano, moment)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(logfile.FakeNow(func() time.Time { return when }))
}

// TestJSON has Docker's format, byte for byte.
func TestJSON(t *testing.T) {
	at(t, "2024-03-01T02:03:04.5+01:00")
	const end = `","stream":"stdout","time":"2024-03-01T01:03:04.5Z"}` + "\n"
	for _, test := range []struct{ in, want string }{
		{"hello\n", `{"log":"hello\n` + end},
		{"\n", `{"log":"\n` + end},
		{"no end", `{"log":"no end` + end},
		{"a\r\n", `{"log":"a\r\n` + end},
		{"tab\t \"quoted\" back\\slash <b>&\n", `{"log":"tab\u0009 \"quoted\" back\\slash \u003cb\u003e\u0026\n` + end},
		{"\x00\x07\x1b[1m\x7f\n", `{"log":"\u0000\u0007\u001b[1m` + "\x7f" + `\n` + end},
		{"grün \u2028\u2029 \U0001f600\n", `{"log":"grün \u2028\u2029 ` + "\U0001f600" + `\n` + end},
		{"bad \xff\xc3\n", `{"log":"bad \ufffd\ufffd\n` + end},
		{"one\ntwo\n", `{"log":"one\n` + end + `{"log":"two\n` + end},
	} {
		l, path := open(t, logfile.Options{})
		s := l.Stream("stdout")
		s.Write([]byte(test.in))
		s.Close()
		if got := read(t, path); got != test.want {
			t.Errorf("%q: got %s want %s", test.in, got, test.want)
		}
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestAttrs(t *testing.T) {
	at(t, "2024-03-01T01:03:04Z")
	l, path := open(t, logfile.Options{Attrs: `{"tag":"x"}`})
	l.Stream("stderr").Write([]byte("a\n"))
	if got, want := read(t, path), `{"log":"a\n","stream":"stderr","attrs":{"tag":"x"},"time":"2024-03-01T01:03:04Z"}`+"\n"; got != want {
		t.Errorf("got %s", got)
	}
}

// TestLocal has Docker's format: as its library encodes the same message.
func TestLocal(t *testing.T) {
	at(t, "1970-01-01T00:00:00.000000300Z")
	l, path := open(t, logfile.Options{Driver: logfile.Local})
	l.Stream("stdout").Write([]byte("hi\n"))
	const message = "\x0a\x06stdout\x10\xac\x02\x1a\x02hi"
	if got, want := read(t, path), "\x00\x00\x00\x0f"+message+"\x00\x00\x00\x0f"; got != want {
		t.Errorf("got %q want %q", got, want)
	}
}

type line struct {
	Log, Stream string
	Time        time.Time
}

func lines(t testing.TB, text string) (list []line) {
	t.Helper()
	for d := json.NewDecoder(strings.NewReader(text)); ; {
		var l line
		err := d.Decode(&l)
		if err == io.EOF {
			return list
		}
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, l)
	}
}

// TestParts cuts long lines as Docker does: into 16 KiB, whatever the writes are, and only the last part has an end.
func TestParts(t *testing.T) {
	const k = 16 << 10
	text := strings.Repeat("x", k) + "\n" + strings.Repeat("y", 2*k+5) + "\nshort\n" + strings.Repeat("z", k+1)
	want := []string{strings.Repeat("x", k), "\n", strings.Repeat("y", k), strings.Repeat("y", k), "yyyyy\n", "short\n", strings.Repeat("z", k), "z"}
	for _, size := range []int{1, 7, 4096, k - 1, k, k + 1, 1 << 20} {
		l, path := open(t, logfile.Options{})
		s := l.Stream("stdout")
		for chunk := range slices.Chunk([]byte(text), size) {
			s.Write(chunk)
		}
		s.Close()
		var got []string
		all := lines(t, read(t, path))
		for _, l := range all {
			got = append(got, l.Log)
		}
		if !slices.Equal(got, want) {
			t.Errorf("size %d: got %d entries: %.60q", size, len(got), got)
			continue
		}
		if !all[2].Time.Equal(all[4].Time) {
			t.Errorf("parts of one line have different times")
		}
	}
}

// TestRotation keeps so many files of such a size.
func TestRotation(t *testing.T) {
	for _, compress := range []bool{false, true} {
		l, path := open(t, logfile.Options{MaxSize: 1000, MaxFiles: 3, Compress: compress})
		s := l.Stream("stdout")
		for i := range 100 {
			s.Write(fmt.Appendf(nil, "line %d\n", i))
		}
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		suffix := ""
		if compress {
			suffix = ".gz"
		}
		names, _ := filepath.Glob(path + "*")
		if want := []string{path, path + ".1" + suffix, path + ".2" + suffix}; !slices.Equal(names, want) {
			t.Errorf("got %v", names)
		}
		var all []line
		for _, name := range []string{path + ".2" + suffix, path + ".1" + suffix, path} {
			text := read(t, name)
			if strings.HasSuffix(name, ".gz") {
				z, err := gzip.NewReader(strings.NewReader(text))
				if err != nil {
					t.Fatal(err)
				}
				b, err := io.ReadAll(z)
				if err != nil {
					t.Fatal(err)
				}
				text = string(b)
			}
			if len(text) > 1100 {
				t.Errorf("%s has %d bytes", name, len(text))
			}
			all = append(all, lines(t, text)...)
		}
		for i, l := range all {
			if want := fmt.Sprintf("line %d\n", 100-len(all)+i); l.Log != want {
				t.Fatalf("got %q, want %q", l.Log, want)
			}
		}
	}
}

// TestOneFile begins the only file anew.
func TestOneFile(t *testing.T) {
	l, path := open(t, logfile.Options{MaxSize: 500, MaxFiles: 1})
	s := l.Stream("stdout")
	var text []byte
	for i := range 1000 {
		text = fmt.Appendf(text, "line %d\n", i)
	}
	s.Write(text)
	names, _ := filepath.Glob(path + "*")
	all := lines(t, read(t, path))
	if len(names) != 1 || len(all) == 0 || len(all) > 10 || all[len(all)-1].Log != "line 999\n" {
		t.Errorf("got %v, %d lines", names, len(all))
	}
}

// TestGoesOn removes half an entry of a shim that was killed, and appends.
func TestGoesOn(t *testing.T) {
	for _, driver := range []string{logfile.JSON, logfile.Local} {
		l, path := open(t, logfile.Options{Driver: driver})
		l.Stream("stdout").Write([]byte("one\ntwo\n"))
		whole := read(t, path)
		for cut := 1; cut < 20; cut++ {
			if err := os.WriteFile(path, []byte(whole+whole[:cut]), 0o600); err != nil {
				t.Fatal(err)
			}
			l, _ := open(t, logfile.Options{Driver: driver, Path: path})
			if err := l.Close(); err != nil {
				t.Error(err)
			}
			if got := read(t, path); got != whole {
				t.Fatalf("%s: %d bytes behind: got %q", driver, cut, got)
			}
		}
	}
}

// TestRing drops what is too much, in whole entries, and writes all else before Flush returns.
func TestRing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	lost := 0
	l, err := logfile.Open(logfile.Options{Driver: logfile.JSON, Path: path, Ring: 4096}, func(string, error) { lost++ })
	if err != nil {
		t.Fatal(err)
	}
	s := l.Stream("stdout")
	s.Write([]byte("first\n"))
	l.Flush()
	if got := lines(t, read(t, path)); len(got) != 1 {
		t.Errorf("got %d lines", len(got))
	}
	s.Write(bytes.Repeat([]byte("more\n"), 1000)) // in one write, which the other side cannot get in between
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	if n := len(lines(t, read(t, path))); n < 10 || n > 200 || lost != 1 {
		t.Errorf("%d lines, lost told %d times", n, lost)
	}
}

func FuzzJSON(f *testing.F) {
	f.Add([]byte("a<\xff\u2028\x00\"\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		l, path := open(t, logfile.Options{})
		s := l.Stream("stdout")
		s.Write(text)
		s.Close()
		var got strings.Builder
		for _, l := range lines(t, read(t, path)) {
			got.WriteString(l.Log)
		}
		if len(text) > 1<<14 { // parts may cut a character
			return
		}
		var want string
		quoted, _ := json.Marshal(string(text))
		if json.Unmarshal(quoted, &want); got.String() != want {
			t.Errorf("got %q want %q", got.String(), want)
		}
		l.Close()
	})
}

func BenchmarkLines(b *testing.B) {
	l, _ := open(b, logfile.Options{MaxSize: 20 << 20, MaxFiles: 3})
	s := l.Stream("stdout")
	chunk := bytes.Repeat([]byte("2024-03-01 12:00:00 INFO a line such as programs write them, of 80 bytes or so\n"), 400)
	b.SetBytes(int64(len(chunk)))
	for b.Loop() {
		s.Write(chunk)
	}
}

// TestFullDisk loses what does not fit and tells that once; what is there is whole, and when there is room it goes on.
func TestFullDisk(t *testing.T) {
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=64k"); err != nil {
		t.Skipf("needs root: %v", err)
	}
	t.Cleanup(func() { unix.Unmount(dir, unix.MNT_DETACH) })
	path, told := filepath.Join(dir, "log"), 0
	l, err := logfile.Open(logfile.Options{Driver: logfile.JSON, Path: path}, func(_ string, err error) {
		if told++; !errors.Is(err, unix.ENOSPC) || !strings.Contains(err.Error(), "lines are lost") {
			t.Errorf("told %v", err)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	s := l.Stream("stdout")
	for range 100 {
		s.Write([]byte(strings.Repeat("x", 1500) + "\n"))
	}
	before := lines(t, read(t, path))
	if told != 1 || len(before) < 30 || len(before) > 50 {
		t.Errorf("told %d times, %d lines", told, len(before))
	}
	if err := unix.Mount("", dir, "", unix.MS_REMOUNT, "size=1m"); err != nil {
		t.Fatal(err)
	}
	s.Write([]byte("again\n"))
	if after := lines(t, read(t, path)); len(after) != len(before)+1 || after[len(before)].Log != "again\n" {
		t.Errorf("%d lines", len(after))
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
}
