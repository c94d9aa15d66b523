package json

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// SyntaxError says that the text is not JSON. Line and Column (in bytes) count from 1.
type SyntaxError struct {
	Line, Column int
	Message      string
}

func (e *SyntaxError) Error() string {
	return "line " + strconv.Itoa(e.Line) + ", column " + strconv.Itoa(e.Column) + ": " + e.Message
}

// InvalidParameter marks the class of the error for github.com/containerd/errdefs.
func (e *SyntaxError) InvalidParameter() {}

// TypeError says that a value is not of the type its place asks for, or does not fit.
type TypeError struct {
	Pointer string // JSON pointer of the value (RFC 6901), empty for the whole document
	Found   string // "string", "number 4294967296"
	Want    string // "unsigned 32-bit integer"
}

func (e *TypeError) Error() string {
	message := "cannot use " + e.Found + " as " + e.Want
	if e.Pointer == "" {
		return message
	}
	return e.Pointer + ": " + message
}

// InvalidParameter marks the class of the error for github.com/containerd/errdefs.
func (e *TypeError) InvalidParameter() {}

// syntax records a SyntaxError at the cursor, unless there was an error before.
func (d *Decoder) syntax(message string) {
	if d.err != nil {
		return
	}
	before := d.src[:d.pos]
	d.err = &SyntaxError{
		Line:    strings.Count(before, "\n") + 1,
		Column:  len(before) - strings.LastIndexByte(before, '\n'),
		Message: message,
	}
}

// mismatch records that the value under the cursor is not what was wanted.
func (d *Decoder) mismatch(want string) {
	if d.err != nil {
		return
	}
	var found string
	switch c := d.peek(); {
	case c == '"':
		found = "string"
	case c == '{':
		found = "object"
	case c == '[':
		found = "array"
	case c == 't' || c == 'f':
		found = "boolean"
	case c == '-' || c >= '0' && c <= '9':
		found = "number"
	default:
		d.syntax("expected a value, found " + d.found())
		return
	}
	d.err = &TypeError{Pointer: d.pointer(d.pos), Found: found, Want: want}
}

// unfit records that a number has a sign, a fraction or a size that its place does not take.
func (d *Decoder) unfit(at int, text, sign string, bits int) {
	if d.err == nil {
		d.err = &TypeError{Pointer: d.pointer(at), Found: "number " + text, Want: integer(sign, bits)}
	}
}

func integer(sign string, bits int) string {
	return sign + " " + strconv.Itoa(bits) + "-bit integer"
}

// found describes what is under the cursor.
func (d *Decoder) found() string {
	if d.pos >= len(d.src) {
		return "the end of the text"
	}
	r, _ := utf8.DecodeRuneInString(d.src[d.pos:])
	return strconv.QuoteRune(r)
}
