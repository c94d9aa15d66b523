package dbus

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// ParseText reads a value in the text format of GVariant (GLib's manual, "GVariant Text Format"), without
// maybe types, which D-Bus does not have. A number without a type is int32 or a double, a string in quotes a
// string; among the elements of an array, one with a type decides for all.
func ParseText(s string) (Value, error) {
	p := &parser{s: s}
	n, err := p.node(0)
	if err != nil {
		return Value{}, err
	}
	if p.space(); p.s != "" {
		return Value{}, fmt.Errorf("%q behind the value", p.s)
	}
	sig, _ := n.infer()
	if first, rest := next(sig); first == "" || rest != "" {
		return Value{}, errors.New("its type cannot be told: put @ and a type in front")
	}
	return n.value(sig)
}

// node is a value of which the type is not known for certain yet.
type node struct {
	kind byte   // 'n' number, 's' string, 'b' boolean, 'y' byte string, '[' array, '(' structure, '{' dictionary, '<' variant
	sig  string // the type that the text gives it
	text string
	list []*node // of a dictionary: keys and values in turn
}

type parser struct{ s string }

func (p *parser) space() { p.s = strings.TrimLeft(p.s, " \t\n\r\f\v") }

// accept takes one character if it comes next.
func (p *parser) accept(c byte) bool {
	p.space()
	if p.s != "" && p.s[0] == c {
		p.s = p.s[1:]
		return true
	}
	return false
}

// word takes letters, digits and what else numbers are made of.
func (p *parser) word() string {
	n := 0
	for n < len(p.s) && (p.s[n] == '+' || p.s[n] == '-' || p.s[n] == '.' || p.s[n] == '_' || isAlnum(p.s[n])) {
		n++
	}
	w := p.s[:n]
	p.s = p.s[n:]
	return w
}

func isAlnum(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}

// typeOf is the type that a word in front of a value stands for, "" for any other word.
func typeOf(word string) string {
	switch word {
	case "boolean":
		return "b"
	case "byte":
		return "y"
	case "int16":
		return "n"
	case "uint16":
		return "q"
	case "int32":
		return "i"
	case "uint32":
		return "u"
	case "int64":
		return "x"
	case "uint64":
		return "t"
	case "double":
		return "d"
	case "string":
		return "s"
	case "objectpath":
		return "o"
	case "signature":
		return "g"
	}
	return ""
}

// node reads a value, with its type in front or without.
func (p *parser) node(depth int) (*node, error) {
	if depth > maxDepth {
		return nil, errors.New("too deep")
	}
	sig := ""
	if p.accept('@') {
		if sig, p.s = next(p.s); sig == "" {
			return nil, errors.New("no type behind @")
		}
	} else {
		n := 0
		for n < len(p.s) && isAlnum(p.s[n]) {
			n++
		}
		if sig = typeOf(p.s[:n]); sig != "" {
			p.s = p.s[n:]
		}
	}
	p.space()
	n, err := p.bare(depth)
	if err == nil {
		n.sig = sig
	}
	return n, err
}

// bare reads a value without its type.
func (p *parser) bare(depth int) (*node, error) {
	switch {
	case p.s == "":
		return nil, errors.New("a value is missing")
	case p.accept('['):
		return p.list('[', ']', depth)
	case p.accept('('):
		return p.list('(', ')', depth)
	case p.accept('{'):
		return p.dict(depth)
	case p.accept('<'):
		n, err := p.node(depth + 1)
		if err == nil && !p.accept('>') {
			err = errors.New("> is missing")
		}
		return &node{kind: '<', list: []*node{n}}, err
	case p.s[0] == '\'' || p.s[0] == '"':
		text, err := p.quoted(false)
		return &node{kind: 's', text: text}, err
	case len(p.s) > 1 && p.s[0] == 'b' && (p.s[1] == '\'' || p.s[1] == '"'):
		p.s = p.s[1:]
		text, err := p.quoted(true)
		return &node{kind: 'y', text: text + "\x00"}, err
	}
	switch w := p.word(); {
	case w == "true" || w == "false":
		return &node{kind: 'b', text: w}, nil
	case w == "inf" || w == "nan" || strings.ContainsAny(w, "0123456789") || w == "-inf":
		return &node{kind: 'n', text: w}, nil
	default:
		return nil, fmt.Errorf("%q is no value (strings take quotes)", w+p.s)
	}
}

// list reads elements up to the bracket that ends them. A structure may have a comma before that.
func (p *parser) list(kind, end byte, depth int) (*node, error) {
	n := &node{kind: kind}
	for first := true; !p.accept(end); first = false {
		if !first && !p.accept(',') {
			return nil, fmt.Errorf("%c or a comma is missing", end)
		}
		if !first && kind == '(' && p.accept(end) {
			break
		}
		e, err := p.node(depth + 1)
		if err != nil {
			return nil, err
		}
		n.list = append(n.list, e)
	}
	if kind == '(' && len(n.list) == 0 {
		return nil, errors.New("D-Bus has no empty structure")
	}
	return n, nil
}

// dict reads {key: value, …}.
func (p *parser) dict(depth int) (*node, error) {
	n := &node{kind: '{'}
	for first := true; !p.accept('}'); first = false {
		if !first && !p.accept(',') {
			return nil, errors.New("} or a comma is missing")
		}
		key, err := p.node(depth + 1)
		if err != nil {
			return nil, err
		}
		if !p.accept(':') {
			return nil, errors.New(": is missing")
		}
		value, err := p.node(depth + 1)
		if err != nil {
			return nil, err
		}
		n.list = append(n.list, key, value)
	}
	return n, nil
}

// quoted reads a string in either kind of quotes, with escapes.
func (p *parser) quoted(raw bool) (string, error) {
	quote := p.s[0]
	p.s = p.s[1:]
	var b strings.Builder
	for p.s != "" {
		c := p.s[0]
		p.s = p.s[1:]
		switch {
		case c == quote:
			if s := b.String(); raw || utf8.ValidString(s) && strings.IndexByte(s, 0) < 0 {
				return s, nil
			}
			return "", errors.New("a string is not UTF-8, or has a zero byte")
		case c != '\\':
			b.WriteByte(c)
		default:
			if err := p.escape(&b, raw); err != nil {
				return "", err
			}
		}
	}
	return "", errors.New("a quote is missing")
}

// escape reads what is behind a backslash.
func (p *parser) escape(b *strings.Builder, raw bool) error {
	if p.s == "" {
		return errors.New("a quote is missing")
	}
	c := p.s[0]
	p.s = p.s[1:]
	if i := strings.IndexByte("abfnrtv", c); i >= 0 {
		b.WriteByte("\a\b\f\n\r\t\v"[i])
		return nil
	}
	digits, base := 0, 16
	switch {
	case c == '\n': // a line that goes on
		return nil
	case c == 'u' && !raw:
		digits = 4
	case c == 'U' && !raw:
		digits = 8
	case c >= '0' && c <= '7' && raw:
		p.s, digits, base = string(c)+p.s, 3, 8
	default:
		b.WriteByte(c)
		return nil
	}
	if len(p.s) < digits {
		return errors.New("an escape is too short")
	}
	n, err := strconv.ParseUint(p.s[:digits], base, 32)
	if err != nil || raw && n > 255 {
		return fmt.Errorf("%q is no character", p.s[:digits])
	}
	p.s = p.s[digits:]
	if raw {
		b.WriteByte(byte(n))
	} else {
		b.WriteRune(rune(n))
	}
	return nil
}
