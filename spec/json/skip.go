package json

// Skip passes over the next value, whatever it is, and checks its syntax.
func (d *Decoder) Skip() {
	switch c := d.space(); c {
	case '"':
		d.skipText()
	case '{':
		if d.Object() {
			d.SkipRest()
		}
	case '[':
		for ok := d.Array() && d.More(); ok; ok = d.More() {
			d.Skip()
		}
	case 't':
		d.literal("true")
	case 'f':
		d.literal("false")
	case 'n':
		d.literal("null")
	default:
		if c == '-' || c >= '0' && c <= '9' {
			d.skipNumber()
		} else {
			d.syntax("expected a value, found " + d.found())
		}
	}
}

// SkipRest passes over the remaining properties of the object that Object opened.
func (d *Decoder) SkipRest() {
	for d.entry('}', "expected ',' or '}' after a property, found ") {
		if d.space() != '"' {
			d.syntax("expected a property name in double quotes, found " + d.found())
			return
		}
		d.skipText()
		if d.space() != ':' {
			d.syntax("expected ':' after a property name, found " + d.found())
			return
		}
		d.pos++
		d.Skip()
	}
}

// Raw passes over the next value like Skip and returns the range of its bytes in the document.
func (d *Decoder) Raw() (start, end int) {
	d.space()
	start = d.pos
	d.Skip()
	return start, d.pos
}
