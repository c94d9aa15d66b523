package json

import "strings"

// MaxDepth is how deep objects and arrays may nest.
const MaxDepth = 1000

// Reserve lowers the limit on nesting by n levels, for a document that is to be put inside of another.
func (d *Decoder) Reserve(n int) { d.depth += n }

// Decoder is a cursor over one JSON document. Its methods do nothing after the first error.
type Decoder struct {
	src     string
	pos     int
	depth   int
	err     error
	name    string // of the current property
	nameAt  int    // offset of its opening quote
	fresh   bool   // an object or array was just opened: no comma comes before the next entry
	unknown []int  // offsets of the properties that Ignore passed over
}

// New returns a cursor before the first value of data, which it copies.
func New(data []byte) *Decoder {
	d := new(Decoder)
	d.Reset(data)
	return d
}

// Reset places the cursor before the first value of data, which it copies.
func (d *Decoder) Reset(data []byte) {
	*d = Decoder{src: string(data)}
}

// Err returns the first error: a *SyntaxError or a *TypeError.
func (d *Decoder) Err() error { return d.err }

// Offset returns how many bytes the cursor has consumed.
func (d *Decoder) Offset() int { return d.pos }

// End checks that nothing but white space follows, and returns the first error of the whole document.
func (d *Decoder) End() error {
	d.space()
	if d.err == nil && d.pos < len(d.src) {
		d.syntax("unexpected " + d.found() + " after the end of the document")
	}
	return d.err
}

// space moves to the next byte that is not white space and returns it, or 0 at the end of the text.
func (d *Decoder) space() byte {
	for d.pos < len(d.src) {
		switch c := d.src[d.pos]; c {
		case ' ', '\t', '\n', '\r':
			d.pos++
		default:
			return c
		}
	}
	return 0
}

// Null consumes a null and says whether there was one.
func (d *Decoder) Null() bool {
	return d.space() == 'n' && d.literal("null")
}

// Object opens an object, whose properties Next then visits. It returns false for null, and on an error.
func (d *Decoder) Object() bool { return d.open('{', "object") }

// Array opens an array, whose elements More then announces. It returns false for null, and on an error.
func (d *Decoder) Array() bool { return d.open('[', "array") }

func (d *Decoder) open(bracket byte, want string) bool {
	if d.space() != bracket {
		if !d.Null() {
			d.mismatch(want)
		}
		return false
	}
	if d.depth++; d.depth > MaxDepth {
		d.syntax("objects and arrays nest too deeply")
		return false
	}
	d.pos++
	d.fresh = true
	return d.err == nil
}

// Next moves to the value of the object's next property, whose key Name returns; false after the last.
func (d *Decoder) Next() bool {
	if !d.entry('}', "expected ',' or '}' after a property, found ") {
		return false
	}
	if d.space() != '"' {
		d.syntax("expected a property name in double quotes, found " + d.found())
		return false
	}
	d.nameAt = d.pos
	d.name = d.text()
	if d.space() != ':' {
		d.syntax("expected ':' after a property name, found " + d.found())
		return false
	}
	d.pos++
	return d.err == nil
}

// More moves to the next element of the array; false after the last.
func (d *Decoder) More() bool {
	if !d.entry(']', "expected ',' or ']' after an element, found ") {
		return false
	}
	if d.space() == ']' {
		d.syntax("expected a value after ',', found ']'")
		return false
	}
	return true
}

// entry consumes the comma before an entry, or the closing bracket.
func (d *Decoder) entry(closing byte, complaint string) bool {
	if d.err != nil {
		return false
	}
	c := d.space()
	switch {
	case c == closing:
		d.pos++
		d.depth--
		d.fresh = false
		return false
	case d.fresh:
		d.fresh = false
	case c == ',':
		d.pos++
	default:
		d.syntax(complaint + d.found())
		return false
	}
	return true
}

// Name returns the key of the current property, until the next call of Next.
func (d *Decoder) Name() string { return d.name }

// Fold looks the current key up among known names without regard to case (Unicode simple folding, as
// encoding/json does after an exact match has failed). When it finds one, Name returns that spelling.
func (d *Decoder) Fold(known []string) bool {
	for _, name := range known {
		if strings.EqualFold(name, d.name) {
			d.name = name
			return true
		}
	}
	return false
}

// Ignore skips the value of the current property and remembers the property for Unknown.
func (d *Decoder) Ignore() {
	d.unknown = append(d.unknown, d.nameAt)
	d.Skip()
}

// Unknown returns the JSON pointers (RFC 6901) of the properties passed to Ignore, in document order.
func (d *Decoder) Unknown() []string {
	return pointers(d.src, d.unknown)
}
