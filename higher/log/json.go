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
	logKey    = []byte(`{"log":"`)
	streamKey = []byte(`,"stream":"`)
	timeKey   = []byte(`"time":"`)
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
	if rest, ok = bytes.CutPrefix(rest, streamKey); !ok {
		return false
	}
	switch { // no copy for each line
	case bytes.HasPrefix(rest, []byte(`stdout"`)):
		e.stream = "stdout"
	case bytes.HasPrefix(rest, []byte(`stderr"`)):
		e.stream = "stderr"
	default:
		return false
	}
	at := bytes.LastIndex(rest, timeKey) // in a string its quotes would have backslashes
	text, ok := bytes.CutSuffix(bytes.TrimRight(rest, "\r\n"), []byte(`"}`))
	if at < 0 || !ok || len(text) < at+len(timeKey) {
		return false
	}
	var err error
	e.at, err = time.Parse(time.RFC3339Nano, string(text[at+len(timeKey):]))
	e.line, e.attrs = f.line, nil
	return err == nil
}

// unquote appends a JSON string, after its first quote, to to, and returns what follows its last. It knows the escapes that
// log writers use.
func unquote(to, b []byte) (text, rest []byte, ok bool) {
	for {
		i := 0
		for i < len(b) && b[i] != '"' && b[i] != '\\' {
			i++
		}
		to = append(to, b[:i]...)
		if b = b[i:]; len(b) < 2 {
			return to, nil, false
		}
		if b[0] == '"' {
			return to, b[1:], true
		}
		switch c := b[1]; c {
		case '"', '\\', '/':
			to, b = append(to, c), b[2:]
		case 'n':
			to, b = append(to, '\n'), b[2:]
		case 'r':
			to, b = append(to, '\r'), b[2:]
		case 't':
			to, b = append(to, '\t'), b[2:]
		case 'u':
			r, good := hex4(b[2:])
			if !good || r >= 0xd800 && r < 0xe000 { // surrogates are for the slow way
				return to, nil, false
			}
			to, b = utf8.AppendRune(to, r), b[6:]
		default:
			return to, nil, false
		}
	}
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
