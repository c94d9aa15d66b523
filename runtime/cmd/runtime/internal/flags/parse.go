package flags

import (
	"fmt"
	"strings"
)

// Parse stores the flags among args and returns the positional arguments. Flags may stand before and
// after those; behind "--" all arguments are positional.
func Parse(table []Flag, args []string) (positional []string, err error) {
	for len(args) > 0 {
		if _, _, _, ok := split(args[0]); !ok {
			positional, args = append(positional, args[0]), args[1:]
			continue
		}
		if args[0] == "--" {
			return append(positional, args[1:]...), nil
		}
		if args, err = one(table, args); err != nil {
			return nil, err
		}
	}
	return positional, nil
}

// ParseLeading stores the flags that args starts with and returns what comes after them: the first
// positional argument, or what is behind "--", and all that follows.
func ParseLeading(table []Flag, args []string) (rest []string, err error) {
	for len(args) > 0 {
		if _, _, _, ok := split(args[0]); !ok {
			break
		}
		if args[0] == "--" {
			return args[1:], nil
		}
		if args, err = one(table, args); err != nil {
			return nil, err
		}
	}
	return args, nil
}

// one stores the flag that args starts with, and returns what comes after it and its value.
func one(table []Flag, args []string) (rest []string, err error) {
	name, value, hasValue, _ := split(args[0])
	f := find(table, name)
	if f == nil {
		return nil, unknown(table, args[0], name)
	}
	args = args[1:]
	switch {
	case hasValue:
	case f.IsBool():
		value = "true"
	case len(args) == 0:
		return nil, fmt.Errorf("cannot use --%s: it needs a value (%s)", f.Name, f.Arg)
	default:
		value, args = args[0], args[1:]
	}
	return args, f.set(value)
}

// split takes a flag apart; ok is false for a positional argument, "-" (standard input) included.
func split(arg string) (name, value string, hasValue, ok bool) {
	if len(arg) < 2 || arg[0] != '-' {
		return "", "", false, false
	}
	name = strings.TrimPrefix(arg[1:], "-")
	name, value, hasValue = strings.Cut(name, "=")
	return name, value, hasValue, true
}

func find(table []Flag, name string) *Flag {
	for i := range table {
		if f := &table[i]; f.Name == name || f.Short != "" && f.Short == name {
			return f
		}
	}
	return nil
}

func unknown(table []Flag, arg, name string) error {
	arg, _, _ = strings.Cut(arg, "=")
	shown := Shown(table)
	names := make([]string, len(shown))
	for i := range shown {
		names[i] = shown[i].Name
	}
	if near := Nearest(name, names); near != "" {
		return fmt.Errorf("cannot use %s: no such flag, did you mean --%s?", arg, near)
	}
	return fmt.Errorf("cannot use %s: no such flag", arg)
}
