package json

import "strconv"

// String reads a string; null leaves *p as it is.
func (d *Decoder) String(p *string) {
	if d.space() == '"' {
		*p = d.text()
	} else if !d.Null() {
		d.mismatch("string")
	}
}

// Bool reads true or false; null leaves *p as it is.
func (d *Decoder) Bool(p *bool) {
	switch d.space() {
	case 't':
		if d.literal("true") {
			*p = true
		}
	case 'f':
		if d.literal("false") {
			*p = false
		}
	default:
		if !d.Null() {
			d.mismatch("boolean")
		}
	}
}

// literal consumes one of the three words of JSON.
func (d *Decoder) literal(word string) bool {
	end := d.pos + len(word)
	if end > len(d.src) || d.src[d.pos:end] != word {
		d.syntax("expected " + word)
		return false
	}
	d.pos = end
	return true
}

// Int reads a number into an int; null leaves *p as it is.
func (d *Decoder) Int(p *int) {
	if n, ok := d.signed(strconv.IntSize); ok {
		*p = int(n)
	}
}

// Int32 reads a number into an int32; null leaves *p as it is.
func (d *Decoder) Int32(p *int32) {
	if n, ok := d.signed(32); ok {
		*p = int32(n)
	}
}

// Int64 reads a number into an int64; null leaves *p as it is.
func (d *Decoder) Int64(p *int64) {
	if n, ok := d.signed(64); ok {
		*p = n
	}
}

// Uint reads a number into a uint; null leaves *p as it is.
func (d *Decoder) Uint(p *uint) {
	if n, ok := d.unsigned(strconv.IntSize); ok {
		*p = uint(n)
	}
}

// Uint16 reads a number into a uint16; null leaves *p as it is.
func (d *Decoder) Uint16(p *uint16) {
	if n, ok := d.unsigned(16); ok {
		*p = uint16(n)
	}
}

// Uint32 reads a number into a uint32; null leaves *p as it is.
func (d *Decoder) Uint32(p *uint32) {
	if n, ok := d.unsigned(32); ok {
		*p = uint32(n)
	}
}

// Uint64 reads a number into a uint64; null leaves *p as it is.
func (d *Decoder) Uint64(p *uint64) {
	if n, ok := d.unsigned(64); ok {
		*p = n
	}
}

func (d *Decoder) signed(bits int) (int64, bool) {
	at := d.pos
	text, ok := d.number("signed", bits)
	if !ok {
		return 0, false
	}
	n, err := strconv.ParseInt(text, 10, bits)
	if err != nil {
		d.unfit(at, text, "signed", bits)
	}
	return n, err == nil
}

func (d *Decoder) unsigned(bits int) (uint64, bool) {
	at := d.pos
	text, ok := d.number("unsigned", bits)
	if !ok {
		return 0, false
	}
	n, err := strconv.ParseUint(text, 10, bits)
	if err != nil {
		d.unfit(at, text, "unsigned", bits)
	}
	return n, err == nil
}

// number consumes a number and returns its text; false for null, and on an error.
func (d *Decoder) number(sign string, bits int) (string, bool) {
	if c := d.space(); c != '-' && (c < '0' || c > '9') {
		if !d.Null() {
			d.mismatch(integer(sign, bits))
		}
		return "", false
	}
	start := d.pos
	ok := d.skipNumber()
	return d.src[start:d.pos], ok
}

// skipNumber checks the grammar of RFC 8259 section 6.
func (d *Decoder) skipNumber() bool {
	if d.peek() == '-' {
		d.pos++
	}
	if d.peek() == '0' {
		d.pos++
	} else if !d.digits() {
		return false
	}
	if d.peek() == '.' {
		d.pos++
		if !d.digits() {
			return false
		}
	}
	if c := d.peek(); c == 'e' || c == 'E' {
		d.pos++
		if c := d.peek(); c == '+' || c == '-' {
			d.pos++
		}
		return d.digits()
	}
	return true
}

// peek returns the byte under the cursor, or 0 at the end of the text.
func (d *Decoder) peek() byte {
	if d.pos < len(d.src) {
		return d.src[d.pos]
	}
	return 0
}

// digits consumes one or more digits.
func (d *Decoder) digits() bool {
	start := d.pos
	for c := d.peek(); c >= '0' && c <= '9'; c = d.peek() {
		d.pos++
	}
	if d.pos == start {
		d.syntax("expected a digit, found " + d.found())
		return false
	}
	return true
}
