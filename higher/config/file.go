package config

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
)

// decodeStrict decodes JSON and refuses fields that v does not have.
func decodeStrict(raw []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	return d.Decode(v)
}

// load applies a configuration file. given has the flags of the command line: what is said in both places is an
// error, except for lists that are empty there.
func (c *Config) load(path string, given map[string]bool) error {
	raw, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("cannot read the configuration: %w", err)
	}
	if err := c.apply(raw, given); err != nil {
		return fmt.Errorf("cannot use the configuration file %s: %w", path, err)
	}
	return nil
}

func (c *Config) apply(raw []byte, given map[string]bool) error {
	if len(bytes.TrimSpace(raw)) == 0 {
		return nil
	}
	var file map[string]json.RawMessage
	d := json.NewDecoder(bytes.NewReader(raw))
	if err := d.Decode(&file); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("there is something after the JSON object")
	}
	byKey := map[string]*option{}
	all := options()
	for i := range all {
		byKey[all[i].jsonKey()] = &all[i]
	}
	var unknown, twice []string
	for _, key := range slices.Sorted(maps.Keys(file)) {
		switch o := byKey[key]; {
		case o == nil:
			unknown = append(unknown, key)
		case given[o.flag]:
			twice = append(twice, fmt.Sprintf("%s: (from flag, from file: %s)", key, file[key]))
		}
	}
	if unknown != nil {
		return fmt.Errorf("the following directives don't match any configuration option: %s", strings.Join(unknown, ", "))
	}
	if twice != nil {
		return fmt.Errorf("the following directives are specified both as a flag and in the configuration file: %s", strings.Join(twice, ", "))
	}
	for _, key := range slices.Sorted(maps.Keys(file)) {
		if err := c.applyOne(byKey[key], file[key]); err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
	}
	return nil
}

// applyOne sets an option from its JSON: one value, or a list or an object of them.
func (c *Config) applyOne(o *option, raw json.RawMessage) error {
	switch raw[0] {
	case '[':
		var items []json.RawMessage
		if err := json.Unmarshal(raw, &items); err != nil {
			return err
		}
		for _, item := range items {
			if err := c.applyItem(o, "", item); err != nil {
				return err
			}
		}
		return nil
	case '{':
		var members map[string]json.RawMessage
		if err := json.Unmarshal(raw, &members); err != nil {
			return err
		}
		if o.item == nil {
			return errors.New("is not an object")
		}
		for _, name := range slices.Sorted(maps.Keys(members)) {
			if err := c.applyItem(o, name, members[name]); err != nil {
				return err
			}
		}
		return nil
	default:
		return c.applyItem(o, "", raw)
	}
}

func (c *Config) applyItem(o *option, name string, raw json.RawMessage) error {
	if o.item != nil {
		s, err := o.item(name, raw)
		if err != nil {
			return err
		}
		return c.say(o, s)
	}
	var v any
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		return err
	}
	if _, isBool := v.(bool); isBool != (o.kind == "bool") {
		return fmt.Errorf("%s is of the wrong type", raw)
	}
	switch v := v.(type) {
	case string, bool, json.Number:
		return c.say(o, fmt.Sprint(v))
	default:
		return fmt.Errorf("%s is of the wrong type", raw)
	}
}
