package json

import (
	"strconv"
	"strings"
)

// level is one object or array that is open at some place of a document.
type level struct {
	array bool
	index int    // of the current element
	key   string // of the current property
	named bool   // the key of the current property has been read
}

// pointer returns the JSON pointer of the value that begins at, or after white space at, an offset.
func (d *Decoder) pointer(offset int) string {
	return pointers(d.src, []int{offset})[0]
}

// pointers finds the JSON pointers of several places in one walk. Offsets ascend; each is that of a value or
// of a property's key, and the text before the last is known to be correct. Decoding keeps no record of where
// it is, so that only a document with something to report pays for this.
func pointers(src string, offsets []int) []string {
	if len(offsets) == 0 {
		return nil
	}
	found := make([]string, 0, len(offsets))
	d := Decoder{src: src}
	var open []level
	for _, offset := range offsets {
		open = d.walk(open, offset)
		found = append(found, render(open))
	}
	return found
}

// walk moves over tokens up to an offset and keeps account of the open levels.
func (d *Decoder) walk(open []level, offset int) []level {
	for {
		c := d.space()
		top := len(open) - 1
		isKey := c == '"' && top >= 0 && !open[top].array && !open[top].named
		if d.pos >= len(d.src) || d.pos > offset || d.pos == offset && !isKey {
			return open
		}
		switch c {
		case '{', '[':
			open = append(open, level{array: c == '['})
			d.pos++
		case '}', ']':
			open = open[:top]
			d.pos++
		case ',':
			open[top].index++
			open[top].named = false
			d.pos++
		case ':':
			d.pos++
		case '"':
			at := d.pos
			text := d.text()
			if isKey {
				open[top].key, open[top].named = text, true
			}
			if at == offset {
				return open
			}
		default:
			d.Skip()
		}
	}
}

// Escape returns a property's key as a reference token of a JSON pointer (RFC 6901 section 3).
func Escape(key string) string {
	return strings.ReplaceAll(strings.ReplaceAll(key, "~", "~0"), "/", "~1")
}

func render(open []level) string {
	var b strings.Builder
	for _, l := range open {
		b.WriteByte('/')
		if l.array {
			b.WriteString(strconv.Itoa(l.index))
		} else {
			b.WriteString(Escape(l.key))
		}
	}
	return b.String()
}
