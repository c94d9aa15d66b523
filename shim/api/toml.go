package api

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// options reads the table `options` of a runtime in containerd's config.toml, which CRI hands over as text when the
// runtime's name is not runc's, or the file that it names.
func (r *runtimeOptions) options() (*Options, error) {
	text := string(r.configBody)
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
	switch strings.Trim(key, `"'`) {
	case "NoPivotRoot":
		o.NoPivotRoot, err = strconv.ParseBool(value)
	case "NoNewKeyring":
		o.NoNewKeyring, err = strconv.ParseBool(value)
	case "SystemdCgroup":
		o.SystemdCgroup, err = strconv.ParseBool(value)
	case "ShimCgroup":
		o.ShimCgroup, err = tomlString(value)
	case "IoUid":
		o.IoUID, err = tomlID(value)
	case "IoGid":
		o.IoGID, err = tomlID(value)
	case "BinaryName":
		o.BinaryName, err = tomlString(value)
	case "Root":
		o.Root, err = tomlString(value)
	case "CriuPath":
	case "CriuImagePath":
		o.CriuImagePath, err = tomlString(value)
	case "CriuWorkPath":
		o.CriuWorkPath, err = tomlString(value)
	case "TypeUrl", "ConfigPath": // of runtimeoptions.v1.Options itself
	default:
		return fmt.Errorf("cannot use the runtime's options: there is no option %s", key)
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
