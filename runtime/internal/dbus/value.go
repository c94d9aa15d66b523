package dbus

import (
	"strconv"
	"strings"
)

// Value is a value of one complete D-Bus type ("Type System" of the specification).
type Value struct {
	Sig string
	// V is bool (b), uint8 (y), int16 (n), uint16 (q), int32 (i), uint32 (u), int64 (x), uint64 (t),
	// float64 (d), string (s, o, g), Value (v), or []Value: the elements of an array, whose entries are
	// pairs in a dictionary, or the fields of a structure.
	V any
}

// Bool is a boolean.
func Bool(v bool) Value { return Value{"b", v} }

// Uint32 is an unsigned number of 32 bits.
func Uint32(v uint32) Value { return Value{"u", v} }

// Uint64 is an unsigned number of 64 bits.
func Uint64(v uint64) Value { return Value{"t", v} }

// String is a string, which must be UTF-8 without a zero byte.
func String(s string) Value { return Value{"s", s} }

// Object is the path of an object.
func Object(path string) Value { return Value{"o", path} }

// Bytes is an array of bytes.
func Bytes(b []byte) Value {
	list := make([]Value, len(b))
	for i, c := range b {
		list[i] = Value{"y", c}
	}
	return Array("y", list...)
}

// Strings is an array of strings.
func Strings(s ...string) Value {
	list := make([]Value, len(s))
	for i := range s {
		list[i] = String(s[i])
	}
	return Array("s", list...)
}

// Array is an array of elements of the type elem.
func Array(elem string, list ...Value) Value { return Value{"a" + elem, list} }

// Struct is a structure of fields.
func Struct(fields ...Value) Value {
	var sig strings.Builder
	for _, f := range fields {
		sig.WriteString(f.Sig)
	}
	return Value{"(" + sig.String() + ")", fields}
}

// Variant is a value that carries its type.
func Variant(v Value) Value { return Value{"v", v} }

// Text is the string of a value of type s, o or g; "" for any other.
func (v Value) Text() string {
	s, _ := v.V.(string)
	return s
}

// String spells the value in the text format of GVariant.
func (v Value) String() string {
	var b strings.Builder
	v.spell(&b, true)
	return b.String()
}

// word is what the text format puts in front of a value whose type is not its default.
func word(sig string) string {
	switch sig {
	case "y":
		return "byte "
	case "n":
		return "int16 "
	case "q":
		return "uint16 "
	case "u":
		return "uint32 "
	case "x":
		return "int64 "
	case "t":
		return "uint64 "
	case "o":
		return "objectpath "
	case "g":
		return "signature "
	}
	return ""
}

// spell writes the value, with its type where the text would not say it.
func (v Value) spell(b *strings.Builder, typed bool) {
	if typed {
		b.WriteString(word(v.Sig))
	}
	switch x := v.V.(type) {
	case bool:
		b.WriteString(strconv.FormatBool(x))
	case float64:
		s := strconv.FormatFloat(x, 'g', -1, 64)
		if !strings.ContainsAny(s, ".enN") {
			s += ".0"
		}
		b.WriteString(s)
	case string:
		b.WriteByte('\'')
		b.WriteString(strings.NewReplacer(`\`, `\\`, `'`, `\'`, "\n", `\n`).Replace(x))
		b.WriteByte('\'')
	case Value:
		b.WriteByte('<')
		x.spell(b, true)
		b.WriteByte('>')
	case []Value:
		v.spellList(b, x, typed)
	default:
		b.WriteString(decimal(x))
	}
}

func (v Value) spellList(b *strings.Builder, list []Value, typed bool) {
	open, shut := "[", "]"
	dict := strings.HasPrefix(v.Sig, "a{")
	switch {
	case v.Sig[0] == '(':
		open, shut = "(", ")"
		if len(list) == 1 {
			shut = ",)"
		}
	case len(list) == 0 && typed:
		open = "@" + v.Sig + " ["
	case dict:
		open, shut = "{", "}"
	}
	if len(list) == 0 && dict {
		open, shut = "@"+v.Sig+" {", "}"
	}
	b.WriteString(open)
	for i, e := range list {
		if i > 0 {
			b.WriteString(", ")
		}
		if pair, ok := e.V.([]Value); ok && dict {
			pair[0].spell(b, typed && i == 0)
			b.WriteString(": ")
			pair[1].spell(b, typed && i == 0)
			continue
		}
		e.spell(b, typed && (i == 0 || v.Sig[0] == '('))
	}
	b.WriteString(shut)
}

// decimal spells the integers.
func decimal(v any) string {
	switch x := v.(type) {
	case uint8:
		return strconv.Itoa(int(x))
	case int16:
		return strconv.Itoa(int(x))
	case uint16:
		return strconv.Itoa(int(x))
	case int32:
		return strconv.Itoa(int(x))
	case uint32:
		return strconv.FormatUint(uint64(x), 10)
	case int64:
		return strconv.FormatInt(x, 10)
	case uint64:
		return strconv.FormatUint(x, 10)
	}
	return "?"
}

// next splits the first complete type off a signature; "" when there is none. Arrays and structures may
// be nested to the depth that the specification allows.
func next(sig string) (first, rest string) {
	n := typeLength(sig, 0)
	if n < 0 {
		return "", sig
	}
	return sig[:n], sig[n:]
}

// maxDepth is how deep arrays, structures and variants may be nested together.
const maxDepth = 64

func typeLength(sig string, depth int) int {
	if sig == "" || depth > maxDepth {
		return -1
	}
	switch c := sig[0]; {
	case strings.IndexByte("ybnqiuxtdsogv", c) >= 0:
		return 1
	case c == 'a' && len(sig) > 1 && sig[1] == '{':
		return dictLength(sig, depth)
	case c == 'a':
		if n := typeLength(sig[1:], depth+1); n > 0 {
			return 1 + n
		}
	case c == '(':
		for at := 1; at < len(sig); {
			if sig[at] == ')' && at > 1 {
				return at + 1
			}
			n := typeLength(sig[at:], depth+1)
			if n < 0 {
				return -1
			}
			at += n
		}
	}
	return -1
}

// dictLength measures a{KV}: a basic type and any other.
func dictLength(sig string, depth int) int {
	if len(sig) < 5 || strings.IndexByte("ybnqiuxtdsog", sig[2]) < 0 {
		return -1
	}
	n := typeLength(sig[3:], depth+2)
	if n < 0 || 3+n >= len(sig) || sig[3+n] != '}' {
		return -1
	}
	return 4 + n
}

// alignment of a type in a message.
func alignment(c byte) int {
	switch c {
	case 'y', 'g', 'v':
		return 1
	case 'n', 'q':
		return 2
	case 'x', 't', 'd', '(', '{':
		return 8
	}
	return 4
}
