package log

import (
	"bytes"
	"encoding/json"
	"time"
	"unicode/utf8"
)

// jsonFormat is Docker's driver json-file: a JSON object on each line.
type jsonFormat struct {
	details bool
	line    []byte // reused
}

func (*jsonFormat) cut(b []byte) (int, error) { return bytes.IndexByte(b, '\n') + 1, nil }

// decode reads an entry: as the shim and Docker write it in little time, and any other as JSON.
func (f *jsonFormat) decode(b []byte, e *entry) error {
	if !f.details && f.quick(b, e) {
		return nil
	}
	var full struct {
		Log, Stream string
		Time        time.Time
		Attrs       map[string]string
	}
	if err := json.Unmarshal(b, &full); err != nil {
		return err
	}
	*e = entry{full.Stream, full.Time, []byte(full.Log), full.Attrs}
	return nil
}

var (
	logKey      = []byte(`{"log":"`)
	stdoutField = []byte(`,"stream":"stdout"`)
	stderrField = []byte(`,"stream":"stderr"`)
	timeField   = []byte(`,"time":"`)
	entryEnd    = []byte(`"}`)
)

// quick reads {"log":"…","stream":"…",…"time":"…"}.
func (f *jsonFormat) quick(b []byte, e *entry) bool {
	rest, ok := bytes.CutPrefix(b, logKey)
	if !ok {
		return false
	}
	if f.line, rest, ok = unquote(f.line[:0], rest); !ok {
		return false
	}
	switch { // no copy for each line
	case bytes.HasPrefix(rest, stdoutField):
		e.stream, rest = "stdout", rest[len(stdoutField):]
	case bytes.HasPrefix(rest, stderrField):
		e.stream, rest = "stderr", rest[len(stderrField):]
	default:
		return false
	}
	rest, ok = bytes.CutPrefix(rest, timeField) // with attributes before it, it takes the slow way
	if !ok {
		return false
	}
	text, ok := bytes.CutSuffix(bytes.TrimRight(rest, "\r\n"), entryEnd)
	if !ok || e.at.UnmarshalText(text) != nil { // does no copy either
		return false
	}
	e.line, e.attrs = f.line, nil
	return true
}

// plain are the bytes that stand for themselves in a JSON string of ASCII.
var plain = func() (t [256]bool) {
	for c := ' '; c < utf8.RuneSelf; c++ {
		t[c] = c != '"' && c != '\\'
	}
	return t
}()

// unquote appends a JSON string, after its first quote, to to, and returns what follows its last. It knows the escapes that
// log writers use, and leaves what is no good JSON to others.
func unquote(to, b []byte) (text, rest []byte, ok bool) {
	for {
		i := 0
		for i < len(b) && plain[b[i]] {
			i++
		}
		to = append(to, b[:i]...)
		if b = b[i:]; len(b) < 2 {
			return to, nil, false
		}
		switch c := b[0]; {
		case c == '"':
			return to, b[1:], true
		case c == '\\':
			to, b, ok = unescape(to, b)
		default:
			to, b, ok = foreign(to, b)
		}
		if !ok {
			return to, nil, false
		}
	}
}

// foreign appends a character that is not ASCII.
func foreign(to, b []byte) (text, rest []byte, ok bool) {
	r, n := utf8.DecodeRune(b)
	if r < utf8.RuneSelf || r == utf8.RuneError && n == 1 {
		return to, nil, false
	}
	return append(to, b[:n]...), b[n:], true
}

// unescape appends what a backslash and the letter behind it stand for.
func unescape(to, b []byte) (text, rest []byte, ok bool) {
	switch c := b[1]; c {
	case '"', '\\', '/':
		return append(to, c), b[2:], true
	case 'n':
		return append(to, '\n'), b[2:], true
	case 'r':
		return append(to, '\r'), b[2:], true
	case 't':
		return append(to, '\t'), b[2:], true
	case 'u':
		r, good := hex4(b[2:])
		if !good || r >= 0xd800 && r < 0xe000 { // surrogates are for the slow way
			return to, nil, false
		}
		return utf8.AppendRune(to, r), b[6:], true
	}
	return to, nil, false
}

func hex4(b []byte) (r rune, ok bool) {
	if len(b) < 4 {
		return 0, false
	}
	for _, c := range b[:4] {
		switch {
		case c >= '0' && c <= '9':
			r = r<<4 | rune(c-'0')
		case c >= 'a' && c <= 'f':
			r = r<<4 | rune(c-'a'+10)
		case c >= 'A' && c <= 'F':
			r = r<<4 | rune(c-'A'+10)
		default:
			return 0, false
		}
	}
	return r, true
}
