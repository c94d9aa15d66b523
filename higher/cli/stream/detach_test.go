package stream

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

func TestParseKeys(t *testing.T) {
	for in, want := range map[string]string{"ctrl-p,ctrl-q": "\x10\x11", "a": "a", "ctrl-@": "\x00", "ctrl-_,x": "\x1fx", "ctrl-[": "\x1b"} {
		if got, err := ParseKeys(in); err != nil || string(got) != want {
			t.Errorf("%q: %q, %v; not %q", in, got, err, want)
		}
	}
	for _, in := range []string{"", "ab", "ctrl-", "ctrl-A", "a,,b", "ctrl-1"} {
		if got, err := ParseKeys(in); err == nil {
			t.Errorf("%q gave %q, not an error", in, got)
		}
	}
}

func TestDetachable(t *testing.T) {
	for _, c := range []struct{ in, out string }{
		{"abc", "abc"}, {"ab\x10\x11cd", "ab|"}, {"\x10\x10\x11x", "\x10|"}, {"a\x10b\x10", "a\x10b\x10"}, {"\x11\x10\x11", "\x11|"}, {"\x10\x10\x10a", "\x10\x10\x10a"},
	} {
		for name, r := range map[string]io.Reader{"whole": strings.NewReader(c.in), "bytes": iotest.OneByteReader(strings.NewReader(c.in))} {
			got, err := io.ReadAll(Detachable(r, DefaultDetachKeys))
			want, detached := strings.CutSuffix(c.out, "|")
			if string(got) != want || errors.Is(err, ErrDetached) != detached {
				t.Errorf("%s %q: %q, %v; not %q", name, c.in, got, err, c.out)
			}
		}
	}
}

// Whatever is typed, everything in front of the keys comes through, and nothing else.
func FuzzDetachable(f *testing.F) {
	f.Add([]byte("ab\x10\x11cd"), []byte("\x10\x11"))
	f.Add([]byte("aab"), []byte("ab"))
	f.Fuzz(func(t *testing.T, in, keys []byte) {
		if len(keys) == 0 || len(keys) == 3 && keys[0] == keys[1] || len(keys) > 2 {
			return // the keys of longer sequences may overlap themselves, which docker does not find either
		}
		got, err := io.ReadAll(Detachable(bytes.NewReader(in), keys))
		want, detached := in, false
		if i := bytes.Index(in, keys); i >= 0 {
			want, detached = in[:i], true
		}
		if !bytes.Equal(got, want) || errors.Is(err, ErrDetached) != detached {
			t.Fatalf("%q with %q: %q, %v", in, keys, got, err)
		}
	})
}
