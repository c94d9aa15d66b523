package dbus

import (
	"fmt"
	"strconv"
	"strings"
)

// infer finds the type of a node: "" when nothing tells it. It is certain when no default was used.
func (n *node) infer() (sig string, certain bool) {
	if n.sig != "" {
		return n.sig, true
	}
	switch n.kind {
	case 'n':
		if isFloat(n.text) {
			return "d", true
		}
		return "i", false
	case 's':
		return "s", false
	case 'b':
		return "b", true
	case 'y':
		return "ay", true
	case '<':
		return "v", true
	case '(':
		return inferStruct(n.list)
	case '[':
		elem, certain := common(n.list, 0, 1)
		if elem == "" {
			return "", false
		}
		return "a" + elem, certain
	}
	key, certainKey := common(n.list, 0, 2)
	value, certainValue := common(n.list, 1, 2)
	if key == "" || value == "" {
		return "", false
	}
	return "a{" + key + value + "}", certainKey && certainValue
}

func inferStruct(list []*node) (string, bool) {
	sig, certain := "(", true
	for _, e := range list {
		s, sure := e.infer()
		if s == "" {
			return "", false
		}
		sig, certain = sig+s, certain && sure
	}
	return sig + ")", certain
}

// common is the type of every step-th element from first on: of the first that is certain, or else of the
// first that has one.
func common(list []*node, first, step int) (sig string, certain bool) {
	for i := first; i < len(list); i += step {
		s, sure := list[i].infer()
		if sure {
			return s, true
		}
		if sig == "" {
			sig = s
		}
	}
	return sig, false
}

// isFloat tells a double from an integer by its spelling.
func isFloat(s string) bool {
	hex := strings.Contains(s, "0x") || strings.Contains(s, "0X")
	return !hex && strings.ContainsAny(s, ".eEn")
}

// value makes the node a value of a complete type.
func (n *node) value(sig string) (Value, error) {
	if n.sig != "" && n.sig != sig {
		return Value{}, fmt.Errorf("a value of type %s where %s is needed", n.sig, sig)
	}
	wrong := fmt.Errorf("%s is not of type %s", n.describe(), sig)
	switch {
	case n.kind == 'n' && strings.Contains("ynqiuxtd", sig):
		v, err := number(n.text, sig)
		return Value{sig, v}, err
	case n.kind == 's' && (sig == "s" || sig == "o"):
		return Value{sig, n.text}, nil
	case n.kind == 's' && sig == "g":
		if !validSignature(n.text) {
			return Value{}, wrong
		}
		return Value{sig, n.text}, nil
	case n.kind == 'b' && sig == "b":
		return Bool(n.text == "true"), nil
	case n.kind == 'y' && sig == "ay":
		return Bytes([]byte(n.text)), nil
	case n.kind == '<' && sig == "v":
		inner, _ := n.list[0].infer()
		if inner == "" {
			return Value{}, fmt.Errorf("the type in <> cannot be told: put @ and a type in front")
		}
		v, err := n.list[0].value(inner)
		return Variant(v), err
	case n.kind == '{' && strings.HasPrefix(sig, "a{"):
		return n.entries(sig)
	case n.kind == '[' && sig[0] == 'a' && sig[1] != '{':
		list, err := values(n.list, func(int) string { return sig[1:] })
		return Value{sig, list}, err
	case n.kind == '(' && sig[0] == '(':
		return n.structure(sig, wrong)
	}
	return Value{}, wrong
}

func (n *node) describe() string {
	if n.text != "" || n.kind == 's' {
		return strconv.Quote(n.text)
	}
	return "a value in " + string(n.kind)
}

func validSignature(s string) bool {
	for s != "" {
		first, rest := next(s)
		if first == "" {
			return false
		}
		s = rest
	}
	return true
}

func values(list []*node, sig func(i int) string) ([]Value, error) {
	result := make([]Value, len(list))
	for i, e := range list {
		var err error
		if result[i], err = e.value(sig(i)); err != nil {
			return nil, err
		}
	}
	return result, nil
}

func (n *node) structure(sig string, wrong error) (Value, error) {
	var types []string
	for rest := sig[1 : len(sig)-1]; rest != ""; {
		var first string
		first, rest = next(rest)
		types = append(types, first)
	}
	if len(types) != len(n.list) {
		return Value{}, wrong
	}
	list, err := values(n.list, func(i int) string { return types[i] })
	return Value{sig, list}, err
}

func (n *node) entries(sig string) (Value, error) {
	types := [2]string{sig[2:3], sig[3 : len(sig)-1]}
	all, err := values(n.list, func(i int) string { return types[i%2] })
	if err != nil {
		return Value{}, err
	}
	pairs := make([]Value, 0, len(all)/2)
	for i := 0; i < len(all); i += 2 {
		pairs = append(pairs, Value{sig[1:], all[i : i+2]})
	}
	return Value{sig, pairs}, nil
}

// number reads a number of the type; an integer may be octal or hexadecimal, as in C.
func number(s, sig string) (any, error) {
	if sig == "d" {
		return strconv.ParseFloat(s, 64)
	}
	base := 10
	digits := strings.TrimLeft(s, "+-")
	sign := s[:len(s)-len(digits)]
	switch {
	case strings.HasPrefix(digits, "0x") || strings.HasPrefix(digits, "0X"):
		digits, base = digits[2:], 16
	case len(digits) > 1 && digits[0] == '0':
		digits, base = digits[1:], 8
	}
	bits := map[string]int{"y": 8, "n": 16, "q": 16, "i": 32, "u": 32, "x": 64, "t": 64}[sig]
	if strings.Contains("yqut", sig) {
		if sign == "-" {
			return nil, fmt.Errorf("%s is negative", s)
		}
		v, err := strconv.ParseUint(strings.TrimPrefix(sign, "+")+digits, base, bits)
		switch sig {
		case "y":
			return uint8(v), err
		case "q":
			return uint16(v), err
		case "u":
			return uint32(v), err
		}
		return v, err
	}
	v, err := strconv.ParseInt(sign+digits, base, bits)
	switch sig {
	case "n":
		return int16(v), err
	case "i":
		return int32(v), err
	}
	return v, err
}
