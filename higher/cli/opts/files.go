package opts

import (
	"bufio"
	"fmt"
	"os"
	"strings"
	"unicode"
	"unicode/utf8"
)

// ReadEnv returns the variables of files and then those of flags.
func ReadEnv(files, flags []string) ([]string, error) { return read(files, flags, os.LookupEnv) }

// ReadLabels returns the labels of files and then those of flags.
func ReadLabels(files, flags []string) ([]string, error) { return read(files, flags, nil) }

func read(files, flags []string, lookup func(string) (string, bool)) ([]string, error) {
	var all []string
	for _, f := range files {
		lines, err := readFile(f, lookup)
		if err != nil {
			return nil, err
		}
		all = append(all, lines...)
	}
	return append(all, flags...), nil
}

// readFile reads KEY=VALUE lines. A key alone takes its value from lookup, or is left out.
func readFile(path string, lookup func(string) (string, bool)) ([]string, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var all []string
	s := bufio.NewScanner(f)
	for n := 1; s.Scan(); n++ {
		line := s.Text()
		if !utf8.ValidString(line) {
			return nil, fmt.Errorf("invalid env file (%s): invalid utf8 bytes at line %d: %q", path, n, line)
		}
		if n == 1 {
			line = strings.TrimPrefix(line, "\ufeff")
		}
		line = strings.TrimLeftFunc(line, unicode.IsSpace)
		if line == "" || line[0] == '#' {
			continue
		}
		k, _, has := strings.Cut(line, "=")
		switch {
		case k == "":
			return nil, fmt.Errorf("invalid env file (%s): no variable name on line '%s'", path, line)
		case strings.ContainsAny(k, blank):
			return nil, fmt.Errorf("invalid env file (%s): variable '%s' contains whitespaces", path, k)
		case has:
			all = append(all, line)
		case lookup == nil:
			all = append(all, k)
		default:
			if v, there := lookup(k); there {
				all = append(all, k+"="+v)
			}
		}
	}
	if err := s.Err(); err != nil {
		return nil, fmt.Errorf("invalid env file (%s): %w", path, err)
	}
	return all, nil
}
