package flags

import (
	"fmt"
	"strconv"
	"strings"
)

// Files says what a shell should offer as a flag's value.
type Files int

// What completes a value that has no Choices.
const (
	None Files = iota // nothing sensible
	File              // a file or socket
	Dir               // a directory
)

// Flag is one row of a table.
type Flag struct {
	Name    string   // long name, without dashes
	Short   string   // one-letter alias, or empty
	Arg     string   // what help calls the value; empty for a flag without value
	Help    string   // one line, no full stop
	Hidden  bool     // taken, and not offered: an old name, or one without effect any more
	Choices []string // the only values allowed; empty allows all
	Files   Files    // what completes the value
	Value   any      // where it goes: *bool, *string, *int or *[]string (repeatable)
}

// Help is the row that every table ends with.
func Help(value *bool) Flag {
	return Flag{Name: "help", Short: "h", Help: "show this help", Value: value}
}

// Shown returns the flags of a table that are not hidden.
func Shown(table []Flag) []Flag {
	var list []Flag
	for _, f := range table {
		if !f.Hidden {
			list = append(list, f)
		}
	}
	return list
}

// IsBool tells whether the flag stands alone.
func (f *Flag) IsBool() bool {
	_, ok := f.Value.(*bool)
	return ok
}

// Repeats tells whether the flag may be given several times, each time adding a value.
func (f *Flag) Repeats() bool {
	_, ok := f.Value.(*[]string)
	return ok
}

func (f *Flag) set(value string) error {
	if !f.allows(value) {
		return fmt.Errorf("cannot use --%s %q: want %s", f.Name, value, strings.Join(f.Choices, " or "))
	}
	switch v := f.Value.(type) {
	case *bool:
		return f.setBool(v, value)
	case *string:
		*v = value
	case *[]string:
		*v = append(*v, value)
	case *int:
		n, err := strconv.Atoi(value)
		if err != nil || n < 0 {
			return fmt.Errorf("cannot use --%s %q: not a whole number", f.Name, value)
		}
		*v = n
	default:
		return fmt.Errorf("internal error: flag --%s has no place for its value", f.Name)
	}
	return nil
}

func (f *Flag) setBool(v *bool, value string) error {
	b, err := strconv.ParseBool(value)
	if err != nil {
		return fmt.Errorf("cannot use --%s=%s: want true or false", f.Name, value)
	}
	*v = b
	return nil
}

func (f *Flag) allows(value string) bool {
	for _, c := range f.Choices {
		if c == value {
			return true
		}
	}
	return len(f.Choices) == 0
}
