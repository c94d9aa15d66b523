package logfile

import (
	"time"
	"unicode/utf8"
)

// entry is what is logged at once.
type entry struct {
	stream string
	line   []byte // without its end
	at     time.Time
	part   *part // nil: a whole line
}

// part says where in a long line an entry belongs.
type part struct {
	last    bool
	id      string // all parts of a line have the same
	ordinal int    // from 1 on
}

// ends says whether the line ends with this entry.
func (e *entry) ends() bool { return e.part == nil || e.part.last }

// appendJSON writes an entry as Docker's driver json-file does.
func (o *Options) appendJSON(b []byte, e *entry) []byte {
	b = append(b, '{')
	if len(e.line) > 0 || e.ends() {
		b = append(b, `"log":"`...)
		b = appendEscaped(b, e.line)
		if e.ends() {
			b = append(b, `\n`...)
		}
		b = append(b, `",`...)
	}
	b = append(b, `"stream":"`...)
	b = append(b, e.stream...)
	b = append(b, `",`...)
	if o.Attrs != "" {
		b = append(b, `"attrs":`...)
		b = append(b, o.Attrs...)
		b = append(b, ',')
	}
	b = append(b, `"time":"`...)
	b = e.at.UTC().AppendFormat(b, time.RFC3339Nano)
	return append(b, "\"}\n"...)
}

// plain are the bytes that stand for themselves in a string. Docker escapes what HTML would take for markup, too.
var plain = func() (t [256]bool) {
	for c := ' '; c < utf8.RuneSelf; c++ {
		t[c] = true
	}
	for _, c := range `"\<>&` {
		t[c] = false
	}
	return t
}()

// appendEscaped writes the inside of a string; what is not UTF-8 becomes U+FFFD.
func appendEscaped(b, s []byte) []byte {
	for len(s) > 0 {
		n := 0
		for n < len(s) && plain[s[n]] {
			n++
		}
		b = append(b, s[:n]...)
		if s = s[n:]; len(s) == 0 {
			break
		}
		size := 1
		if s[0] < utf8.RuneSelf {
			b = appendASCII(b, s[0])
		} else {
			var r rune
			r, size = utf8.DecodeRune(s)
			b = appendRune(b, r, s[:size])
		}
		s = s[size:]
	}
	return b
}

func appendASCII(b []byte, c byte) []byte {
	const hex = "0123456789abcdef"
	switch c {
	case '"', '\\':
		return append(b, '\\', c)
	case '\n':
		return append(b, `\n`...)
	case '\r':
		return append(b, `\r`...)
	}
	return append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&0xf])
}

func appendRune(b []byte, r rune, text []byte) []byte {
	switch {
	case r == utf8.RuneError && len(text) == 1:
		return append(b, `\ufffd`...)
	case r == '\u2028': // a line end for JavaScript
		return append(b, `\u2028`...)
	case r == '\u2029':
		return append(b, `\u2029`...)
	}
	return append(b, text...)
}
