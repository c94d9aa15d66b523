package opts

import (
	"fmt"
	"strings"

	"github.com/moby/moby/client"
	"github.com/spf13/pflag"
)

// value is a flag made of functions: kind is what help shows for its argument.
type value struct {
	kind string
	set  func(string) error
	show func() string
}

func (v *value) Set(s string) error { return v.set(s) }
func (v *value) Type() string       { return v.kind }
func (v *value) String() string {
	if v.show == nil {
		return ""
	}
	return v.show()
}

// Var is a flag whose values go to set; pflag says which flag it was when set refuses one.
func Var(fs *pflag.FlagSet, kind, name, short, usage string, set func(string) error) {
	fs.VarP(&value{kind: kind, set: set}, name, short, usage)
}

// Check looks at a value and may put it into another form.
type Check func(string) (string, error)

// List collects values; check may be nil.
func List(fs *pflag.FlagSet, to *[]string, name, short, usage string, check Check) {
	Var(fs, "list", name, short, usage, func(s string) error {
		if check != nil {
			var err error
			if s, err = check(s); err != nil {
				return err
			}
		}
		*to = append(*to, s)
		return nil
	})
}

// Map collects key=value pairs; check may be nil.
func Map(fs *pflag.FlagSet, to *map[string]string, name, short, usage string, check Check) {
	*to = map[string]string{}
	Var(fs, "map", name, short, usage, func(s string) error {
		if check != nil {
			var err error
			if s, err = check(s); err != nil {
				return err
			}
		}
		k, v, _ := strings.Cut(s, "=")
		(*to)[k] = v
		return nil
	})
}

// Filter collects the filters of a list.
func Filter(fs *pflag.FlagSet, short, usage string) client.Filters {
	f := client.Filters{}
	Var(fs, "filter", "filter", short, usage, func(s string) error {
		if s == "" {
			return nil
		}
		k, v, ok := strings.Cut(s, "=")
		if !ok {
			return fmt.Errorf("bad format of filter (expected name=value)")
		}
		f.Add(strings.ToLower(strings.TrimSpace(k)), strings.TrimSpace(v))
		return nil
	})
	return f
}

// Pairs makes a map of key=value; a missing value is empty.
func Pairs(list []string) map[string]string {
	m := make(map[string]string, len(list))
	for _, s := range list {
		k, v, _ := strings.Cut(s, "=")
		m[k] = v
	}
	return m
}
