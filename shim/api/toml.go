package api

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
)

// options reads the table `options` of a runtime in containerd's config.toml, which CRI hands over as text when the
// runtime's name is not runc's, or the file that it names.
func (r *runtimeOptions) options() (*Options, error) {
	text := r.configBody
	if text == "" && r.configPath != "" {
		b, err := os.ReadFile(r.configPath)
		if err != nil {
			return nil, fmt.Errorf("cannot read the runtime's options (ConfigPath): %w", err)
		}
		text = string(b)
	}
	o := &Options{}
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		key, value, ok := strings.Cut(line, "=")
		if !ok {
			return nil, fmt.Errorf("cannot read the runtime's options: %q is not of the form NAME = VALUE", line)
		}
		if err := o.set(strings.TrimSpace(key), strings.TrimSpace(value)); err != nil {
			return nil, err
		}
	}
	return o, nil
}

// set sets the option that config.toml calls by this name.
func (o *Options) set(key, value string) (err error) {
	name := strings.Trim(key, `"'`)
	if name == "TypeUrl" || name == "ConfigPath" { // of runtimeoptions.v1.Options itself
		return nil
	}
	i := slices.Index(optionNames[:], name)
	if i < 0 {
		return fmt.Errorf("cannot use the runtime's options: there is no option %s", key)
	}
	switch at := o.fields()[i].at.(type) {
	case *bool:
		*at, err = strconv.ParseBool(value)
	case *uint32:
		*at, err = tomlID(value)
	case *string:
		*at, err = tomlString(value)
	}
	if err != nil {
		return fmt.Errorf("cannot use the runtime's option %s: %s: %w", key, value, err)
	}
	return nil
}

// tomlString reads a string on one line (toml.io, "String").
func tomlString(s string) (string, error) {
	if len(s) >= 2 && s[0] == '\'' && s[len(s)-1] == '\'' {
		return s[1 : len(s)-1], nil
	}
	return strconv.Unquote(s)
}

func tomlID(s string) (uint32, error) {
	n, err := strconv.ParseUint(s, 10, 32)
	return uint32(n), err
}
