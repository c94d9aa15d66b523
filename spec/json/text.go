package json

import (
	"unicode/utf16"
	"unicode/utf8"
)

// plain marks the bytes that stand for themselves in a string: printable ASCII but for '"' and '\'.
var plain = [256]bool{
	' ': true, '!': true, '#': true, '$': true, '%': true, '&': true, '\'': true, '(': true, ')': true,
	'*': true, '+': true, ',': true, '-': true, '.': true, '/': true, ':': true, ';': true, '<': true,
	'0': true, '1': true, '2': true, '3': true, '4': true, '5': true, '6': true, '7': true, '8': true, '9': true,
	'=': true, '>': true, '?': true, '@': true, '[': true, ']': true, '^': true, '_': true, '`': true,
	'A': true, 'B': true, 'C': true, 'D': true, 'E': true, 'F': true, 'G': true, 'H': true, 'I': true, 'J': true,
	'K': true, 'L': true, 'M': true, 'N': true, 'O': true, 'P': true, 'Q': true, 'R': true, 'S': true, 'T': true,
	'U': true, 'V': true, 'W': true, 'X': true, 'Y': true, 'Z': true,
	'a': true, 'b': true, 'c': true, 'd': true, 'e': true, 'f': true, 'g': true, 'h': true, 'i': true, 'j': true,
	'k': true, 'l': true, 'm': true, 'n': true, 'o': true, 'p': true, 'q': true, 'r': true, 's': true, 't': true,
	'u': true, 'v': true, 'w': true, 'x': true, 'y': true, 'z': true,
	'{': true, '|': true, '}': true, '~': true, 0x7f: true,
}

// text consumes the string under the cursor and returns its value, a slice of the source where it has no escapes.
func (d *Decoder) text() string {
	start := d.pos + 1
	escaped := d.skipText()
	if d.err != nil {
		return ""
	}
	raw := d.src[start : d.pos-1]
	if escaped {
		return unescape(raw)
	}
	return raw
}

// skipText consumes the string under the cursor and checks it; it says whether the string has escapes.
func (d *Decoder) skipText() (escaped bool) {
	src, i := d.src, d.pos+1
	for {
		for i < len(src) && plain[src[i]] {
			i++
		}
		d.pos = i
		switch {
		case i >= len(src):
			d.syntax("the string has no closing quote")
			return escaped
		case src[i] == '"':
			d.pos = i + 1
			return escaped
		case src[i] == '\\':
			escaped = true
			i += d.escape()
		case src[i] < ' ':
			d.syntax("control character " + d.found() + " in a string must be escaped")
		default:
			_, n := utf8.DecodeRuneInString(src[i:])
			if n == 1 {
				d.syntax("the string is not UTF-8")
			}
			i += n
		}
		if d.err != nil {
			return escaped
		}
	}
}

// escape checks the escape sequence under the cursor and returns its length.
func (d *Decoder) escape() int {
	rest := d.src[d.pos:]
	if len(rest) < 2 {
		d.syntax("the string has no closing quote")
		return 0
	}
	switch rest[1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2
	case 'u':
		if _, ok := hex4(rest[2:]); ok {
			return 6
		}
		d.syntax("expected four hexadecimal digits after \\u")
	default:
		d.pos++
		d.syntax("unknown escape sequence: \\ before " + d.found())
	}
	return 0
}

// hex4 reads the four hexadecimal digits of a \u escape.
func hex4(s string) (rune, bool) {
	if len(s) < 4 {
		return 0, false
	}
	var r rune
	for i := range 4 {
		c := s[i]
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c >= 'a' && c <= 'f':
			c -= 'a' - 10
		case c >= 'A' && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}

// unescape returns the value of a string that skipText has found correct.
func unescape(raw string) string {
	out := make([]byte, 0, len(raw))
	for i := 0; i < len(raw); {
		if raw[i] != '\\' {
			out = append(out, raw[i])
			i++
			continue
		}
		switch c := raw[i+1]; c {
		case 'u':
			r, n := codePoint(raw[i:])
			out = utf8.AppendRune(out, r)
			i += n
			continue
		case 'b':
			out = append(out, '\b')
		case 'f':
			out = append(out, '\f')
		case 'n':
			out = append(out, '\n')
		case 'r':
			out = append(out, '\r')
		case 't':
			out = append(out, '\t')
		default:
			out = append(out, c)
		}
		i += 2
	}
	return string(out)
}

// codePoint reads one \u escape, or a surrogate pair of two; an unpaired surrogate becomes U+FFFD.
func codePoint(s string) (r rune, length int) {
	r, _ = hex4(s[2:])
	if !utf16.IsSurrogate(r) {
		return r, 6
	}
	if len(s) >= 12 && s[6] == '\\' && s[7] == 'u' {
		low, _ := hex4(s[8:])
		if pair := utf16.DecodeRune(r, low); pair != utf8.RuneError {
			return pair, 12
		}
	}
	return utf8.RuneError, 6
}
